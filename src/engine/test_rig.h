// For tests: an engine with a disk in memory and a hand-moved clock.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vigil/engine.h"
#include "vigil/memory_ports.h"

namespace vigil::testing {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

inline const std::string kShop = "https://shop.example";
inline const std::string kNews = "https://news.example";

class Rig {
 public:
  explicit Rig(const Parameters& parameters = {}) : parameters(parameters) {
    now.wall = WallTime(hours(24) * 20000);
    now.mono = MonoTime(hours(7));
    Restart();
  }

  // As after a crash: memory is gone, the disk is there, what was not written yet is lost.
  void Restart() {
    waiting.clear();
    open.clear();
    engine = std::make_unique<Engine>(parameters, Ports{policy, network, random});
    input::Restore restore;
    for (const auto& [key, record] : disk) restore.records.push_back(record);
    Step(restore);
  }

  void Step(const Input& input) {
    Handle(engine->Step(input, now));
    while (write_at_once && !waiting.empty()) Write();
  }

  // Writes the oldest batch, or fails to, and tells the engine.
  void Write() {
    const effect::Persist batch = std::move(waiting.front());
    waiting.pop_front();
    if (disk_full) {
      Handle(engine->Step(input::StoreFailed{batch.batch, "disk full"}, now));
      return;
    }
    for (const RecordChange& change : batch.changes) {
      if (change.op == RecordChange::Op::kPut) {
        disk[change.record.key] = change.record;
      } else {
        disk.erase(change.record.key);
      }
    }
    Handle(engine->Step(input::Persisted{batch.batch}, now));
  }

  // Moves both clocks, stopping wherever the engine wants to be woken.
  void Advance(Duration by) {
    const MonoTime end = now.mono + by;
    for (auto wake = engine->next_wake(); wake && *wake <= end; wake = engine->next_wake()) {
      if (*wake > now.mono) Move(*wake - now.mono);
      const MonoTime before = *wake;
      Step(input::Tick{});
      if (engine->next_wake() == before && before <= now.mono) break;  // the tests would hang
    }
    Move(end - now.mono);
    Step(input::Tick{});
  }
  void Move(Duration by) {
    now.wall += by;
    now.mono += by;
  }

  static RegistrationKey Sync(const std::string& tag, WorkerRegistrationId worker = 1) {
    return {worker, SyncKind::kOneShot, tag};
  }
  static RegistrationKey Periodic(const std::string& tag, WorkerRegistrationId worker = 1) {
    return {worker, SyncKind::kPeriodic, tag};
  }

  // The reply's token. One-shot calls are acknowledged as soon as they succeed unless `acknowledge` is off.
  ReplyToken Register(const RegistrationKey& key, const std::string& origin = kShop,
                      Duration min_interval = {}) {
    input::Register in;
    in.token = ++last_reply;
    in.key = key;
    in.origin = origin;
    if (key.kind == SyncKind::kPeriodic) {
      in.min_interval_ms = std::chrono::duration_cast<milliseconds>(min_interval).count();
    }
    in.has_window_client = window_open;
    in.has_active_worker = worker_active;
    Step(in);
    if (acknowledge && key.kind == SyncKind::kOneShot && Succeeded(in.token)) {
      Step(input::Acknowledge{key.worker_registration, key.tag});
    }
    return in.token;
  }
  std::string ErrorOf(ReplyToken token) const {
    const auto found = replies.find(token);
    if (found == replies.end()) return "no reply yet";
    return found->second.error ? found->second.error->name : "";
  }
  bool Succeeded(ReplyToken token) const { return ErrorOf(token).empty(); }
  ReplyToken Unregister(const std::string& tag, WorkerRegistrationId worker = 1) {
    Step(input::Unregister{++last_reply, worker, tag});
    return last_reply;
  }
  std::vector<std::string> Tags(SyncKind kind, WorkerRegistrationId worker = 1) {
    Step(input::GetTags{++last_reply, worker, kind});
    return replies.at(last_reply).tags;
  }

  // Ends the only event that runs under this key.
  void Finish(const RegistrationKey& key, DispatchOutcome outcome = DispatchOutcome::kSucceeded) {
    for (auto running = open.begin(); running != open.end(); ++running) {
      if (!(running->second == key)) continue;
      const DispatchToken token = running->first;
      open.erase(running);
      Step(input::DispatchFinished{token, outcome, ""});
      return;
    }
    throw std::logic_error("nothing runs under " + key.tag);
  }
  bool Runs(const RegistrationKey& key) const {
    for (const auto& [token, running] : open) {
      if (running == key) return true;
    }
    return false;
  }
  void GoOffline() {
    network.online = false;
    Step(input::NetworkChanged{});
  }
  void GoOnline() {
    network.online = true;
    Step(input::NetworkChanged{});
  }
  std::vector<std::string> DispatchedTags() const {
    std::vector<std::string> tags;
    for (const auto& dispatch : dispatched) tags.push_back(dispatch.key.tag);
    return tags;
  }
  std::string Reason(const RegistrationKey& key) const {
    const auto explanation = engine->Explain(key, now);
    return explanation ? WaitReasonName(explanation->reason) : "gone";
  }
  std::string State(const RegistrationKey& key) const {
    const auto explanation = engine->Explain(key, now);
    return explanation ? SyncStateName(explanation->state) : "gone";
  }
  // How long until its next time; -1 s when that is not a time.
  Duration Left(const RegistrationKey& key) const {
    const auto explanation = engine->Explain(key, now);
    if (!explanation || !explanation->next_time) return seconds(-1);
    return *explanation->next_time - now.wall;
  }
  // "Registered sync", "sync event failed [Next Attempt Delay (ms)=300000] [Failure Reason=timeout]" …
  std::vector<std::string> LogLines() const {
    std::vector<std::string> lines;
    for (const auto& record : log) {
      std::string line = record.event_name;
      for (const auto& [key, value] : record.metadata) line += " [" + key + "=" + value + "]";
      lines.push_back(line);
    }
    return lines;
  }

  Parameters parameters;
  MemoryPolicy policy;
  MemoryNetwork network;
  SeededRandom random;
  Now now;
  std::unique_ptr<Engine> engine;

  bool write_at_once = true;
  bool disk_full = false;
  bool acknowledge = true;
  bool window_open = true;
  bool worker_active = true;

  std::map<RegistrationKey, RegistrationRecord> disk;
  std::deque<effect::Persist> waiting;
  std::map<DispatchToken, RegistrationKey> open;  // running events
  std::vector<effect::Dispatch> dispatched;       // all there ever were
  std::map<ReplyToken, effect::Reply> replies;
  std::vector<effect::Record> log;
  ReplyToken last_reply = 0;

 private:
  void Handle(const Effects& effects) {
    for (const Effect& effect : effects) {
      if (const auto* persist = std::get_if<effect::Persist>(&effect)) {
        waiting.push_back(*persist);
      } else if (const auto* reply = std::get_if<effect::Reply>(&effect)) {
        replies[reply->token] = *reply;
      } else if (const auto* dispatch = std::get_if<effect::Dispatch>(&effect)) {
        dispatched.push_back(*dispatch);
        open[dispatch->token] = dispatch->key;
      } else {
        log.push_back(std::get<effect::Record>(effect));
      }
    }
  }
};

}  // namespace vigil::testing
