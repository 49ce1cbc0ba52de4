// navigator.serviceWorker, ServiceWorkerRegistration.update() and unregister(), skipWaiting().
#include <utility>

#include "host/jobs.h"
#include "host/lifecycle.h"
#include "host/registry.h"
#include "host/requests.h"
#include "net/fetch_headers.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
constexpr std::size_t kMaxPreloadHeader = 8 * 1024;

void ReplyRegistration(WorkerProcess& process, std::uint64_t id, const Registration& registration) {
  ipc::Reply reply;
  reply.set_id(id);
  *reply.mutable_registration() = Registry::Info(registration);
  process.Reply(std::move(reply));
}
}  // namespace

void Requests::OnRegistrationRequest(WorkerProcess& process, const ProcessOwner& owner,
                                     ipc::Request& request) {
  using R = ipc::Request;
  std::uint64_t id = request.id();
  switch (request.body_case()) {
    case R::kContainerRegister:
      return context_.Spawn(ContainerRegister(process.shared_from_this(), owner, id,
                                              std::move(*request.mutable_container_register())));
    case R::kContainerGetRegistration: {
      auto url = net::Url::Parse(request.container_get_registration().value());
      if (!url || url->Origin() != process.origin()) {
        return ReplyFailure(
            process, id, "SecurityError",
            "Failed to get a ServiceWorkerRegistration: The origin of the provided documentURL does "
            "not match the current origin.");
      }
      ipc::Reply reply;
      reply.set_id(id);
      auto* list = reply.mutable_registrations();
      if (auto match = context_.registry->Match(url->Href()))
        *list->add_registrations() = Registry::Info(*match);
      return process.Reply(std::move(reply));
    }
    case R::kContainerGetRegistrations: {
      ipc::Reply reply;
      reply.set_id(id);
      auto* list = reply.mutable_registrations();
      for (const auto& registration : context_.registry->OfOrigin(process.origin())) {
        *list->add_registrations() = Registry::Info(*registration);
      }
      return process.Reply(std::move(reply));
    }
    case R::kSkipWaiting:
      if (!owner.version)
        return ReplyFailure(process, id, "InvalidStateError", "Only a service worker can do that.");
      context_.lifecycle->SkipWaiting(owner.version);
      return ReplyOk(process, id);
    case R::kNavigationPreload:
      return context_.Spawn(NavigationPreload(process.shared_from_this(), owner, std::move(request)));
    case R::kAddRoutes:
      return AddRoutes(process, owner, id, request.add_routes());
    default:
      break;
  }
  auto registration = RegistrationOf(process, owner, request.registration_id());
  bool update = request.body_case() == R::kRegistrationUpdate;
  if (!registration) {
    if (update) {
      return ReplyFailure(process, id, "InvalidStateError",
                          "Failed to update a ServiceWorker: the registration was removed.");
    }
    ipc::Reply reply;
    reply.set_id(id);
    reply.mutable_flag()->set_value(false);
    return process.Reply(std::move(reply));
  }
  // A worker that is being installed would wait for itself: its job holds the queue.
  if (update && owner.version && owner.version->state < VersionState::kInstalled) {
    return ReplyFailure(process, id, "InvalidStateError",
                        "Failed to update a ServiceWorker: it is being installed itself.");
  }
  if (update) return context_.Spawn(UpdateRegistration(process.shared_from_this(), owner, id, registration));
  context_.Spawn(UnregisterRegistration(process.shared_from_this(), id, registration));
}

// Service Workers §4.6, InstallEvent.addRoutes(). They are stored with the version, once it is installed.
void Requests::AddRoutes(WorkerProcess& process, const ProcessOwner& owner, std::uint64_t id,
                         const ipc::RouterRules& rules) {
  const std::string failed = "Failed to execute 'addRoutes' on 'InstallEvent': ";
  const auto& version = owner.version;
  if (!version || version->state != VersionState::kInstalling) {
    return ReplyFailure(process, id, "InvalidStateError",
                        failed + "Routes can only be added while the service worker is installed.");
  }
  if (StaticRoutes::WantFetchEvent(rules) && !version->Handles("fetch")) {
    return ReplyFailure(process, id, "TypeError",
                        failed + "A source that includes the fetch handler is set without a fetch handler.");
  }
  auto added = version->routes.Add(rules);
  if (!added) return ReplyFailure(process, id, "TypeError", failed + added.error().message);
  ReplyOk(process, id);
}

// Service Workers §3.5: changes what the call names, and says what holds.
asio::awaitable<void> Requests::NavigationPreload(Process process, ProcessOwner owner, ipc::Request request) {
  const std::uint64_t id = request.id();
  const auto& call = request.navigation_preload();
  const std::string failed = call.has_header_value() ? "Failed to set navigation preload header: "
                                                     : "Failed to enable or disable navigation preload: ";
  auto registration = RegistrationOf(*process, owner, request.registration_id());
  if (call.has_enabled() || call.has_header_value()) {
    if (!registration || !registration->active) {
      ReplyFailure(*process, id, "InvalidStateError",
                   failed + "The registration does not have an active worker.");
      co_return;
    }
    if (!net::IsHeaderValue(call.header_value()) || call.header_value().size() > kMaxPreloadHeader) {
      ReplyFailure(*process, id, "TypeError", failed + "The navigation preload header value is invalid.");
      co_return;
    }
    if (call.has_enabled()) registration->preload.enabled = call.enabled();
    if (call.has_header_value()) registration->preload.header_value = call.header_value();
    auto saved = co_await context_.registry->SavePreload(*registration);
    if (!saved) {
      ReplyFailure(*process, id, "UnknownError", failed + saved.error().message);
      co_return;
    }
  }
  const NavigationPreloadState state = registration ? registration->preload : NavigationPreloadState();
  ipc::Reply reply;
  reply.set_id(id);
  reply.mutable_navigation_preload()->set_enabled(state.enabled);
  reply.mutable_navigation_preload()->set_header_value(state.header_value);
  process->Reply(std::move(reply));
}

asio::awaitable<void> Requests::ContainerRegister(Process process, ProcessOwner owner, std::uint64_t id,
                                                  ipc::ContainerRegister call) {
  Jobs::RegisterCall job;
  job.client_origin = process->origin();
  job.client_url = owner.page ? owner.page->url : owner.version->script_url;
  job.script_url = call.script_url();
  job.scope = call.scope();
  job.module = call.type() == "module";
  job.update_via_cache = call.update_via_cache();
  auto result = co_await context_.jobs->Register(std::move(job));
  if (!result.registration) {
    ReplyFailure(*process, id, result.error.name, result.error.message);
    co_return;
  }
  ReplyRegistration(*process, id, *result.registration);
}

asio::awaitable<void> Requests::UpdateRegistration(Process process, ProcessOwner owner, std::uint64_t id,
                                                   std::shared_ptr<Registration> registration) {
  std::string from = owner.page ? owner.page->url : owner.version->script_url;
  auto result = co_await context_.jobs->Update(registration, false, std::move(from));
  if (!result.registration) {
    ReplyFailure(*process, id, result.error.name, result.error.message);
    co_return;
  }
  ReplyRegistration(*process, id, *result.registration);
}

asio::awaitable<void> Requests::UnregisterRegistration(Process process, std::uint64_t id,
                                                       std::shared_ptr<Registration> registration) {
  auto result = co_await context_.jobs->Unregister(registration);
  ipc::Reply reply;
  reply.set_id(id);
  reply.mutable_flag()->set_value(result.registration != nullptr);
  process->Reply(std::move(reply));
}

}  // namespace vigil::host
