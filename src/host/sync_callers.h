// Who waits for an answer of the engine, and whose one-shot registrations wait to be acknowledged: they may
// fire once their caller has seen its promise resolve, or is gone. Event-loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "host/ports.h"
#include "vigil/engine.h"

namespace vigil::host {

class SyncCallers {
 public:
  // Registration and tag may fire from now on.
  using Acknowledged = std::function<void(std::uint64_t registration_id, std::string tag)>;

  explicit SyncCallers(Acknowledged acknowledged) : acknowledged_(std::move(acknowledged)) {}
  SyncCallers(const SyncCallers&) = delete;
  SyncCallers& operator=(const SyncCallers&) = delete;

  // The token is for the engine, which replies with it.
  ReplyToken Add(SyncService::Done done);
  ReplyToken Add(SyncService::TagsDone done);
  // register(): a one-shot one is to be acknowledged.
  ReplyToken Add(const SyncRegisterCall& call, SyncService::Done done);

  void Answer(effect::Reply reply);
  void Acknowledge(std::uint64_t registration_id, const std::string& tag, std::uint64_t caller);
  void Gone(std::uint64_t caller);

 private:
  struct Caller {
    SyncService::Done done;
    SyncService::TagsDone tags_done;
    bool acknowledges = false;
    bool gone = false;
    std::uint64_t id = 0;
    std::uint64_t registration_id = 0;
    std::string tag;
  };
  ReplyToken Add(Caller caller);

  Acknowledged acknowledged_;
  ReplyToken last_token_ = 0;
  std::unordered_map<ReplyToken, Caller> callers_;
  // Durable registrations whose caller has not said yet that it saw its promise resolve, by caller.
  std::map<std::uint64_t, std::set<std::pair<std::uint64_t, std::string>>> unacknowledged_;
};

}  // namespace vigil::host
