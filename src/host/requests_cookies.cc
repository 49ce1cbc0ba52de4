// The requests of the Cookie Store API.
#include <fmt/format.h>

#include <utility>

#include "host/cookies.h"
#include "host/requests.h"

namespace vigil::host {
namespace {

// An unregistered registration has no subscriptions, and as in Chromium the storage has no place for more.
void ReplyGone(WorkerProcess& process, const ipc::Request& request) {
  if (request.has_cookie_get_subscriptions()) {
    ipc::Reply reply;
    reply.set_id(request.id());
    reply.mutable_cookie_subscriptions();
    return process.Reply(std::move(reply));
  }
  const bool adds = request.has_cookie_subscribe();
  ReplyFailure(
      process, request.id(), "UnknownError",
      fmt::format("Failed to execute '{}' on 'CookieStoreManager': An unknown error occurred while {} "
                  "cookie changes.",
                  adds ? "subscribe" : "unsubscribe", adds ? "subscribing to" : "unsubscribing from"));
}

}  // namespace

void Requests::OnCookieRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request) {
  using R = ipc::Request;
  const std::uint64_t id = request.id();
  Cookies& cookies = *context_.cookies;
  if (request.body_case() == R::kCookieGet) return cookies.Get(process, id, request.cookie_get());
  if (request.body_case() == R::kCookieSet) return cookies.Set(process, id, request.cookie_set());
  const auto registration = RegistrationOf(process, owner, request.registration_id());
  if (!registration) return ReplyGone(process, request);
  switch (request.body_case()) {
    case R::kCookieSubscribe:
      return cookies.Subscribe(process, id, *registration, request.cookie_subscribe());
    case R::kCookieUnsubscribe:
      return cookies.Unsubscribe(process, id, *registration, request.cookie_unsubscribe());
    default:
      return cookies.GetSubscriptions(process, id, *registration);
  }
}

}  // namespace vigil::host
