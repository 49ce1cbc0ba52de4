#include "host/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "host/host_impl.h"
#include "host/storage_thread.h"
#include "net/fetcher.h"

namespace vigil::host {
namespace asio = boost::asio;

Host::Host(HostDependencies dependencies, HostOptions options)
    : impl_(std::make_unique<HostImpl>(dependencies, std::move(options))) {}
Host::~Host() = default;

void Host::SetSyncService(SyncService& service) { impl_->context.sync = &service; }
void Host::SetConsoleSink(ConsoleSink sink) { impl_->context.console_sink = std::move(sink); }
void Host::SetReportSink(std::function<void(const HostReport&)> sink) {
  impl_->context.report_sink = std::move(sink);
}

void Host::SetRegistrationObserver(RegistrationObserver observer) {
  if (!observer) {
    impl_->context.registration_changed = nullptr;
    return;
  }
  impl_->context.registration_changed = [this, observer = std::move(observer)](const Registration& changed) {
    observer(impl_->ViewOf(changed), changed.unregistered);
  };
}

asio::awaitable<Result<>> Host::Start() { return impl_->Start(); }

asio::awaitable<void> Host::Stop() {
  impl_->context.stopping = true;
  co_await impl_->processes.StopAll();
  // What waits for the storage thread belongs to this host: it resumes before the host goes.
  asio::steady_timer pause(impl_->context.executor);
  for (int i = 0; i < 1000 && impl_->context.deps.storage.pending() > 0; ++i) {
    pause.expires_after(std::chrono::milliseconds(5));
    co_await pause.async_wait(asio::use_awaitable);
  }
}

// ---------------------------------------------------------------------------------------------------- apps
asio::awaitable<Result<AppView>> Host::Install(std::string url, ConsoleSink console) {
  return impl_->apps.Install(std::move(url), std::move(console));
}
asio::awaitable<Result<AppView>> Host::Remove(std::string url) { return impl_->apps.Remove(std::move(url)); }
std::vector<AppView> Host::Apps() const { return impl_->apps.List(); }

// ---------------------------------------------------------------------------------------------------- pages
namespace {
Error NoPage(const std::string& id) {
  return Error{ErrorCode::kNotFound, fmt::format("no page {} is open (see `vigil page list`)", id)};
}
}  // namespace

asio::awaitable<Result<OpenedPage>> Host::OpenPage(std::string url, PageOptions options,
                                                   ConsoleSink console) {
  return impl_->pages.Open(std::move(url), std::move(options), std::move(console));
}

asio::awaitable<Result<EvaluateOutcome>> Host::EvaluateInPage(std::string id, std::string code,
                                                              std::string name) {
  auto page = impl_->pages.InWindow(id);
  if (!page) co_return Fail(NoPage(id));
  co_return co_await impl_->pages.Evaluate(page, std::move(code), std::move(name));
}

asio::awaitable<Result<bool>> Host::InputToPage(std::string id, std::string kind) {
  static constexpr std::array kKinds = {"key", "mouse", "touch", "scroll", "media", "show", "hide"};
  if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end()) {
    co_return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("\"{}\" is nothing a user does to a page: choose {}", kind, fmt::join(kKinds, ", ")));
  }
  auto page = impl_->pages.InWindow(id);
  if (!page || !page->process) co_return Fail(NoPage(id));
  co_return impl_->pages.Input(*page, std::move(kind));
}

asio::awaitable<Result<>> Host::ClosePage(std::string id) {
  auto page = impl_->pages.InWindow(id);
  if (!page) co_return Fail(NoPage(id));
  impl_->pages.Close(page);
  co_return Result<>();
}

std::vector<PageView> Host::Pages() const {
  std::vector<PageView> views;
  for (const auto& page : impl_->pages.OfOrigin({})) views.push_back(impl_->pages.View(*page));
  return views;
}

