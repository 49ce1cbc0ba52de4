#include "host/requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"
#include "host/apps.h"
#include "host/fetch_router.h"
#include "host/local_storage.h"
#include "host/locks.h"
#include "host/notifications.h"
#include "host/pages.h"
#include "host/port_hub.h"
#include "host/registry.h"
#include "host/script_storage.h"
#include "host/web_sockets.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
constexpr std::size_t kMaxConsoleText = 64 * 1024;
constexpr std::size_t kMaxConsoleSource = 4 * 1024;
constexpr std::array kLevels = {"log", "info", "warn", "error", "debug"};
}  // namespace

void ReplyOk(WorkerProcess& process, std::uint64_t request_id) {
  ipc::Reply reply;
  reply.set_id(request_id);
  reply.mutable_ok();
  process.Reply(std::move(reply));
}

void ReplyFailure(WorkerProcess& process, std::uint64_t request_id, std::string name, std::string message) {
  ipc::Reply reply;
  reply.set_id(request_id);
  reply.mutable_failure()->set_name(std::move(name));
  reply.mutable_failure()->set_message(std::move(message));
  process.Reply(std::move(reply));
}

void Requests::OnMessage(WorkerProcess& process, const ProcessOwner& owner, ipc::ToDaemon message) {
  switch (message.body_case()) {
    case ipc::ToDaemon::kRequest:
      if (!process.BeginRequest(message.request())) return;
      return OnRequest(process, owner, std::move(*message.mutable_request()));
    case ipc::ToDaemon::kConsole:
      return OnConsole(process, owner, message.console());
    case ipc::ToDaemon::kCancelRequest:
      if (context_.locks->Release(process, message.cancel_request())) return;
      return context_.router->OnCancel(process, message.cancel_request());
    case ipc::ToDaemon::kBroadcast:
      return Broadcast(process, std::move(*message.mutable_broadcast()));
    case ipc::ToDaemon::kPort:
      return context_.ports->OnFrame(process.id(), process.origin(), std::move(*message.mutable_port()));
    case ipc::ToDaemon::kSyncAcknowledge:
      return OnSyncAcknowledge(process, message.sync_acknowledge());
    case ipc::ToDaemon::kWebSocket:
      return context_.web_sockets->OnCall(process, owner, std::move(*message.mutable_web_socket()));
    case ipc::ToDaemon::kDocument:
      if (owner.page) context_.pages->OnDocument(*owner.page, message.document());
      return;
    default:
      return;
  }
}

void Requests::Broadcast(WorkerProcess& process, ipc::BroadcastMessage broadcast) {
  bool may = true;
  context_.processes->ForEach(process.origin(), [&](WorkerProcess& other, const ProcessOwner&) {
    may = may && (&other == &process || process.MaySendTo(other));
  });
  if (!may) return;
  ipc::ToWorker forward;
  *forward.mutable_broadcast() = std::move(broadcast);
  context_.processes->SendToOrigin(process.origin(), forward, process.id());
}

void Requests::OnConsole(WorkerProcess& process, const ProcessOwner& owner, const ipc::Console& said) {
  const auto verdict = process.CountConsoleLine();
  if (verdict == Allowance::Console::kDrop) return;
  ipc::Console line;
  const bool known = std::find(kLevels.begin(), kLevels.end(), said.level()) != kLevels.end();
  line.set_level(known ? said.level() : "log");
  line.set_text(CutUtf8(said.text(), kMaxConsoleText));
  line.set_source(CutUtf8(said.source(), kMaxConsoleSource));
  if (verdict == Allowance::Console::kLastOne) {
    line.set_level("warn");
    line.set_text(fmt::format("too many console lines at once: after {} of them they are dropped",
                              context_.options.caps.console_lines));
    line.set_source("vigil");
  }
  if (owner.page) return context_.pages->OnConsole(*owner.page, line);
  if (!context_.console_sink) return;
  ConsoleLine shown;
  shown.level = line.level();
  shown.text = line.text();
  shown.source = line.source();
  shown.origin = process.origin();
  shown.registration_id = owner.version->registration_id;
  shown.version_id = owner.version->id;
  context_.console_sink(shown);
}

std::shared_ptr<Registration> Requests::RegistrationOf(const WorkerProcess& process,
                                                       const ProcessOwner& owner,
                                                       std::uint64_t registration_id) const {
  if (registration_id == 0 && owner.version) registration_id = owner.version->registration_id;
  auto registration = context_.registry->ById(registration_id);
  return registration && registration->origin == process.origin() ? registration : nullptr;
}

