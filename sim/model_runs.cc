// Events: their start, their end, and what is made of it.
#include <algorithm>

#include "sim/arithmetic.h"
#include "sim/model.h"

namespace vigil::sim {

// Whatever can start, starts.
void Model::Look() {
  GiveUpLostRuns();
  for (Reg& reg : regs_) {
    const auto time = TimeOf(reg);
    if (reg.idle() && !reg.acknowledged && time && *time <= now_.mono) reg.acknowledged = true;
  }
  for (Reg& reg : regs_) {
    const WaitReason why = Why(reg, now_);
    if (why == WaitReason::kReady) Start(reg);
    if (why == WaitReason::kSuspended && reg.due) NoticeEngagement(reg);
  }
}

// It is due, and the engagement has gone. That must be noticed before it starts; when it waits for something
// else too, it may be noticed later.
void Model::NoticeEngagement(Reg& reg) {
  bool noticed = false;
  if (seen_->changes != nullptr) {
    for (const RecordChange& change : *seen_->changes) {
      const bool suspended = change.op == RecordChange::Op::kPut && !change.record.due;
      noticed |= suspended && change.record.key == reg.key();
    }
  }
  const bool may_wait = SlotTaken(reg, now_) || MayQueue();
  if (!noticed && may_wait) return;
  reg.due.reset();
  reg.record.due.reset();
  reg.record.attempts = 0;  // its period is over
  reg.record.lost_network = false;
  reg.own_faults = 0;
  Touch(reg);
  Log(reg, "Suspended periodicsync", {{"Reason", "no engagement"}});
}

// Nothing was heard of a run for long after its limit: a fault of ours, the same attempt again.
void Model::GiveUpLostRuns() {
  for (const Run& run : runs_) {
    if (run.give_up > now_.mono) continue;
    Reg* reg = Get(run.key);
    if (reg == nullptr || reg->running != run.token) continue;
    reg->running = 0;
    OwnFault(*reg, "nothing was heard of it");
  }
  std::erase_if(runs_, [&](const Run& run) { return run.give_up <= now_.mono; });
}

void Model::Start(Reg& reg) {
  const bool last = !reg.periodic() && reg.record.attempts == reg.record.max_attempts - 1;
  said_.starts.push_back({reg.key(), last});
  DispatchToken token = ~DispatchToken{0};  // not seen: a violation, which the caller reports
  for (const effect::Dispatch* dispatch : seen_->dispatches) {
    if (dispatch->key == reg.key()) token = dispatch->token;
  }
  reg.running = token;
  reg.again = false;
  if (reg.periodic() && reg.record.attempts == 0 && reg.own_faults == 0) {
    reg.record.last_fired = now_.wall;
    const bool joins = slot_ && now_.mono <= *slot_ + parameters_.periodic_batch_window;
    if (!joins) slot_ = now_.mono;
  }
  const Duration patience =
      std::max(parameters_.min_recovery_time, parameters_.sync_event_limit + std::chrono::seconds(1));
  runs_.push_back({token, reg.key(), reg.record.origin, now_.mono + patience, false});
  if (reg.periodic()) {
    Log(reg, "Dispatched periodicsync event");
  } else {
    Log(reg, "Dispatched sync event", {{"Last Chance", last ? "Yes" : "No"}});
  }
}

void Model::On(const input::DispatchFinished& in) {
  const auto found =
      std::find_if(runs_.begin(), runs_.end(), [&](const Run& run) { return run.token == in.token; });
  if (found == runs_.end()) return;
  const Run run = *found;
  runs_.erase(found);
  Reg* reg = Get(run.key);
  if (reg == nullptr || reg->running != run.token) return;  // removed meanwhile, perhaps made anew
  reg->running = 0;
  DispatchOutcome outcome = in.outcome;
  if (outcome == DispatchOutcome::kNotStarted) {
    if (!parameters_.start_failure_counts_as_attempt) {
      OwnFault(*reg, in.text.empty() ? "not started" : in.text);
      return;
    }
    outcome = DispatchOutcome::kUnknown;
  }
  reg->own_faults = 0;
  reg->record.lost_network = false;
  const bool again = reg->again;
  reg->again = false;
  if (reg->periodic()) {
    EndPeriodic(*reg, outcome, again, run.lost_network || !world_.online);
  } else {
    EndOneShot(*reg, outcome, again, run.lost_network || !world_.online);
  }
}

void Model::OwnFault(Reg& reg, const std::string& why) {
  if (reg.again) reg.record.attempts = 0;
  reg.again = false;
  ++reg.own_faults;
  const Duration wait = WaitAfterOwnFault(parameters_, reg.own_faults);
  reg.due = now_.mono + wait;
  reg.record.due = now_.wall + wait;
  Log(reg, reg.periodic() ? "periodicsync event not started" : "sync event not started",
      {{"Next Attempt Delay (ms)", Milliseconds(wait)}, {"Failure Reason", why}});
}

void Model::AwaitRetry(Reg& reg, bool lost_network) {
  const double unit = parameters_.jitter > 0 ? jitter_.NextUnit() : 0;
  Wait(reg, WaitAfterFailure(parameters_, reg.record.attempts, unit));
  reg.record.lost_network = lost_network && Polite(reg);
  if (reg.record.lost_network && world_.online) reg.due = now_.mono;
  Touch(reg);
}

void Model::EndOneShot(Reg& reg, DispatchOutcome outcome, bool again, bool lost_network) {
  if (again) {
    reg.record.attempts = 0;
    Touch(reg);
    Log(reg, "Sync event reregistered");
    return;
  }
  const bool succeeded = outcome == DispatchOutcome::kSucceeded;
  if (!succeeded) ++reg.record.attempts;
  if (succeeded || reg.record.attempts >= reg.record.max_attempts) {
    Log(reg, "Sync completed", {{"Status", DispatchOutcomeName(outcome)}});
    Remove(reg.key());
    return;
  }
  AwaitRetry(reg, lost_network);
  Log(reg, "sync event failed",
      {{"Next Attempt Delay (ms)", Milliseconds(*reg.due - now_.mono)},
       {"Failure Reason", DispatchOutcomeName(outcome)}});
}

void Model::NewPeriod(Reg& reg) {
  reg.record.attempts = 0;
  reg.record.anchor = now_.wall;
  Wait(reg, Period(reg));
  Touch(reg);
}

void Model::EndPeriodic(Reg& reg, DispatchOutcome outcome, bool again, bool lost_network) {
  const auto delay = [&] {
    return Milliseconds(reg.due ? std::optional<Duration>(*reg.due - now_.mono) : std::nullopt);
  };
  if (again) {
    if (parameters_.periodic_reregistered_fires_again) {
      reg.record.attempts = 0;
      Touch(reg);
    } else {
      NewPeriod(reg);
    }
    Log(reg, "Sync event reregistered");
    return;
  }
  if (outcome == DispatchOutcome::kSucceeded) {
    NewPeriod(reg);
    Log(reg, "periodicsync event completed", {{"Next Attempt Delay (ms)", delay()}});
    return;
  }
  ++reg.record.attempts;
  if (reg.record.attempts >= reg.record.max_attempts) {
    NewPeriod(reg);
  } else {
    AwaitRetry(reg, lost_network);
  }
  Log(reg, "periodicsync event failed",
      {{"Next Attempt Delay (ms)", delay()}, {"Failure Reason", DispatchOutcomeName(outcome)}});
}

}  // namespace vigil::sim
