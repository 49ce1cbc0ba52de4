// What the model knows of a registration: why it waits, until when, and the numbers behind it.
#include <algorithm>

#include "sim/arithmetic.h"
#include "sim/model.h"

namespace vigil::sim {

bool Model::Permitted(const std::string& origin, SyncKind kind) const {
  return parameters_.skip_permission_check || world_.Allowed(origin, kind);
}

bool Model::Installed(const std::string& origin, SyncKind kind) const {
  const bool needed = kind == SyncKind::kPeriodic && parameters_.installation_required;
  return !needed || parameters_.skip_permission_check || world_.Installed(origin);
}

std::int64_t Model::FactorOf(const std::string& origin) const {
  return Factor(parameters_, world_.At(origin).level);
}

// T: how long until the origin's soonest other periodic event.
std::optional<Duration> Model::UntilOther(const Reg& reg) const {
  std::optional<Duration> soonest;
  for (const Reg& other : regs_) {
    if (&other == &reg || !other.periodic() || !other.due || other.record.origin != reg.record.origin)
      continue;
    if (other.key().tag == reg.key().tag && !parameters_.space_against_same_tag) continue;
    const Duration until = std::max(Duration::zero(), Duration(*other.due - now_.mono));
    if (!soonest || until < *soonest) soonest = until;
  }
  return soonest;
}

std::optional<Duration> Model::Period(const Reg& reg, Duration passed) const {
  const std::int64_t factor = FactorOf(reg.record.origin);
  if (factor == 0) return std::nullopt;
  Duration interval = RoundedInterval(parameters_, reg.record.min_interval_ms, factor);
  if (passed > Duration::zero()) interval = std::max(Duration::zero(), interval - passed);
  return Spaced(interval, parameters_.min_periodic_gap, UntilOther(reg));
}

void Model::Wait(Reg& reg, std::optional<Duration> wait) {
  reg.due.reset();
  reg.record.due.reset();
  reg.record.delay = std::min(wait.value_or(Duration::zero()), kCentury);
  if (!wait) return;
  reg.due = now_.mono + reg.record.delay;
  reg.record.due = now_.wall + reg.record.delay;
}

// Only first attempts of a period need a slot; a run that a fault of ours undid has had it.
bool Model::SlotTaken(const Reg& reg, Now now) const {
  if (reg.record.attempts > 0 || reg.own_faults > 0 || !slot_) return false;
  return now.mono > *slot_ + parameters_.periodic_batch_window && now.mono < SlotEnd();
}

// Waits for a retry out of politeness only.
bool Model::Polite(const Reg& reg) const {
  const RegistrationRecord& record = reg.record;
  return parameters_.hurry_retry_on_reconnect && reg.own_faults == 0 && record.attempts > 0 &&
         record.attempts < record.max_attempts - 1;
}

// From the longest obstacle to the shortest.
WaitReason Model::Why(const Reg& reg, Now now) const {
  const std::string& origin = reg.record.origin;
  const SyncKind kind = reg.key().kind;
  if (!reg.idle()) return WaitReason::kRunning;
  if (parameters_.disabled) return WaitReason::kDisabled;
  if (!store_ok_) return WaitReason::kStoreFailed;
  if (parameters_.permission_checked_at_fire) {
    if (!Permitted(origin, kind)) return WaitReason::kPermissionDenied;
    if (!Installed(origin, kind)) return WaitReason::kNotInstalled;
  }
  if (!reg.due) return WaitReason::kSuspended;
  if (reg.unstored != 0) return WaitReason::kStoring;
  if (!reg.acknowledged) return WaitReason::kNotAcknowledged;
  if (*reg.due > now.mono) {
    if (reg.own_faults > 0) return WaitReason::kOwnFailure;
    return reg.periodic() && reg.record.attempts == 0 ? WaitReason::kPeriod : WaitReason::kRetry;
  }
  if (!world_.online) return WaitReason::kOffline;
  if (emulated_.count(reg.key().worker_registration) != 0) return WaitReason::kEmulatedOffline;
  if (reg.periodic()) {
    if (parameters_.known_network_required && !world_.KnownNetwork(origin))
      return WaitReason::kUnknownNetwork;
    if (parameters_.engagement_checked_at_fire && FactorOf(origin) == 0) return WaitReason::kSuspended;
    if (SlotTaken(reg, now)) return WaitReason::kAcrossOrigins;
  }
  return Full(origin) ? WaitReason::kQueued : WaitReason::kReady;
}

bool Model::Full(const std::string& origin) const {
  const auto full = [](std::int64_t most, std::int64_t running) { return most > 0 && running >= most; };
  const auto own =
      std::count_if(runs_.begin(), runs_.end(), [&](const Run& run) { return run.origin == origin; });
  return full(parameters_.max_parallel_events, static_cast<std::int64_t>(runs_.size())) ||
         full(parameters_.max_parallel_events_per_origin, own);
}

// Whether something that is due can have to wait for a place at all.
bool Model::MayQueue() const {
  const auto most = static_cast<std::int64_t>(regs_.size());
  return parameters_.max_parallel_events > 0 || (parameters_.max_parallel_events_per_origin > 0 &&
                                                 parameters_.max_parallel_events_per_origin < most);
}

SyncState Model::StateOf(const Reg& reg, Now now) const {
  if (!reg.idle()) return reg.again ? SyncState::kReregisteredWhileFiring : SyncState::kFiring;
  if (!reg.due) return SyncState::kSuspended;
  return reg.record.attempts > 0 && *reg.due > now.mono ? SyncState::kWaiting : SyncState::kPending;
}

// From when on time is no obstacle.
std::optional<MonoTime> Model::TimeOf(const Reg& reg) const {
  if (!reg.due) return std::nullopt;
  if (reg.acknowledged) return reg.due;
  if (!reg.acknowledge_by) return std::nullopt;
  return std::max(*reg.due, *reg.acknowledge_by);
}

std::optional<WallTime> Model::NextTime(const Reg& reg, Now now) const {
  std::optional<MonoTime> when;
  switch (Why(reg, now)) {
    case WaitReason::kRetry:
    case WaitReason::kPeriod:
    case WaitReason::kOwnFailure:
    case WaitReason::kNotAcknowledged:
      when = TimeOf(reg);
      break;
    case WaitReason::kAcrossOrigins:
      when = SlotEnd();
      break;
    case WaitReason::kStoreFailed:
      if (store_retry_at_) when = std::max(*store_retry_at_, now.mono);
      break;
    default:
      break;
  }
  if (!when) return std::nullopt;
  return now.wall + (*when - now.mono);
}

std::optional<MonoTime> Model::NextEvent(Now now) const {
  std::optional<MonoTime> next = store_retry_at_;
  const auto sooner = [&](MonoTime when) {
    if (!next || when < *next) next = when;
  };
  for (const Run& run : runs_) {
    if (Find(run.key) != nullptr && Find(run.key)->running == run.token) sooner(run.give_up);
  }
  for (const Reg& reg : regs_) {
    const bool full = Full(reg.record.origin);
    switch (Why(reg, now)) {
      case WaitReason::kRetry:
      case WaitReason::kPeriod:
      case WaitReason::kOwnFailure:
      case WaitReason::kNotAcknowledged:
        if (const auto when = TimeOf(reg); when && *when > now.mono && !full) sooner(*when);
        break;
      case WaitReason::kAcrossOrigins:
        if (!full) sooner(SlotEnd());
        break;
      case WaitReason::kQueued:
        for (const Run& run : runs_) {
          const bool whole = parameters_.max_parallel_events > 0;
          if (whole || run.origin == reg.record.origin) sooner(run.give_up);
        }
        break;
      default:
        break;
    }
  }
  return next;
}

effect::Record Model::Line(const Reg& reg, const char* name,
                           std::vector<std::pair<std::string, std::string>> metadata) const {
  effect::Record line;
  line.service = reg.periodic() ? LogService::kPeriodicBackgroundSync : LogService::kBackgroundSync;
  line.worker_registration = reg.key().worker_registration;
  line.origin = reg.record.origin;
  line.event_name = name;
  line.tag = reg.key().tag;
  line.metadata = std::move(metadata);
  line.at = now_.wall;
  return line;
}

std::string Milliseconds(std::optional<Duration> wait) {
  return wait ? std::to_string(wait->count() / 1000) : "infinite";
}

}  // namespace vigil::sim
