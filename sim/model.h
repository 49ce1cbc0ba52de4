// What the engine ought to do, said a second time and simply: a plain list of registrations, and after every
// input one walk over all of them. Written from the behaviour (include/vigil, the specifications), with no
// code and no structure of the engine's, so that a mistake has to be made twice to pass.
//
// It is exact: the replies, starts, log lines and stored records of a step are foretold, not bounded. Three
// things it takes from the engine: the numbers of batches and dispatches, and when something that was taken
// away behind the engine's back (see Seen) was noticed, as long as nothing starts before.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/surroundings.h"
#include "vigil/engine.h"
#include "vigil/memory_ports.h"

namespace vigil::sim {

struct Reg {
  RegistrationRecord record;    // what ought to be on disk once everything is written
  std::optional<MonoTime> due;  // nullopt: suspended
  bool acknowledged = true;
  std::optional<MonoTime> acknowledge_by;
  std::int64_t own_faults = 0;
  DispatchToken running = 0;  // 0: idle
  bool again = false;         // registered again while it ran
  BatchNumber unstored = 0;   // the newest batch that holds it and is not on disk yet
  BatchNumber created_in = 0;

  const RegistrationKey& key() const { return record.key; }
  bool periodic() const { return record.key.kind == SyncKind::kPeriodic; }
  bool idle() const { return running == 0; }
};

struct Run {
  DispatchToken token = 0;
  RegistrationKey key;
  std::string origin;
  MonoTime give_up{};
  bool lost_network = false;  // the network went away meanwhile
};

// What has to come out of one step.
struct Said {
  struct Reply {
    ReplyToken token = 0;
    const char* error = nullptr;  // a DOMException's name
    std::vector<std::string> tags;
  };
  struct Start {
    RegistrationKey key;
    bool last_chance = false;
  };
  std::vector<Reply> replies;
  std::vector<Start> starts;
  std::vector<effect::Record> lines;
  std::vector<RecordChange> stored;  // the step's batch holds these; the newest change of a key counts
  bool batch = false;                // there is a batch (a probe may be empty)
};

// What the engine did in the step, as far as the model needs it.
struct Seen {
  BatchNumber batch = 0;  // 0: none
  std::vector<const effect::Dispatch*> dispatches;
  const std::vector<RecordChange>* changes = nullptr;
};

class Model {
 public:
  Model(const Parameters& parameters, const Surroundings& world, std::uint64_t jitter_seed)
      : parameters_(parameters), world_(world), jitter_(jitter_seed) {}

  const Said& Step(const Input& input, Now now, const Seen& seen);

  const std::vector<Reg>& regs() const { return regs_; }  // ascending by kind, worker, tag
  const Reg* Find(const RegistrationKey& key) const;
  std::size_t runs() const { return runs_.size(); }
  bool store_ok() const { return store_ok_; }
  bool emulated_offline(WorkerRegistrationId worker) const { return emulated_.count(worker) != 0; }
  std::optional<MonoTime> store_retry_at() const { return store_retry_at_; }
  bool all_stored() const { return store_ok_ && in_flight_.empty() && dirty_.empty(); }

  // For `now`, which no step has seen yet.
  WaitReason Why(const Reg& reg, Now now) const;
  SyncState StateOf(const Reg& reg, Now now) const;
  std::optional<WallTime> NextTime(const Reg& reg, Now now) const;
  // When something has to happen although nobody does anything; nullopt: never.
  std::optional<MonoTime> NextEvent(Now now) const;

 private:
  struct Promise {
    ReplyToken token = 0;
    BatchNumber batch = 0;
    std::vector<effect::Record> lines;
  };
  struct Batch {
    BatchNumber number = 0;
    bool probe = false;
    std::vector<RegistrationKey> keys;
  };

  // --- inputs (model.cc)
  void On(const input::Restore& in);
  void On(const input::Acknowledge& in);
  void On(const input::NetworkChanged&) {}
  void On(const input::PermissionChanged& in);
  void On(const input::AppInstalled& in) { Revoke(in.origin); }
  void On(const input::AppUninstalled& in) { Revoke(in.origin); }
  void On(const input::EngagementChanged& in);
  void On(const input::WorkerRegistrationDeleted& in);
  void On(const input::OriginCleared& in);
  void On(const input::EmulateOffline& in);
  void On(const input::Tick& in);
  void NoticeClock();
  void NoticeLink();
  void Revoke(const std::string& origin);
  template <class Which>
  void RemoveAll(Which which);

