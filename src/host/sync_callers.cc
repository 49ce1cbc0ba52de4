#include "host/sync_callers.h"

namespace vigil::host {

ReplyToken SyncCallers::Add(Caller caller) {
  callers_.emplace(++last_token_, std::move(caller));
  return last_token_;
}

ReplyToken SyncCallers::Add(SyncService::Done done) {
  Caller caller;
  caller.done = std::move(done);
  return Add(std::move(caller));
}

ReplyToken SyncCallers::Add(SyncService::TagsDone done) {
  Caller caller;
  caller.tags_done = std::move(done);
  return Add(std::move(caller));
}

ReplyToken SyncCallers::Add(const SyncRegisterCall& call, SyncService::Done done) {
  Caller caller;
  caller.done = std::move(done);
  if (call.kind == SyncKind::kOneShot) {
    caller.id = call.caller;
    caller.registration_id = call.registration_id;
    caller.tag = call.tag;
    caller.acknowledges = true;
  }
  return Add(std::move(caller));
}

void SyncCallers::Answer(effect::Reply reply) {
  const auto found = callers_.find(reply.token);
  if (found == callers_.end()) return;
  Caller caller = std::move(found->second);
  callers_.erase(found);
  if (caller.acknowledges && !reply.error) {
    if (caller.gone) {
      acknowledged_(caller.registration_id, caller.tag);
    } else {
      unacknowledged_[caller.id].insert({caller.registration_id, caller.tag});
    }
  }
  if (caller.tags_done) {
    if (reply.error) {
      caller.tags_done(tl::unexpected(ScriptError{reply.error->name, reply.error->message}));
    } else {
      caller.tags_done(std::move(reply.tags));
    }
  } else if (caller.done) {
    if (reply.error) {
      caller.done(tl::unexpected(ScriptError{reply.error->name, reply.error->message}));
    } else {
      caller.done(ScriptResult<>());
    }
  }
}

void SyncCallers::Acknowledge(std::uint64_t registration_id, const std::string& tag, std::uint64_t caller) {
  if (const auto found = unacknowledged_.find(caller); found != unacknowledged_.end()) {
    found->second.erase({registration_id, tag});
    if (found->second.empty()) unacknowledged_.erase(found);
  }
  acknowledged_(registration_id, tag);
}

void SyncCallers::Gone(std::uint64_t id) {
  for (auto& [token, caller] : callers_) {
    if (caller.acknowledges && caller.id == id) caller.gone = true;
  }
  const auto found = unacknowledged_.find(id);
  if (found == unacknowledged_.end()) return;
  const auto keys = std::move(found->second);
  unacknowledged_.erase(found);
  for (const auto& [registration_id, tag] : keys) acknowledged_(registration_id, tag);
}

}  // namespace vigil::host
