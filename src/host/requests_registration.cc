// navigator.serviceWorker, ServiceWorkerRegistration.update() and unregister(), skipWaiting().
#include <utility>

#include "host/jobs.h"
#include "host/lifecycle.h"
#include "host/registry.h"
#include "host/requests.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
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
  if (update) return context_.Spawn(UpdateRegistration(process.shared_from_this(), id, registration));
  context_.Spawn(UnregisterRegistration(process.shared_from_this(), id, registration));
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
  std::string shown = "Failed to register a ServiceWorker";
  auto result = co_await context_.jobs->Register(std::move(job));
  if (!result.registration) {
    ReplyFailure(*process, id, result.error.name, shown + ": " + result.error.message);
    co_return;
  }
  ReplyRegistration(*process, id, *result.registration);
}

asio::awaitable<void> Requests::UpdateRegistration(Process process, std::uint64_t id,
                                                   std::shared_ptr<Registration> registration) {
  auto result = co_await context_.jobs->Update(registration, false);
  if (!result.registration) {
    ReplyFailure(*process, id, result.error.name,
                 "Failed to update a ServiceWorker: " + result.error.message);
    co_return;
  }
  ReplyRegistration(*process, id, *result.registration);
}

asio::awaitable<void> Requests::UnregisterRegistration(Process process, std::uint64_t id,
                                                       std::shared_ptr<Registration> registration) {
  auto result = co_await context_.jobs->Unregister(registration, false);
  ipc::Reply reply;
  reply.set_id(id);
  reply.mutable_flag()->set_value(result.registration != nullptr);
  process->Reply(std::move(reply));
}

}  // namespace vigil::host
