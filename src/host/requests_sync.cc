// SyncManager and PeriodicSyncManager: checks that need the host, then the sync service.
#include <utility>

#include "host/requests.h"

namespace vigil::host {
namespace {
constexpr char kNoActiveWorker[] = "Registration failed - no active Service Worker";

void ReplyTags(WorkerProcess& process, std::uint64_t id, const std::vector<std::string>& tags) {
  ipc::Reply reply;
  reply.set_id(id);
  auto* list = reply.mutable_tags();
  for (const auto& tag : tags) list->add_tags(tag);
  process.Reply(std::move(reply));
}
}  // namespace

void Requests::OnSyncRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request) {
  using R = ipc::Request;
  std::uint64_t id = request.id();
  auto registration = RegistrationOf(process, owner, request.registration_id());
  bool active = registration && registration->active;
  switch (request.body_case()) {
    case R::kSyncRegister:
    case R::kPeriodicRegister: {
      if (!active || context_.sync == nullptr)
        return ReplyFailure(process, id, "InvalidStateError", kNoActiveWorker);
      if (request.body_case() == R::kSyncRegister) {
        return RegisterSync(process, id, SyncKind::kOneShot, *registration, request.sync_register().tag(), 0);
      }
      std::int64_t interval = request.periodic_register().min_interval_ms();
      if (interval < 0) {
        return process.Kill(ExitReport::Reason::kMisbehaved, "sent a negative interval and was killed");
      }
      return RegisterSync(process, id, SyncKind::kPeriodic, *registration, request.periodic_register().tag(),
                          interval);
    }
    case R::kSyncGetTags:
    case R::kPeriodicGetTags: {
      if (!active || context_.sync == nullptr) return ReplyTags(process, id, {});
      bool periodic = request.body_case() == R::kPeriodicGetTags;
      return GetSyncTags(process, id, periodic ? SyncKind::kPeriodic : SyncKind::kOneShot, *registration);
    }
    default: {
      if (!active || context_.sync == nullptr) return ReplyOk(process, id);
      auto shared = process.shared_from_this();
      context_.sync->Unregister(registration->id, request.periodic_unregister().value(),
                                [shared, id](ScriptResult<> result) {
                                  if (result) return ReplyOk(*shared, id);
                                  ReplyFailure(*shared, id, result.error().name, result.error().message);
                                });
    }
  }
}

void Requests::RegisterSync(WorkerProcess& process, std::uint64_t id, SyncKind kind,
                            const Registration& registration, std::string tag, std::int64_t min_interval_ms) {
  // The longest that a script can ask for. Its microseconds fit just so.
  constexpr std::int64_t kLongest = (std::int64_t{1} << 53) - 1;
  SyncRegisterCall call;
  call.kind = kind;
  call.registration_id = registration.id;
  call.origin = registration.origin;
  call.tag = tag;
  call.min_interval = std::chrono::milliseconds(std::min(min_interval_ms, kLongest));
  call.caller = process.id();
  auto shared = process.shared_from_this();
  auto done = [this, shared, id, kind, tag = std::move(tag),
               registration_id = registration.id](ScriptResult<> result) {
    if (!result) return ReplyFailure(*shared, id, result.error().name, result.error().message);
    if (kind == SyncKind::kOneShot) {
      // A process that ended meanwhile acknowledges nothing: it was told off to the service already.
      if (!shared->doomed()) unacknowledged_.emplace(std::make_pair(shared->id(), tag), registration_id);
    }
    ReplyOk(*shared, id);
  };
  context_.sync->Register(std::move(call), std::move(done));
}

void Requests::GetSyncTags(WorkerProcess& process, std::uint64_t id, SyncKind kind,
                           const Registration& registration) {
  auto shared = process.shared_from_this();
  context_.sync->GetTags(kind, registration.id, [shared, id](ScriptResult<std::vector<std::string>> tags) {
    if (tags) return ReplyTags(*shared, id, *tags);
    ReplyFailure(*shared, id, tags.error().name, tags.error().message);
  });
}

void Requests::OnSyncAcknowledge(WorkerProcess& process, const ipc::SyncAcknowledge& acknowledge) {
  const std::string& tag = acknowledge.tag();
  if (context_.sync == nullptr) return;
  auto [from, to] = unacknowledged_.equal_range({process.id(), tag});
  for (auto it = from; it != to; ++it) {
    if (it->second != acknowledge.registration_id()) continue;
    unacknowledged_.erase(it);
    return context_.sync->Acknowledge(acknowledge.registration_id(), tag, process.id());
  }
}

}  // namespace vigil::host
