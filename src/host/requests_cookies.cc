// The requests of the Cookie Store API.
#include "host/cookies.h"
#include "host/requests.h"

namespace vigil::host {

void Requests::OnCookieRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request) {
  using R = ipc::Request;
  const std::uint64_t id = request.id();
  Cookies& cookies = *context_.cookies;
  if (request.body_case() == R::kCookieGet) return cookies.Get(process, id, request.cookie_get());
  if (request.body_case() == R::kCookieSet) return cookies.Set(process, id, request.cookie_set());
  const auto registration = RegistrationOf(process, owner, request.registration_id());
  if (!registration) return ReplyFailure(process, id, "InvalidStateError", "The registration is gone.");
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
