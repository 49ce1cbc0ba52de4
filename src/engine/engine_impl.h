// The engine's inside. One class, four files: engine.cc (inputs, clocks, network), engine_register.cc (what
// callers ask), engine_fire.cc (starting and finishing events), engine_store.cc (persisting, replies held
// back). explain.cc turns the reasons into words.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/due_queue.h"
#include "engine/parameter_names.h"
#include "engine/registry.h"
#include "vigil/engine.h"

namespace vigil {

class Engine::Impl {
 public:
  Impl(const Parameters& parameters, Ports ports) : parameters_(WithinReason(parameters)), ports_(ports) {}

  Effects Step(const Input& input, Now now);
  std::optional<MonoTime> next_wake() const;

  const Entry* Find(const RegistrationKey& key) const;
  RegistrationView View(const Entry& entry, Now now) const;
  Explanation Explain(const Entry& entry, Now now) const;

  const Registry& registry() const { return registry_; }
  const Parameters& parameters() const { return parameters_; }
  std::size_t firing() const { return running_.size(); }
  bool EmulatedOffline(WorkerRegistrationId id) const { return emulated_offline_.count(id) != 0; }
  StoreStatus store_status() const;

 private:
  // A reply, and what is logged with it, that must not go out before its batch is on disk.
  struct Held {
    ReplyToken token = 0;
    SyncKind kind = SyncKind::kOneShot;  // chooses the error's words
    std::vector<effect::Record> records;
  };
  struct Batch {
    std::vector<RegistrationKey> keys;
    std::vector<Held> held;
    bool recovery = false;
  };
  struct Running {
    Entry* entry = nullptr;  // nullptr: removed meanwhile
    std::string origin;
    std::uint64_t outages = 0;
    MonoTime give_up{};  // nothing is expected to be heard of it after this
  };
  using Runs = std::map<DispatchToken, Running>;  // oldest first
  // The events of one origin, while any runs or waits behind one.
  struct Lane {
    std::size_t running = 0;
    std::set<Entry*, StartOrder> waiting;  // ready, but max_parallel_events_per_origin are running
  };

  // --- inputs (engine.cc)
  void On(const input::Restore& in);
  void On(const input::Acknowledge& in);
  void On(const input::NetworkChanged& in);
  void On(const input::PermissionChanged& in);
  void On(const input::AppInstalled& in);
  void On(const input::AppUninstalled& in);
  void On(const input::EngagementChanged& in);
  void On(const input::WorkerRegistrationDeleted& in);
  void On(const input::OriginCleared& in);
  void On(const input::EmulateOffline& in);
  void On(const input::Tick& in);
  void NoticeClocks();
  void NoticeNetwork();
  void RestoreOne(const RegistrationRecord& record);
  void RevisePermissions(Origin& origin);
  template <class Fn>
  void ForEachOfOrigin(Origin& origin, Fn fn);

  // --- callers (engine_register.cc)
  void On(const input::Register& in);
  void On(const input::Unregister& in);
  void On(const input::GetTags& in);
  std::optional<DomError> Refusal(const input::Register& in) const;
  void Create(const input::Register& in);
  void ReregisterOneShot(const input::Register& in, Entry& entry);
  void ReregisterPeriodic(const input::Register& in, Entry& entry);
  void ChangeInterval(const input::Register& in, Entry& entry);
  void ReplyWhenStored(ReplyToken token, const Entry& entry);