// ----------------------------------------------------------------------------------------------------
// workers
asio::awaitable<Result<RegistrationView>> Host::StartWorker(std::string url) {
  auto registration = impl_->apps.FindRegistration(url);
  if (!registration) co_return Fail(registration.error());
  auto target = *registration;
  auto version = target->active ? target->active : target->Newest();
  if (!version)
    co_return Fail(ErrorCode::kUnavailable, fmt::format("{} has no service worker yet", target->scope));
  auto started = co_await impl_->runner.EnsureRunning(version);
  if (!started.ok) {
    co_return Fail(ErrorCode::kAborted, fmt::format("the service worker {} did not start: {}",
                                                    version->script_url, FirstLine(started.error)));
  }
  co_return impl_->ViewOf(*target);
}

asio::awaitable<Result<RegistrationView>> Host::StopWorker(std::string url) {
  auto registration = impl_->apps.FindRegistration(url);
  if (!registration) co_return Fail(registration.error());
  auto target = *registration;
  for (const auto& version : {target->active, target->waiting, target->installing}) {
    if (version) impl_->runner.Stop(*version, "was stopped by its user");
  }
  co_return impl_->ViewOf(*target);
}

asio::awaitable<Result<RegistrationView>> Host::UpdateWorker(std::string url) {
  auto registration = impl_->apps.FindRegistration(url);
  if (!registration) co_return Fail(registration.error());
  auto target = *registration;
  auto updated = co_await impl_->jobs.Update(target, true);
  if (!updated.registration) {
    co_return Fail(ErrorCode::kAborted, fmt::format("the service worker of {} was not updated: {}",
                                                    target->scope, updated.error.Told()));
  }
  co_return impl_->ViewOf(*target);
}

Result<> Host::SkipWaiting(std::string_view url) {
  auto registration = impl_->apps.FindRegistration(url);
  if (!registration) return Fail(registration.error());
  if (const auto waiting = (*registration)->waiting) impl_->lifecycle.SkipWaiting(waiting);
  return {};
}

void Host::ForceUpdateOnPageLoad(bool force) { impl_->context.force_update_on_page_load = force; }

asio::awaitable<Result<>> Host::Unregister(std::string url) {
  auto registration = impl_->apps.FindRegistration(url);
  if (!registration) co_return Fail(registration.error());
  impl_->jobs.Remove(*registration);
  co_return Result<>();
}

std::vector<RegistrationView> Host::Registrations() const {
  std::vector<RegistrationView> views;
  for (const auto& registration : impl_->registry.All()) views.push_back(impl_->ViewOf(*registration));
  return views;
}

Result<RegistrationView> Host::FindRegistration(std::string_view url) const {
  auto registration = impl_->apps.FindRegistration(url);
  if (!registration) return Fail(registration.error());
  return impl_->ViewOf(**registration);
}

Result<std::string> Host::FindOrigin(std::string_view url) const { return impl_->apps.FindOrigin(url); }

// ---------------------------------------------------------------------------------------------------- sync
// events
bool Host::CanDispatch(std::uint64_t registration_id) const {
  auto registration = impl_->registry.ById(registration_id);
  return registration && registration->active && !impl_->context.stopping;
}

void Host::DispatchSyncEvent(SyncEvent event, Done done) {
  auto run = [](Host* self, SyncEvent what, Done finished) -> asio::awaitable<void> {
    DispatchOutcome outcome;
    if (what.kind == SyncKind::kOneShot) {
      outcome = co_await self->DispatchSync(what.registration_id, what.tag, what.last_chance, what.limit);
    } else {
      outcome = co_await self->DispatchPeriodicSync(what.registration_id, what.tag, what.limit);
    }
    finished(std::move(outcome));
  };
  impl_->context.Spawn(run(this, std::move(event), std::move(done)));
}

asio::awaitable<DispatchOutcome> Host::DispatchSync(std::uint64_t registration_id, std::string tag,
                                                    bool last_chance, Duration limit) {
  ipc::Event event;
  event.mutable_sync()->set_tag(std::move(tag));
  event.mutable_sync()->set_last_chance(last_chance);
  Runner::DispatchOptions options;
  options.limit = limit.count() > 0 ? limit : impl_->context.options.sync_event_limit;
  options.kill_on_timeout = false;
  return impl_->runner.DispatchFunctional(registration_id, std::move(event), std::move(options));
}

