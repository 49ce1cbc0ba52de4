// Starting events and what their end means.
#include <algorithm>
#include <limits>

#include "engine/delays.h"
#include "engine/engine_impl.h"

namespace vigil {

// ---------------------------------------------------------------------------------------------------- places

void Engine::Impl::TakeOut(Entry& entry) {
  queue_.Remove(entry);
  if (entry.place == Place::kDue) due_.erase(&entry);
  if (entry.place == Place::kBlocked) blocked_.erase(&entry);
  if (entry.place == Place::kLane) lanes_.find(entry.worker->origin->name)->second.waiting.erase(&entry);
  entry.place = Place::kNowhere;
}

void Engine::Impl::Queue(Entry& entry, MonoTime wake) {
  TakeOut(entry);
  entry.wake = wake;
  entry.place = Place::kQueue;
  queue_.Insert(entry);
}

void Engine::Impl::Settle(Entry& entry) {
  TakeOut(entry);
  if (entry.suspended) return;
  if (!entry.acknowledged) {
    if (entry.acknowledge_by != MonoTime::max()) Queue(entry, std::max(entry.due, entry.acknowledge_by));
    return;
  }
  if (entry.due > now_.mono) {
    Queue(entry, entry.due);
    return;
  }
  entry.place = Place::kDue;
  due_.insert(due_.end(), &entry);  // often the last: stored registrations come in order
}

void Engine::Impl::UnblockAll() {
  for (Entry* entry : blocked_) entry->place = Place::kDue;
  if (due_.empty()) {
    due_.swap(blocked_);
  } else {
    due_.merge(blocked_);
  }
}

void Engine::Impl::Drop(Entry& entry) {
  TakeOut(entry);
  hurryable_.erase(&entry);
  if (const auto running = running_.find(entry.running); running != running_.end())
    running->second.entry = nullptr;
  registry_.Remove(entry);
}

void Engine::Impl::Remove(Entry& entry) {
  RegistrationKey key{entry.worker->id, entry.kind(), entry.key->tag};
  Drop(entry);
  if (store_ok_) {
    changes_.push_back({RecordChange::Op::kErase, {std::move(key)}});
  } else {
    dirty_.insert(std::move(key));
  }
}

void Engine::Impl::Schedule(Entry& entry, std::optional<Duration> wait) {
  if (wait) {
    const Duration length = std::min(*wait, kLongestDelay);
    entry.delay = length;
    entry.due_wall = now_.wall + length;
    registry_.SetDue(entry, now_.mono + length);
  } else {
    entry.delay = Duration::zero();
    registry_.Suspend(entry);
  }
  if (entry.phase == Phase::kIdle) Settle(entry);
}

std::optional<Duration> Engine::Impl::NextPeriod(const Entry& entry, Duration passed) const {
  const EngagementLevel level = ports_.policy.Engagement(entry.worker->origin->name, now_);
  const auto interval = PeriodicInterval(parameters_, entry.min_interval_ms, level);
  if (!interval) return std::nullopt;
  std::optional<Duration> until_other;
  if (const auto soonest = registry_.SoonestOther(entry, parameters_.space_against_same_tag)) {
    until_other = std::max(Duration::zero(), Duration(*soonest - now_.mono));
  }
  const Duration left = *interval - std::clamp(passed, Duration::zero(), *interval);
  return SpacePeriodic(parameters_, left, until_other);
}

Duration Engine::Impl::NextRetry(const Entry& entry) {
  const double unit = parameters_.jitter > 0 ? ports_.random.NextUnit() : 0;
  return RetryDelay(parameters_, entry.attempts, unit);
}

// ----------------------------------------------------------------------------------------------------
// starting

// Runs whose registration is gone must not hold a place under max_parallel_events for ever.
void Engine::Impl::ForgetSilentRuns() {
  while (!running_.empty()) {
    const Running& oldest = running_.begin()->second;
    if (oldest.entry != nullptr || oldest.give_up > now_.mono) return;
    EndRun(running_.begin());
  }
}

Engine::Impl::Running Engine::Impl::EndRun(Runs::iterator run) {
  Running ended = std::move(run->second);
  running_.erase(run);
  --lanes_.find(ended.origin)->second.running;
  LetNextOfLane(ended.origin);
  return ended;
}

void Engine::Impl::LetNextOfLane(const std::string& origin) {
  const auto lane = lanes_.find(origin);
  if (lane == lanes_.end()) return;
  if (!lane->second.waiting.empty()) {
    Settle(**lane->second.waiting.begin());
  } else if (lane->second.running == 0) {
    lanes_.erase(lane);
  }
}

void Engine::Impl::RunDue() {
  while (!queue_.empty() && queue_.top().wake <= now_.mono) Wake(queue_.top());
  ForgetSilentRuns();
  while (!due_.empty()) {
    Entry& entry = **due_.begin();
    const WaitReason reason = Why(entry, now_);
    if (reason == WaitReason::kQueued && AllPlacesTaken()) return;
    due_.erase(due_.begin());
    entry.place = Place::kNowhere;
    if (reason == WaitReason::kReady) {
      Fire(entry);
      continue;
    }
    if (reason == WaitReason::kQueued) {
      auto& waiting = lanes_.find(entry.worker->origin->name)->second.waiting;
      entry.place = Place::kLane;
      waiting.insert(waiting.end(), &entry);
      continue;
    }
    if (reason == WaitReason::kSuspended) {
      registry_.Suspend(entry);
      hurryable_.erase(&entry);
      // What revives it starts a period, not a retry.
      entry.attempts = 0;
      entry.own_failures = 0;
      entry.lost_network = false;
      Touch(entry);
      Log(entry, "Suspended periodicsync", {{"Reason", "no engagement"}});
    } else if (reason == WaitReason::kAcrossOrigins) {
      Queue(entry, *LaterSlot(entry, now_.mono));
    } else {
      entry.place = Place::kBlocked;
      blocked_.insert(blocked_.end(), &entry);
    }
    LetNextOfLane(entry.worker->origin->name);  // it does not take the place that it was given
  }
}

void Engine::Impl::Wake(Entry& entry) {
  TakeOut(entry);
  if (entry.phase != Phase::kIdle) {
    // Nobody told how it ended, long after its limit: its result, should it still come, is not believed.
    EndRun(running_.find(entry.running));
    entry.running = 0;
    if (entry.phase == Phase::kReregistered) entry.attempts = 0;
    entry.phase = Phase::kIdle;
    NotStarted(entry, "nothing was heard of it");
    return;
  }
  if (entry.acknowledge_by <= now_.mono) entry.acknowledged = true;
  Settle(entry);
}

// The first attempt of a period joins the open slot or opens one.
void Engine::Impl::TakeSlot(Entry& entry) {
  entry.last_fired = now_.wall;
  const bool joins = slot_start_ && now_.mono - *slot_start_ <= parameters_.periodic_batch_window;
  if (!joins) slot_start_ = now_.mono;
}

void Engine::Impl::Fire(Entry& entry) {
  const DispatchToken token = ++last_token_;
  entry.running = token;
  entry.phase = Phase::kFiring;
  hurryable_.erase(&entry);
  if (entry.periodic() && entry.attempts == 0 && entry.own_failures == 0) TakeSlot(entry);
  const MonoTime deadline = now_.mono + parameters_.sync_event_limit;
  const MonoTime give_up =
      std::max(now_.mono + parameters_.min_recovery_time, deadline + std::chrono::seconds(1));
  const std::string& origin = entry.worker->origin->name;
  running_.emplace(token, Running{&entry, origin, outages_, give_up});
  ++lanes_[origin].running;
  Queue(entry, give_up);

  effect::Dispatch dispatch;
  dispatch.token = token;
  dispatch.key = {entry.worker->id, entry.kind(), entry.key->tag};
  dispatch.origin = origin;
  dispatch.last_chance = !entry.periodic() && entry.last_chance();
  dispatch.deadline = deadline;
  if (entry.periodic()) {
    Log(entry, "Dispatched periodicsync event");
  } else {
    Log(entry, "Dispatched sync event", {{"Last Chance", dispatch.last_chance ? "Yes" : "No"}});
  }
  effects_.emplace_back(std::move(dispatch));
}

// ----------------------------------------------------------------------------------------------------
// finishing

void Engine::Impl::On(const input::DispatchFinished& in) {
  const auto found = running_.find(in.token);
  if (found == running_.end()) return;
  const Running run = EndRun(found);
  if (run.entry == nullptr) return;
  Entry& entry = *run.entry;
  const bool reregistered = entry.phase == Phase::kReregistered;
  TakeOut(entry);
  entry.running = 0;
  entry.phase = Phase::kIdle;
  DispatchOutcome outcome = in.outcome;
  if (outcome == DispatchOutcome::kNotStarted && parameters_.start_failure_counts_as_attempt) {
    outcome = DispatchOutcome::kUnknown;
  }
  if (outcome == DispatchOutcome::kNotStarted) {
    if (reregistered) entry.attempts = 0;
    NotStarted(entry, in.text);
    return;
  }
  entry.own_failures = 0;
  entry.lost_network = false;
  const bool lost_network = run.outages != outages_ || !online_;
  if (entry.periodic()) {
    FinishPeriodic(entry, outcome, reregistered, lost_network);
  } else {
    FinishOneShot(entry, outcome, reregistered, lost_network);
  }
}

// A fault of ours: the same attempt again, soon, and not stored, since a restart is a good moment to try.
void Engine::Impl::NotStarted(Entry& entry, const std::string& why) {
  if (entry.own_failures < std::numeric_limits<std::uint8_t>::max()) ++entry.own_failures;
  const Duration wait = OwnFailureDelay(parameters_, entry.own_failures);
  registry_.SetDue(entry, now_.mono + wait);
  entry.due_wall = now_.wall + wait;
  Settle(entry);
  Log(entry, entry.periodic() ? "periodicsync event not started" : "sync event not started",
      {{"Next Attempt Delay (ms)", DelayText(wait)},
       {"Failure Reason", why.empty() ? DispatchOutcomeName(DispatchOutcome::kNotStarted) : why}});
}

// A retry that is not the last chance waits only out of politeness towards the server.
bool Engine::Impl::MayHurry(const Entry& entry) const {
  return parameters_.hurry_retry_on_reconnect && entry.attempts > 0 && !entry.last_chance();
}

void Engine::Impl::Hurry(Entry& entry) {
  registry_.SetDue(entry, now_.mono);
  Settle(entry);
}

// After a failed attempt that was not the last one.
void Engine::Impl::AwaitRetry(Entry& entry, bool lost_network) {
  Schedule(entry, NextRetry(entry));
  if (MayHurry(entry)) {
    entry.lost_network = lost_network;
    hurryable_.insert(&entry);
    if (lost_network && online_) Hurry(entry);  // it went and came back while the event ran
  }
  Touch(entry);
}

void Engine::Impl::FinishOneShot(Entry& entry, DispatchOutcome outcome, bool reregistered,
                                 bool lost_network) {
  const char* name = DispatchOutcomeName(outcome);
  if (reregistered) {
    entry.attempts = 0;
    Touch(entry);
    Log(entry, "Sync event reregistered");
    Settle(entry);
    return;
  }
  if (outcome == DispatchOutcome::kSucceeded || ++entry.attempts >= entry.max_attempts) {
    Log(entry, "Sync completed", {{"Status", name}});
    Remove(entry);
    return;
  }
  AwaitRetry(entry, lost_network);
  const Duration announced = std::max(Duration::zero(), Duration(entry.due - now_.mono));
  Log(entry, "sync event failed",
      {{"Next Attempt Delay (ms)", DelayText(announced)}, {"Failure Reason", name}});
}

// Begins the next full period now.
void Engine::Impl::StartPeriod(Entry& entry) {
  entry.attempts = 0;
  entry.anchor = now_.wall;
  Schedule(entry, NextPeriod(entry));
  Touch(entry);
}

void Engine::Impl::FinishPeriodic(Entry& entry, DispatchOutcome outcome, bool reregistered,
                                  bool lost_network) {
  const auto announced = [&]() -> std::string {
    if (entry.suspended) return DelayText(std::nullopt);
    return DelayText(std::max(Duration::zero(), Duration(entry.due - now_.mono)));
  };
  if (reregistered) {
    if (parameters_.periodic_reregistered_fires_again) {
      entry.attempts = 0;
      Touch(entry);
      Settle(entry);
    } else {
      StartPeriod(entry);
    }
    Log(entry, "Sync event reregistered");
    return;
  }
  if (outcome == DispatchOutcome::kSucceeded) {
    StartPeriod(entry);
    Log(entry, "periodicsync event completed", {{"Next Attempt Delay (ms)", announced()}});
    return;
  }
  if (++entry.attempts >= entry.max_attempts) {
    StartPeriod(entry);
  } else {
    AwaitRetry(entry, lost_network);
  }
  Log(entry, "periodicsync event failed",
      {{"Next Attempt Delay (ms)", announced()}, {"Failure Reason", DispatchOutcomeName(outcome)}});
}

// ---------------------------------------------------------------------------------------------------- log
// lines

effect::Record Engine::Impl::LogLine(const Entry& entry, const char* name,
                                     std::vector<std::pair<std::string, std::string>> metadata) const {
  effect::Record record;
  record.service = entry.periodic() ? LogService::kPeriodicBackgroundSync : LogService::kBackgroundSync;
  record.worker_registration = entry.worker->id;
  record.origin = entry.worker->origin->name;
  record.event_name = name;
  record.tag = entry.key->tag;
  record.metadata = std::move(metadata);
  record.at = now_.wall;
  return record;
}

void Engine::Impl::Log(const Entry& entry, const char* name,
                       std::vector<std::pair<std::string, std::string>> metadata) {
  effects_.emplace_back(LogLine(entry, name, std::move(metadata)));
}

}  // namespace vigil