  // --- events (engine_fire.cc)
  void On(const input::DispatchFinished& in);
  void RunDue();
  // Ends the bookkeeping of a run, and lets the next of its origin have its place.
  Running EndRun(Runs::iterator run);
  void LetNextOfLane(const std::string& origin);
  void Wake(Entry& entry);
  void Fire(Entry& entry);
  void TakeSlot(Entry& entry);
  void NotStarted(Entry& entry, const std::string& why);
  void ForgetSilentRuns();
  void FinishOneShot(Entry& entry, DispatchOutcome outcome, bool reregistered, bool lost_network);
  void FinishPeriodic(Entry& entry, DispatchOutcome outcome, bool reregistered, bool lost_network);
  void StartPeriod(Entry& entry);
  void AwaitRetry(Entry& entry, bool lost_network);
  bool MayHurry(const Entry& entry) const;
  void Hurry(Entry& entry);
  // Waits `wait` from now, or is suspended.
  void Schedule(Entry& entry, std::optional<Duration> wait);
  // The wait until the next first attempt, `passed` of the interval being over already; nullopt: suspended.
  std::optional<Duration> NextPeriod(const Entry& entry, Duration passed = Duration::zero()) const;
  Duration NextRetry(const Entry& entry);
  // Finds the right place for an idle entry.
  void Settle(Entry& entry);
  void TakeOut(Entry& entry);
  void Queue(Entry& entry, MonoTime wake);
  void UnblockAll();
  void Remove(Entry& entry);  // from memory and, with this step's batch, from the store
  void Drop(Entry& entry);    // from memory only

  // --- the store (engine_store.cc)
  void On(const input::Persisted& in);
  void On(const input::StoreFailed& in);
  void On(const input::StoreRecovered& in);
  void Touch(Entry& entry);
  void Flush();
  void ProbeStore();
  void ReplyWithBatch(Held held);
  void ReplyWhenRemoved(ReplyToken token);
  void Reply(ReplyToken token, std::optional<DomError> error = std::nullopt,
             std::vector<std::string> tags = {});
  RegistrationRecord RecordOf(const Entry& entry) const;
  bool usable() const { return !parameters_.disabled && store_ok_; }

  // --- reasons (explain.cc)
  // Why the entry is not running; kReady when nothing is in its way. The one place that knows.
  WaitReason Why(const Entry& entry, Now now) const;
  std::optional<WallTime> NextTime(const Entry& entry, WaitReason reason, Now now) const;
  bool Permitted(const std::string& origin, SyncKind kind) const;
  bool InstalledEnough(const std::string& origin, SyncKind kind) const;
  bool AllPlacesTaken() const;
  bool LaneIsFull(const std::string& origin) const;
  // May this first attempt of a period start only in a later slot? Then the time of that slot.
  std::optional<MonoTime> LaterSlot(const Entry& entry, MonoTime now) const;

  // --- log lines (engine_fire.cc)
  effect::Record LogLine(const Entry& entry, const char* name,
                         std::vector<std::pair<std::string, std::string>> metadata = {}) const;
  void Log(const Entry& entry, const char* name,
           std::vector<std::pair<std::string, std::string>> metadata = {});

  Parameters parameters_;
  Ports ports_;
  Registry registry_;
  DueQueue<Entry> queue_;                   // entries that wait for a time, and those that run
  std::set<Entry*, StartOrder> due_;        // to be looked at in this step, or queued behind the cap
  std::set<Entry*, StartOrder> blocked_;    // due, but a condition is missing
  std::set<Entry*, StartOrder> hurryable_;  // wait for a retry that the network's return hurries
  Runs running_;
  std::map<std::string, Lane, std::less<>> lanes_;  // by origin
  std::map<WorkerRegistrationId, int> emulated_offline_;
  DispatchToken last_token_ = 0;
  std::optional<MonoTime> slot_start_;  // of the newest slot of periodic events, over all origins
  std::uint64_t outages_ = 0;           // times the network went away
  bool online_ = false;
  bool restoring_ = false;  // more stored registrations are to come

  // The batch that this step is collecting.
  BatchNumber next_batch_ = 1;
  std::vector<RecordChange> changes_;
  std::vector<Held> held_;
  std::map<BatchNumber, Batch> in_flight_;
  bool store_ok_ = true;
  bool probing_ = false;
  std::string store_message_;
  std::optional<MonoTime> store_retry_at_;
  std::set<RegistrationKey> dirty_;  // changed in memory while the store was down

  // This step.
  Now now_;
  Effects effects_;
  std::optional<Duration> clock_offset_;  // calendar minus monotonic, as of the last jump
};

// Words of the rejections.
DomError UnusableError(SyncKind kind);
// "86400000", or "infinite" for nullopt.
std::string DelayText(std::optional<Duration> delay);
// One sentence, for Explanation.
std::string Sentence(const Entry& entry, WaitReason reason, std::optional<WallTime> next,
                     const std::string& store_message);

}  // namespace vigil