asio::awaitable<DispatchOutcome> Host::DispatchPeriodicSync(std::uint64_t registration_id, std::string tag,
                                                            Duration limit) {
  ipc::Event event;
  event.mutable_periodic_sync()->set_tag(std::move(tag));
  Runner::DispatchOptions options;
  options.limit = limit.count() > 0 ? limit : impl_->context.options.sync_event_limit;
  options.kill_on_timeout = false;
  return impl_->runner.DispatchFunctional(registration_id, std::move(event), std::move(options));
}

asio::awaitable<DispatchOutcome> Host::DispatchPush(std::uint64_t registration_id,
                                                    std::optional<std::string> data) {
  ipc::Event event;
  event.mutable_push();
  if (data) event.mutable_push()->set_data(std::move(*data));
  Runner::DispatchOptions options;
  options.kill_on_timeout = false;
  return impl_->runner.DispatchFunctional(registration_id, std::move(event), std::move(options));
}

// ---------------------------------------------------------------------------------------------------- the
// rest
Result<std::vector<NotificationView>> Host::Notifications(std::string_view url) const {
  if (url.empty()) return impl_->notifications.List({});
  auto origin = impl_->apps.FindOrigin(url);
  if (!origin) return Fail(origin.error());
  return impl_->notifications.List(*origin);
}

asio::awaitable<Result<DispatchOutcome>> Host::ClickNotification(std::string id, std::string action) {
  return impl_->notifications.Click(std::move(id), std::move(action));
}
asio::awaitable<Result<DispatchOutcome>> Host::CloseNotification(std::string id) {
  return impl_->notifications.Close(std::move(id));
}

// ---------------------------------------------------------------------------------------------------- tools
void Host::SetInspectorObserver(InspectorObserver observer) {
  impl_->context.inspector_observer = std::move(observer);
}

std::vector<InspectorTarget> Host::InspectorTargets() const {
  std::vector<InspectorTarget> targets;
  impl_->processes.ForEach({}, [&](WorkerProcess& process, const ProcessOwner& owner) {
    if (!process.doomed()) targets.push_back(TargetOf(process, owner));
  });
  return targets;
}

Result<std::unique_ptr<InspectorSession>> Host::Inspect(std::uint64_t process, InspectorHandlers handlers,
                                                        bool wait_for_debugger) {
  const auto found = impl_->processes.ById(process);
  if (!found || found->doomed()) {
    return Fail(ErrorCode::kNotFound, fmt::format("process {} of a worker has ended", process));
  }
  const std::uint64_t number =
      found->inspector().Attach(std::move(handlers), wait_for_debugger && !found->start_sent());
  return std::make_unique<InspectorSession>(found, number);
}

void Host::PermissionsChanged(const std::string& origin, const std::string& name) {
  impl_->processes.ForEach(origin, [&](WorkerProcess& process, const ProcessOwner&) {
    auto state = impl_->context.deps.permissions.Query(process.origin(), name);
    if (!state) return;
    ipc::ToWorker message;
    message.mutable_permission()->set_name(name);
    message.mutable_permission()->set_state(PermissionStateName(*state));
    process.Send(std::move(message));
  });
}

asio::awaitable<Result<>> Host::ClearOrigin(std::string origin) {
  for (const auto& page : impl_->pages.OfOrigin(origin)) impl_->pages.Close(page);
  impl_->jobs.RemoveAll(origin);
  if (impl_->context.sync != nullptr) impl_->context.sync->OriginCleared(origin);
  impl_->notifications.OriginCleared(origin);
  impl_->context.deps.fetcher.ClearOrigin(origin);
  auto local = co_await impl_->local_storage.Clear(origin);
  auto scripts = co_await impl_->storage.Clear(origin);
  if (!local) co_return Fail(local.error());
  co_return scripts;
}

asio::awaitable<Result<Host::StorageUsage>> Host::Usage(std::string origin) {
  auto measured = co_await impl_->storage.Measure(std::move(origin));
  StorageUsage usage;
  usage.usage = measured.total();
  usage.quota = static_cast<std::uint64_t>(impl_->context.options.caps.quota_bytes);
  usage.indexed_db = measured.indexed_db;
  usage.caches = measured.caches;
  co_return usage;
}

}  // namespace vigil::host
