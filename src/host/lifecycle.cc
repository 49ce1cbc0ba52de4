#include "host/lifecycle.h"

#include <fmt/format.h>

#include <utility>

#include "host/cookies.h"
#include "host/notifications.h"
#include "host/pages.h"
#include "host/processes.h"
#include "host/registry.h"
#include "host/runner.h"

namespace vigil::host {
namespace asio = boost::asio;

void Lifecycle::Announce(const Registration& registration) {
  ipc::ToWorker message;
  *message.mutable_registration() = Registry::Info(registration);
  context_.processes->SendToOrigin(registration.origin, message);
  context_.NoteChange(registration);
}

void Lifecycle::SetState(const std::shared_ptr<Registration>& registration,
                         const std::shared_ptr<Version>& version, VersionState state) {
  version->state = state;
  if (state == VersionState::kActivated || state == VersionState::kRedundant) {
    auto waiters = std::exchange(version->awaiting_activation, {});
    for (auto& waiter : waiters) waiter.Set(state == VersionState::kActivated);
  }
  Announce(*registration);
}

void Lifecycle::MakeRedundant(const std::shared_ptr<Registration>& registration,
                              const std::shared_ptr<Version>& version) {
  if (!version || version->state == VersionState::kRedundant) return;
  ipc::ToWorker message;
  message.set_version_gone(version->id);
  context_.processes->SendToOrigin(version->origin, message);
  SetState(registration, version, VersionState::kRedundant);
  context_.runner->Stop(*version, "was stopped: it was replaced or removed");
}

// "Install", from the step that fires the event on.
asio::awaitable<Result<>> Lifecycle::Install(std::shared_ptr<Registration> registration) {
  auto version = registration->installing;
  ipc::Event event;
  event.mutable_install();
  Runner::DispatchOptions options;
  auto dispatched = co_await context_.runner->Dispatch(version, std::move(event), std::move(options));
  if (dispatched.result.kind != EventResult::Kind::kSucceeded || registration->unregistered) {
    std::string why = registration->unregistered ? "the registration was removed meanwhile"
                                                 : FirstLine(dispatched.result.error);
    if (registration->installing == version) registration->installing = nullptr;
    MakeRedundant(registration, version);
    if (!registration->Newest() && !registration->unregistered) Discard(registration);
    co_return Fail(ErrorCode::kAborted,
                   fmt::format("the service worker {} did not install: {}", version->script_url,
                               why.empty() ? "its install event failed" : why));
  }
  auto replaced = std::exchange(registration->waiting, version);
  registration->installing = nullptr;
  if (replaced) MakeRedundant(registration, replaced);
  SetState(registration, version, VersionState::kInstalled);
  context_.registry->Save(*registration);
  TryActivate(registration);
  co_return Result<>();
}

bool Lifecycle::HasClients(const Version& version) const {
  return context_.pages->CountControlledBy(version) > 0;
}

bool Lifecycle::MayActivate(const Registration& registration) const {
  const auto& active = registration.active;
  if (!active) return true;
  if (active->state == VersionState::kActivating) return false;
  if (active->events_pending > 0) return false;
  return registration.waiting->skip_waiting || !HasClients(*active);
}

void Lifecycle::TryActivate(const std::shared_ptr<Registration>& registration) {
  if (context_.stopping || registration->unregistered || !registration->waiting) return;
  if (!MayActivate(*registration)) return;
  context_.Spawn(Activate(registration));
}

// "Activate"
asio::awaitable<void> Lifecycle::Activate(std::shared_ptr<Registration> registration) {
  // Called from the loop: things may have changed since TryActivate looked.
  if (registration->unregistered || !registration->waiting || !MayActivate(*registration)) co_return;
  auto previous = registration->active;
  auto version = std::exchange(registration->waiting, nullptr);
  registration->active = version;
  if (previous) MakeRedundant(registration, previous);
  SetState(registration, version, VersionState::kActivating);
  context_.registry->Save(*registration);
  // Clients that used the old worker use the new one.
  if (previous) context_.pages->ReplaceController(previous, version, *registration);
  ipc::Event event;
  event.mutable_activate();
  Runner::DispatchOptions options;
  auto dispatched = co_await context_.runner->Dispatch(version, std::move(event), std::move(options));
  // A failed activate event does not keep a worker from becoming active. One that we stopped runs again at
  // the next start: the state on disk is still "activating".
  if (version->state != VersionState::kActivating) co_return;
  if (context_.stopping) co_return;
  SetState(registration, version, VersionState::kActivated);
  context_.registry->Save(*registration);
}

void Lifecycle::SkipWaiting(const std::shared_ptr<Version>& version) {
  version->skip_waiting = true;
  auto registration = context_.registry->ById(version->registration_id);
  if (registration) TryActivate(registration);
}

void Lifecycle::ClientGone(const std::shared_ptr<Version>& controller) {
  auto registration = context_.registry->ById(controller->registration_id);
  if (registration) return TryActivate(registration);
  // The registration was removed and waited only for its clients.
  if (controller->state != VersionState::kRedundant && !HasClients(*controller)) {
    controller->state = VersionState::kRedundant;
    context_.runner->Stop(*controller, "was stopped: its registration was removed");
  }
}

void Lifecycle::Unregister(const std::shared_ptr<Registration>& registration, bool at_once) {
  if (registration->unregistered) return;
  context_.registry->Remove(*registration);
  if (context_.sync) context_.sync->RegistrationDeleted(registration->id);
  context_.notifications->RegistrationDeleted(registration->id);
  context_.cookies->RegistrationDeleted(registration->id);
  Announce(*registration);
  MakeRedundant(registration, std::exchange(registration->installing, nullptr));
  MakeRedundant(registration, std::exchange(registration->waiting, nullptr));
  auto active = registration->active;
  if (active && (at_once || !HasClients(*active))) {
    registration->active = nullptr;
    context_.pages->ReplaceController(active, nullptr, *registration);
    MakeRedundant(registration, active);
  }
}

void Lifecycle::Discard(const std::shared_ptr<Registration>& registration) { Unregister(registration, true); }

}  // namespace vigil::host
