#include "host/runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "host/jobs.h"
#include "host/lifecycle.h"
#include "host/registry.h"
#include "host/worker_policies.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
// How often a worker that has nothing left but a body to send is looked at, at least.
constexpr Duration kBodyPatience = std::chrono::seconds(1);
}  // namespace

ipc::Start Runner::StartMessage(const Version& version) const {
  ipc::Start start = context_.processes->BaseStart(version.origin, version.script_url);
  start.set_scope(ipc::Start::SERVICE_WORKER);
  auto* worker = start.mutable_service_worker();
  if (auto registration = context_.registry->ById(version.registration_id)) {
    *worker->mutable_registration() = Registry::Info(*registration);
  }
  worker->set_version_id(version.id);
  worker->set_version_state(VersionStateName(version.state));
  worker->set_module(version.module);
  FillCodeGeneration(version, *worker);
  for (const auto& resource : version.scripts) {
    if (!resource->type.empty()) continue;  // asked for when it is imported
    auto* script = worker->add_scripts();
    script->set_url(resource->url);
    script->set_response_url(resource->response_url);
    script->set_source(resource->body);
  }
  return start;
}

asio::awaitable<StartResult> Runner::EnsureRunning(std::shared_ptr<Version> version) {
  StartResult result;
  if (version->process && version->process->running()) {
    result.ok = true;
    result.listeners = version->listeners;
    co_return result;
  }
  if (context_.stopping || version->state == VersionState::kRedundant) {
    result.ours = true;
    result.error = context_.stopping ? "Vigil is stopping" : "the service worker was replaced";
    co_return result;
  }
  bool first = !version->starting;
  if (first) version->starting.emplace(context_.executor);
  Waiter<StartResult> waiter = *version->starting;
  if (first) co_await StartProcess(version, waiter);
  co_return co_await waiter.Get();
}

asio::awaitable<void> Runner::StartProcess(std::shared_ptr<Version> version, Waiter<StartResult> waiter) {
  // The process before this one may have been killed a moment ago and not be buried yet; it is not ours to
  // look after.
  version->process = nullptr;
  ProcessOwner owner;
  owner.version = version;
  auto created = co_await context_.processes->Create(owner, version->origin);
  // It may have been removed meanwhile: then nothing of it may run any more.
  const bool removed = version->state == VersionState::kRedundant;
  if (created && removed) (*created)->Kill(ExitReport::Reason::kStopped, "was stopped: it was removed");
  if (!created || removed) {
    version->starting.reset();
    StartResult result;
    result.process_died = true;
    result.ours = true;
    result.error = created ? "the service worker was removed" : created.error().message;
    waiter.Set(std::move(result));
    co_return;
  }
  auto process = *created;
  version->process = process;
  bool fresh = version->state == VersionState::kParsed || version->state == VersionState::kInstalling;
  Duration limit = fresh ? context_.options.install_start_limit : context_.options.start_limit;
  std::weak_ptr<WorkerProcess> weak = process;
  auto done = [this, version, waiter, weak](StartResult result) {
    version->starting.reset();
    auto self = weak.lock();
    if (result.ok) {
      version->listeners = result.listeners;
      ArmIdleStop(version);
      context_.NoteChange(*version);
    } else if (!result.process_died && self) {
      self->Kill(ExitReport::Reason::kStopped, "was stopped: its script failed");
    }
    waiter.Set(std::move(result));
  };
  process->Start(StartMessage(*version), limit, context_.options.answer_limit, std::move(done));
}

asio::awaitable<Runner::Dispatched> Runner::Dispatch(std::shared_ptr<Version> version, ipc::Event event,
                                                     DispatchOptions options) {
  Dispatched dispatched;
  ++version->events_pending;
  auto started = co_await EnsureRunning(version);
  // It may have ended between its start and our turn.
  if (started.ok && !(version->process && version->process->running())) {
    started.ok = false;
    started.error = "the worker ended right after its start";
  }
  if (!started.ok) {
    --version->events_pending;
    dispatched.result.ours = started.ours;
    dispatched.result.error = started.error;
    co_return dispatched;
  }
  dispatched.started = true;
  Waiter<EventResult> finished(context_.executor);
  WorkerProcess::EventOptions event_options;
  event_options.limit = options.limit.count() > 0 ? options.limit : context_.options.event_limit;
  event_options.kill_on_timeout = options.kill_on_timeout;
  event_options.on_response = std::move(options.on_response);
  event_options.done = [version, finished](EventResult result) {
    --version->events_pending;
    if (result.kind == EventResult::Kind::kTimeout) version->stop_when_idle = true;
    finished.Set(std::move(result));
  };
  const std::uint64_t event_id = version->process->SendEvent(std::move(event), std::move(event_options));
  if (options.on_sent && event_id != 0) options.on_sent(*version->process, event_id);
  dispatched.result = co_await finished.Get();
  co_return dispatched;
}