void Requests::OnRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request request) {
  using R = ipc::Request;
  std::uint64_t id = request.id();
  switch (request.body_case()) {
    case R::kFetch:
      return context_.router->OnFetch(process, owner, id, std::move(*request.mutable_fetch()));
    case R::kImportScript:
      return ImportScript(process.shared_from_this(), owner, id, request.import_script());
    case R::kIdb:
      return context_.storage->Idb(process, id, std::move(*request.mutable_idb()));
    case R::kCache:
      return context_.storage->Cache(process, id, std::move(*request.mutable_cache()));
    case R::kSyncRegister:
    case R::kSyncGetTags:
    case R::kPeriodicRegister:
    case R::kPeriodicGetTags:
    case R::kPeriodicUnregister:
      return OnSyncRequest(process, owner, request);
    case R::kContainerRegister:
    case R::kContainerGetRegistration:
    case R::kContainerGetRegistrations:
    case R::kRegistrationUpdate:
    case R::kRegistrationUnregister:
    case R::kSkipWaiting:
    case R::kNavigationPreload:
    case R::kAddRoutes:
      return OnRegistrationRequest(process, owner, request);
    case R::kClientsMatchAll:
    case R::kClientsGet:
    case R::kClientsOpenWindow:
    case R::kClientFocus:
    case R::kClientNavigate:
    case R::kClientsClaim:
    case R::kPostMessage:
      return OnClientRequest(process, owner, request);
    case R::kCookieGet:
    case R::kCookieSet:
    case R::kCookieSubscribe:
    case R::kCookieUnsubscribe:
    case R::kCookieGetSubscriptions:
      return OnCookieRequest(process, owner, request);
    case R::kLockRequest:
      return context_.locks->Request(process, owner, id, std::move(*request.mutable_lock_request()));
    case R::kLockQuery:
      return context_.locks->Query(process, id);
    default:
      return OnStorageRequest(process, owner, request);
  }
}

void Requests::OnStorageRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request) {
  using R = ipc::Request;
  std::uint64_t id = request.id();
  switch (request.body_case()) {
    case R::kPermissionQuery:
      return QueryPermission(process, id, request.permission_query().name());
    case R::kStorageEstimate:
      return context_.Spawn(Estimate(process.shared_from_this(), id));
    case R::kStoragePersist:
    case R::kStoragePersisted: {
      ipc::Reply reply;
      reply.set_id(id);
      reply.mutable_flag()->set_value(IsPersistent(process.origin()));
      return process.Reply(std::move(reply));
    }
    case R::kShowNotification:
    case R::kGetNotifications: {
      auto registration = RegistrationOf(process, owner, request.registration_id());
      bool active = registration && registration->active;
      if (request.body_case() == R::kGetNotifications) {
        Registration none;
        return context_.notifications->Get(process, id, registration ? *registration : none,
                                           request.get_notifications().tag());
      }
      if (!active) {
        return ReplyFailure(process, id, "TypeError",
                            "Failed to execute 'showNotification' on 'ServiceWorkerRegistration': No active "
                            "registration available on the ServiceWorkerRegistration.");
      }
      return context_.notifications->Show(process, id, *registration,
                                          std::move(*request.mutable_show_notification()));
    }
    case R::kCloseNotification:
      return context_.notifications->CloseByScript(process, id, request.close_notification().value());
    case R::kLocalStorage:
      if (!owner.page) return ReplyFailure(process, id, "SecurityError", "Only pages have web storage.");
      return context_.local_storage->Handle(process, owner.page, id,
                                            std::move(*request.mutable_local_storage()));
    default:
      return ReplyFailure(process, id, "NotSupportedError", "This call is not supported.");
  }
}

// permissions
void Requests::QueryPermission(WorkerProcess& process, std::uint64_t id, const std::string& name) {
  // The names that exist are checked in the worker. What a permission would be for and Vigil does not have
  // (geolocation, a camera …), nobody can grant.
  const auto state =
      context_.deps.permissions.Query(process.origin(), name).value_or(PermissionState::kDenied);
  ipc::Reply reply;
  reply.set_id(id);
  reply.mutable_permission()->set_state(PermissionStateName(state));
  process.Reply(std::move(reply));
}

// Vigil never evicts on its own, but promises it only to apps that were installed or have the permission.
bool Requests::IsPersistent(const std::string& origin) const {
  return context_.apps->IsInstalled(origin) ||
         context_.deps.permissions.Query(origin, "persistent-storage") == PermissionState::kGranted;
}

asio::awaitable<void> Requests::Estimate(Process process, std::uint64_t id) {
  auto usage = co_await context_.storage->Measure(process->origin());
  ipc::Reply reply;
  reply.set_id(id);
  auto* estimate = reply.mutable_estimate();
  estimate->set_usage(usage.total());
  estimate->set_quota(static_cast<std::uint64_t>(context_.options.caps.quota_bytes));
  estimate->set_usage_indexed_db(usage.indexed_db);
  estimate->set_usage_caches(usage.caches);
  process->Reply(std::move(reply));
}

void Requests::OnProcessEnded(WorkerProcess& process) {
  auto from = unacknowledged_.lower_bound({process.id(), std::string()});
  auto to = unacknowledged_.lower_bound({process.id() + 1, std::string()});
  unacknowledged_.erase(from, to);
  if (context_.sync) context_.sync->CallerGone(process.id());
}

void Requests::AllowWindow(std::uint64_t version_id, int change) {
  int& count = window_allowed_[version_id];
  count += change;
  if (count <= 0) window_allowed_.erase(version_id);
}

}  // namespace vigil::host
