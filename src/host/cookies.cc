#include "host/cookies.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/log.h"
#include "host/processes.h"
#include "host/registry.h"
#include "host/requests.h"
#include "host/runner.h"
#include "host/storage_thread.h"
#include "net/fetcher.h"
#include "net/url.h"
#include "store/stores.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {

const std::string kSettingPrefix = "cookie-subscriptions:";

std::string SettingName(std::uint64_t registration_id) {
  return kSettingPrefix + std::to_string(registration_id);
}

const char* SameSiteName(net::Cookie::SameSite same_site) {
  switch (same_site) {
    case net::Cookie::SameSite::kStrict:
      return "strict";
    case net::Cookie::SameSite::kNone:
      return "none";
    default:
      return "lax";
  }
}

void Describe(const net::Cookie& cookie, ipc::Cookie& item) {
  item.set_name(cookie.name);
  item.set_value(cookie.value);
  if (!cookie.host_only) item.set_domain(cookie.domain);
  item.set_path(cookie.path);
  item.set_secure(cookie.secure);
  item.set_same_site(SameSiteName(cookie.same_site));
  if (cookie.expires) item.set_expires_ms(cookie.expires->time_since_epoch().count() / 1000);
}

// As a Set-Cookie header, so that the jar's rules are the same for scripts and servers. What could end an
// attribute early was refused before.
std::string SetCookieLine(const ipc::Cookie& cookie, WallTime now) {
  std::string line = cookie.name() + "=" + cookie.value() + "; Path=" + cookie.path();
  if (cookie.secure()) line += "; Secure";
  if (!cookie.domain().empty()) line += "; Domain=" + cookie.domain();
  line += "; SameSite=" + cookie.same_site();
  if (cookie.expires_ms() != 0) {
    const std::int64_t seconds = cookie.expires_ms() / 1000 - now.time_since_epoch().count() / 1'000'000;
    line += fmt::format("; Max-Age={}", std::max<std::int64_t>(seconds, 0));
  }
  return line;
}

bool IsSafe(const std::string& text) {
  return std::ranges::none_of(
      text, [](unsigned char c) { return c == ';' || c == 0x7f || (c < 0x20 && c != '\t'); });
}
bool IsSafe(const ipc::Cookie& cookie) {
  return cookie.name().find('=') == std::string::npos && IsSafe(cookie.name()) && IsSafe(cookie.value()) &&
         IsSafe(cookie.path()) && IsSafe(cookie.domain()) && IsSafe(cookie.same_site());
}

bool Same(const ipc::CookieSubscription& a, const ipc::CookieSubscription& b) {
  return a.has_name() == b.has_name() && a.name() == b.name() && a.url() == b.url();
}

bool Concerns(const ipc::CookieSubscription& subscription, const net::Cookie& cookie) {
  if (subscription.has_name() && subscription.name() != cookie.name) return false;
  auto url = net::Url::Parse(subscription.url());
  return url && net::CookieJar::Reaches(cookie, *url);
}

}  // namespace

asio::awaitable<Result<>> Cookies::Load() {
  auto* stores = &context_.deps.stores;
  auto read = [stores] { return stores->settings.All(kSettingPrefix); };
  auto stored = co_await context_.deps.storage.Run(std::move(read));
  if (!stored) co_return Fail(stored.error());
  for (const auto& [key, bytes] : *stored) {
    std::uint64_t id = 0;
    const char* number = key.c_str() + kSettingPrefix.size();
    std::from_chars(number, key.c_str() + key.size(), id);
    ipc::CookieSubscriptions list;
    if (context_.registry->ById(id) && list.ParseFromString(bytes)) subscriptions_[id] = std::move(list);
  }
  co_return Result<>();
}

void Cookies::Get(WorkerProcess& process, std::uint64_t request_id, const ipc::CookieGet& call) {
  auto url = net::Url::Parse(call.url());
  if (!url || url->Origin() != process.origin()) {
    return ReplyFailure(process, request_id, "TypeError", "The URL is of another origin.");
  }
  ipc::Reply reply;
  reply.set_id(request_id);
  auto* cookies = reply.mutable_cookies();
  auto& jar = context_.deps.fetcher.JarOf(process.origin());
  for (const auto& cookie : jar.ForScripts(*url, context_.deps.clock.now().wall)) {
    if (!call.has_name() || call.name() == cookie.name) Describe(cookie, *cookies->add_cookies());
  }
  process.Reply(std::move(reply));
}

void Cookies::Set(WorkerProcess& process, std::uint64_t request_id, const ipc::Cookie& cookie) {
  auto url = net::Url::Parse(process.origin() + "/");
  const WallTime now = context_.deps.clock.now().wall;
  if (!url || !IsSafe(cookie) ||
      !context_.deps.fetcher.JarOf(process.origin()).SetByScript(*url, SetCookieLine(cookie, now), now)) {
    return ReplyFailure(process, request_id, "TypeError",
                        "Cookie was not stored: its attributes are not allowed here");
  }
  ReplyOk(process, request_id);
}