asio::awaitable<DispatchOutcome> Runner::DispatchFunctional(std::uint64_t registration_id, ipc::Event event,
                                                            DispatchOptions options) {
  DispatchOutcome outcome;
  outcome.dispatched_us = RealMonotonicUs();
  auto finish = [&outcome](DispatchOutcome::Kind kind, std::string text) {
    outcome.kind = kind;
    outcome.text = std::move(text);
    outcome.finished_us = RealMonotonicUs();
  };
  auto registration = context_.registry->ById(registration_id);
  if (!registration || !registration->active) {
    finish(DispatchOutcome::Kind::kNotStarted, "there is no active service worker");
    co_return outcome;
  }
  auto version = registration->active;
  if (version->state == VersionState::kActivating) {
    Waiter<bool> activated(context_.executor);
    version->awaiting_activation.push_back(activated);
    if (!co_await activated.Get()) {
      finish(DispatchOutcome::Kind::kNotStarted, "the service worker did not become active");
      co_return outcome;
    }
  }
  auto dispatched = co_await Dispatch(version, std::move(event), std::move(options));
  outcome.handler_started_us = dispatched.result.handler_started_us;
  std::string error = dispatched.result.error;
  switch (dispatched.result.kind) {
    case EventResult::Kind::kSucceeded:
      finish(DispatchOutcome::Kind::kSucceeded, "");
      break;
    case EventResult::Kind::kRejected:
      finish(DispatchOutcome::Kind::kRejected, std::move(error));
      break;
    case EventResult::Kind::kTimeout:
      finish(DispatchOutcome::Kind::kTimeout, std::move(error));
      break;
    case EventResult::Kind::kProcessDied: {
      bool ours = dispatched.result.ours || context_.stopping || registration->unregistered;
      finish(ours ? DispatchOutcome::Kind::kNotStarted : DispatchOutcome::Kind::kFailed, std::move(error));
      break;
    }
  }
  // "If registration is stale, Soft Update": off the event's path.
  if (!context_.stopping) context_.jobs->SoftUpdateIfStale(registration);
  co_return outcome;
}

void Runner::Stop(Version& version, const std::string& why) {
  if (version.process) version.process->Kill(ExitReport::Reason::kStopped, why);
}

void Runner::ArmIdleStop(const std::shared_ptr<Version>& version, Duration waited) {
  Clock& clock = context_.deps.clock;
  clock.Cancel(std::exchange(version->idle_timer, 0));
  Duration delay = version->stop_when_idle ? Duration(0) : context_.options.idle_stop;
  if (waited.count() > 0) delay = std::max(delay, kBodyPatience);
  std::weak_ptr<WorkerProcess> weak = version->process;
  version->idle_timer = clock.After(delay, [this, version, weak, waited, delay] {
    version->idle_timer = 0;
    auto process = weak.lock();
    if (!process || process != version->process || version->events_pending > 0) return;
    // Whoever is looked at stays until the tool has gone; then it is idle again.
    if (!process->idle_but_for_bodies() || process->inspector().attached()) return;
    // A body that it sends keeps it alive no longer than an event would.
    if (!process->idle() && waited < context_.options.event_limit) {
      return ArmIdleStop(version, waited + std::max(delay, kBodyPatience));
    }
    process->Kill(ExitReport::Reason::kStopped, "was stopped: idle");
  });
}

void Runner::OnIdle(WorkerProcess& process, const std::shared_ptr<Version>& version) {
  if (version->process.get() != &process || version->events_pending > 0) return;
  ArmIdleStop(version);
  if (auto registration = context_.registry->ById(version->registration_id)) {
    context_.lifecycle->TryActivate(registration);
  }
}

void Runner::OnEnded(WorkerProcess& process, const std::shared_ptr<Version>& version,
                     const ExitReport& report) {
  if (version->process.get() == &process) {
    version->process = nullptr;
    version->stop_when_idle = false;
    context_.deps.clock.Cancel(std::exchange(version->idle_timer, 0));
  }
  if (report.reason != ExitReport::Reason::kStopped) {
    context_.Report(version->origin, version->registration_id,
                    fmt::format("service worker {} {}", version->script_url, report.text));
  }
  if (auto registration = context_.registry->ById(version->registration_id)) {
    context_.lifecycle->TryActivate(registration);
  }
}

}  // namespace vigil::host