  // --- callers (model_callers.cc)
  void On(const input::Register& in);
  void On(const input::Unregister& in);
  void On(const input::GetTags& in);
  const char* Refusal(const input::Register& in) const;
  void Make(const input::Register& in);
  void AgainOneShot(const input::Register& in, Reg& reg);
  void AgainPeriodic(const input::Register& in, Reg& reg);
  void OtherInterval(const input::Register& in, Reg& reg);
  void PromiseWhenStored(ReplyToken token, const Reg& reg);

  // --- runs (model_runs.cc)
  void On(const input::DispatchFinished& in);
  void EndOneShot(Reg& reg, DispatchOutcome outcome, bool again, bool lost_network);
  void EndPeriodic(Reg& reg, DispatchOutcome outcome, bool again, bool lost_network);
  void AwaitRetry(Reg& reg, bool lost_network);
  void OwnFault(Reg& reg, const std::string& why);
  void NewPeriod(Reg& reg);
  void Look();
  void GiveUpLostRuns();
  void Start(Reg& reg);
  void NoticeEngagement(Reg& reg);

  // --- the store (model_store.cc)
  void On(const input::Persisted& in);
  void On(const input::StoreFailed& in);
  void On(const input::StoreRecovered& in);
  void Touch(Reg& reg);
  void StoreDirty();
  void Probe();
  void Answer(ReplyToken token, const char* error = nullptr, std::vector<std::string> tags = {});
  // Success once the batch of this step is on disk, and the lines with it.
  void PromiseWithStep(ReplyToken token, std::vector<effect::Record> lines = {});
  void CloseStep();

  // --- questions
  Reg* Get(const RegistrationKey& key) {
    return const_cast<Reg*>(static_cast<const Model*>(this)->Find(key));
  }
  Reg& Add(const RegistrationKey& key);
  void Remove(const RegistrationKey& key);  // from memory and from the disk
  void Forget(const RegistrationKey& key);  // from memory
  bool usable() const { return !parameters_.disabled && store_ok_; }
  bool Permitted(const std::string& origin, SyncKind kind) const;
  bool Installed(const std::string& origin, SyncKind kind) const;
  std::int64_t FactorOf(const std::string& origin) const;
  std::optional<Duration> UntilOther(const Reg& reg) const;
  std::optional<Duration> Period(const Reg& reg, Duration passed = Duration::zero()) const;
  void Wait(Reg& reg, std::optional<Duration> wait);
  bool SlotTaken(const Reg& reg, Now now) const;
  bool Polite(const Reg& reg) const;
  bool Full(const std::string& origin) const;  // no more events of it may run at present
  bool MayQueue() const;
  MonoTime SlotEnd() const { return *slot_ + parameters_.min_periodic_gap_across_origins; }
  std::optional<MonoTime> TimeOf(const Reg& reg) const;
  effect::Record Line(const Reg& reg, const char* name,
                      std::vector<std::pair<std::string, std::string>> metadata = {}) const;
  void Log(const Reg& reg, const char* name, std::vector<std::pair<std::string, std::string>> metadata = {}) {
    said_.lines.push_back(Line(reg, name, std::move(metadata)));
  }

  Parameters parameters_;
  const Surroundings& world_;
  SeededRandom jitter_;
  std::vector<Reg> regs_;
  std::vector<Run> runs_;  // also those whose registration is gone
  std::map<WorkerRegistrationId, int> emulated_;
  std::optional<MonoTime> slot_;  // start of the newest slot of periodic events
  bool online_ = false;
  std::optional<Duration> clock_difference_;

  std::vector<Batch> in_flight_;
  std::vector<Promise> promises_;
  std::set<RegistrationKey> dirty_;  // changed while the store was down
  bool store_ok_ = true;
  bool probing_ = false;
  bool probe_in_step_ = false;
  std::optional<MonoTime> store_retry_at_;

  Now now_;
  const Seen* seen_ = nullptr;  // of the present step
  Said said_;
};

// "86400000", or "infinite".
std::string Milliseconds(std::optional<Duration> wait);

}  // namespace vigil::sim