void Cookies::Subscribe(WorkerProcess& process, std::uint64_t request_id, const Registration& registration,
                        const ipc::CookieSubscriptions& added) {
  if (!registration.active) {
    return ReplyFailure(process, request_id, "InvalidStateError",
                        "Subscription failed - no active Service Worker");
  }
  ipc::CookieSubscriptions list = subscriptions_[registration.id];
  for (const auto& one : added.subscriptions()) {
    if (!one.url().starts_with(registration.scope)) {
      return ReplyFailure(process, request_id, "TypeError", "URL is not within ServiceWorker scope");
    }
    if (std::ranges::none_of(list.subscriptions(), [&](const auto& old) { return Same(old, one); })) {
      *list.add_subscriptions() = one;
    }
  }
  if (list.subscriptions_size() > kMaxSubscriptions || list.ByteSizeLong() > kMaxSubscriptionBytes) {
    return ReplyFailure(process, request_id, "QuotaExceededError",
                        fmt::format("A registration has at most {} cookie subscriptions, of {} bytes",
                                    kMaxSubscriptions, kMaxSubscriptionBytes));
  }
  subscriptions_[registration.id] = std::move(list);
  context_.Spawn(Save(process.shared_from_this(), request_id, registration.id));
}

void Cookies::Unsubscribe(WorkerProcess& process, std::uint64_t request_id, const Registration& registration,
                          const ipc::CookieSubscriptions& removed) {
  ipc::CookieSubscriptions left;
  for (const auto& old : subscriptions_[registration.id].subscriptions()) {
    if (std::ranges::none_of(removed.subscriptions(), [&](const auto& one) { return Same(old, one); })) {
      *left.add_subscriptions() = old;
    }
  }
  subscriptions_[registration.id] = std::move(left);
  context_.Spawn(Save(process.shared_from_this(), request_id, registration.id));
}

asio::awaitable<void> Cookies::Save(std::shared_ptr<WorkerProcess> process, std::uint64_t request_id,
                                    std::uint64_t registration_id) {
  auto* stores = &context_.deps.stores;
  std::string bytes = subscriptions_[registration_id].SerializeAsString();
  auto write = [stores, name = SettingName(registration_id), bytes = std::move(bytes)] {
    return bytes.empty() ? stores->settings.Unset(name) : stores->settings.Set(name, bytes);
  };
  auto saved = co_await context_.deps.storage.Run(std::move(write));
  if (saved) {
    ReplyOk(*process, request_id);
  } else {
    ReplyFailure(*process, request_id, "UnknownError", "The subscriptions could not be stored.");
  }
}

void Cookies::GetSubscriptions(WorkerProcess& process, std::uint64_t request_id,
                               const Registration& registration) const {
  ipc::Reply reply;
  reply.set_id(request_id);
  auto found = subscriptions_.find(registration.id);
  auto* list = reply.mutable_cookie_subscriptions();
  if (found != subscriptions_.end()) *list = found->second;
  process.Reply(std::move(reply));
}

void Cookies::RegistrationDeleted(std::uint64_t registration_id) {
  if (subscriptions_.erase(registration_id) == 0) return;
  context_.deps.storage.Post([stores = &context_.deps.stores, registration_id] {
    if (auto removed = stores->settings.Unset(SettingName(registration_id)); !removed) {
      log::Warning("cannot remove cookie subscriptions: {}", removed.error().message);
    }
  });
}

void Cookies::OnChanged(const std::string& origin, const net::Cookie& cookie, bool removed) {
  if (cookie.http_only || context_.stopping) return;
  ipc::CookieChange change;
  Describe(cookie, removed ? *change.add_deleted() : *change.add_changed());
  context_.processes->ForEach(origin, [&](WorkerProcess& process, const ProcessOwner& owner) {
    if (!owner.page) return;
    auto url = net::Url::Parse(owner.page->url);
    if (!url || !net::CookieJar::Reaches(cookie, *url)) return;
    ipc::ToWorker message;
    *message.mutable_cookie_change() = change;
    process.Send(std::move(message));
  });
  for (const auto& [registration_id, list] : subscriptions_) {
    auto registration = context_.registry->ById(registration_id);
    if (!registration || registration->origin != origin || !registration->active) continue;
    if (std::ranges::any_of(list.subscriptions(), [&](const auto& one) { return Concerns(one, cookie); })) {
      context_.Spawn(Dispatch(registration_id, change));
    }
  }
}

asio::awaitable<void> Cookies::Dispatch(std::uint64_t registration_id, ipc::CookieChange change) {
  ipc::Event event;
  *event.mutable_cookie_change() = std::move(change);
  Runner::DispatchOptions options;
  co_await context_.runner->DispatchFunctional(registration_id, std::move(event), std::move(options));
}

}  // namespace vigil::host
