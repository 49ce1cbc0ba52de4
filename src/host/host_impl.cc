#include "host/host_impl.h"

#include <utility>

#include "net/fetcher.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {

WorkerView WorkerViewOf(const Version& version) {
  WorkerView view;
  view.version_id = version.id;
  view.script_url = version.script_url;
  view.state = VersionStateName(version.state);
  bool process = version.process && !version.process->doomed();
  view.running = !process ? (version.starting ? "starting" : "stopped")
                          : (version.process->running() ? "running" : "starting");
  view.pid = process ? version.process->pid() : 0;
  return view;
}

}  // namespace

InspectorTarget TargetOf(const WorkerProcess& process, const ProcessOwner& owner) {
  InspectorTarget target;
  target.process = process.id();
  target.pid = process.pid();
  target.running = process.running();
  target.paused = process.inspector().paused();
  target.origin = process.origin();
  if (owner.version) {
    target.url = owner.version->script_url;
    target.registration_id = owner.version->registration_id;
    target.version_id = owner.version->id;
  }
  if (owner.page) {
    target.url = owner.page->url;
    target.client_id = owner.page->id;
  }
  return target;
}

void HostContext::NoteChange(const Version& version) const {
  if (!registration_changed) return;
  if (const auto registration = registry->ById(version.registration_id)) registration_changed(*registration);
}

HostImpl::HostImpl(HostDependencies dependencies, HostOptions options)
    : context{dependencies, std::move(options), dependencies.loop.get_executor()},
      registry(dependencies.storage, dependencies.stores),
      processes(context),
      runner(context),
      lifecycle(context),
      jobs(context),
      storage(context),
      router(context),
      web_sockets(context),
      local_storage(context),
      locks(context),
      notifications(context),
      cookies(context),
      pages(context),
      ports([this](std::uint64_t process, ipc::PortFrame frame) { SendPort(process, std::move(frame)); },
            [this](std::uint64_t sender, std::uint64_t receiver) { return MaySend(sender, receiver); }),
      apps(context),
      requests(context) {
  context.registry = &registry;
  context.processes = &processes;
  context.runner = &runner;
  context.lifecycle = &lifecycle;
  context.jobs = &jobs;
  context.storage = &storage;
  context.router = &router;
  context.web_sockets = &web_sockets;
  context.local_storage = &local_storage;
  context.locks = &locks;
  context.notifications = &notifications;
  context.cookies = &cookies;
  context.pages = &pages;
  context.ports = &ports;
  context.apps = &apps;
  context.requests = &requests;
  Connect();
}

HostImpl::~HostImpl() {
  context.deps.fetcher.ObserveCookies({});
  context.processes = nullptr;
}

asio::awaitable<Result<>> HostImpl::Start() {
  auto zygote = co_await processes.Start();
  if (!zygote) co_return Fail(zygote.error());
  auto loaded = co_await registry.Load();
  if (!loaded) co_return Fail(loaded.error());
  auto shown = co_await notifications.Load();
  if (!shown) co_return Fail(shown.error());
  auto subscribed = co_await cookies.Load();
  if (!subscribed) co_return Fail(subscribed.error());
  for (const auto& registration : registry.All()) {
    if (context.sync != nullptr) context.sync->RegistrationKnown(registration->id, registration->origin);
  }
  auto apps_loaded = co_await apps.Load();
  if (!apps_loaded) co_return Fail(apps_loaded.error());
  for (const auto& registration : registry.All()) Resume(registration);
  co_return Result<>();
}

RegistrationView HostImpl::ViewOf(const Registration& registration) const {
  RegistrationView view;
  view.id = registration.id;
  view.scope = registration.scope;
  view.origin = registration.origin;
  view.update_via_cache = registration.update_via_cache;
  if (registration.installing) view.installing = WorkerViewOf(*registration.installing);
  if (registration.waiting) view.waiting = WorkerViewOf(*registration.waiting);
  if (registration.active) view.active = WorkerViewOf(*registration.active);
  view.last_update_check_us = registration.last_update_check.time_since_epoch().count();
  return view;
}

void HostImpl::Connect() {
  Processes::Handlers handlers;
  handlers.message = [this](WorkerProcess& process, const ProcessOwner& owner, ipc::ToDaemon message) {
    requests.OnMessage(process, owner, std::move(message));
  };
  handlers.idle = [this](WorkerProcess& process, const ProcessOwner& owner) {
    if (owner.version) runner.OnIdle(process, owner.version);
  };
  handlers.ended = [this](WorkerProcess& process, const ProcessOwner& owner, const ExitReport& report) {
    router.OnProcessEnded(process.id());
    web_sockets.OnProcessEnded(process.id());
    storage.ProcessEnded(process);
    locks.OnProcessEnded(process.id());
    ports.ProcessEnded(process.id());
    requests.OnProcessEnded(process);
    if (owner.version) runner.OnEnded(process, owner.version, report);
    if (owner.page) pages.OnEnded(owner.page, report);
    if (context.inspector_observer.ended) context.inspector_observer.ended(process.id());
    if (owner.version) context.NoteChange(*owner.version);
  };
  handlers.starting = [this](WorkerProcess& process, const ProcessOwner& owner) {
    if (context.inspector_observer.starting) context.inspector_observer.starting(TargetOf(process, owner));
    if (owner.version) context.NoteChange(*owner.version);
  };
  processes.SetHandlers(std::move(handlers));
  context.deps.fetcher.ObserveCookies([this](const std::string& origin, const net::Cookie& cookie,
                                             bool removed) { cookies.OnChanged(origin, cookie, removed); });
}

void HostImpl::SendPort(std::uint64_t process, ipc::PortFrame frame) {
  auto target = processes.ById(process);
  if (!target) return;
  ipc::ToWorker message;
  *message.mutable_port() = std::move(frame);
  target->Send(std::move(message));
}

bool HostImpl::MaySend(std::uint64_t sender, std::uint64_t receiver) {
  const auto from = processes.ById(sender);
  const auto to = processes.ById(receiver);
  return !from || !to || from->MaySendTo(*to);
}

// What the last run of the daemon left unfinished: an activation that did not end is made again, a waiting
// worker finds no clients any more.
void HostImpl::Resume(const std::shared_ptr<Registration>& registration) {
  auto active = registration->active;
  if (active && active->state == VersionState::kActivating) {
    if (registration->waiting) lifecycle.MakeRedundant(registration, active);
    if (!registration->waiting) registration->waiting = active;
    registration->active = nullptr;
  }
  lifecycle.TryActivate(registration);
}

}  // namespace vigil::host
