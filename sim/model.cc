#include "sim/model.h"

#include <algorithm>

#include "sim/arithmetic.h"

namespace vigil::sim {

const Said& Model::Step(const Input& input, Now now, const Seen& seen) {
  now_ = now;
  seen_ = &seen;
  said_.replies.clear();
  said_.starts.clear();
  said_.lines.clear();
  said_.stored.clear();
  probe_in_step_ = false;
  NoticeClock();
  NoticeLink();
  std::visit([this](const auto& in) { On(in); }, input);
  Look();
  CloseStep();
  return said_;
}

// ---------------------------------------------------------------------------------------------------- inputs

void Model::On(const input::Restore& in) {
  for (const RegistrationRecord& record : in.records) {
    Reg& reg = Add(record.key);
    reg.record = record;
    if (record.max_attempts <= 0) reg.record.max_attempts = parameters_.max_attempts;
    if (record.last_fired) {
      const Duration ago = std::max(Duration::zero(), Duration(now_.wall - *record.last_fired));
      slot_ = std::max(slot_.value_or(now_.mono - ago), now_.mono - ago);
    }
    if (!record.due && reg.periodic()) continue;
    // Not before the stored time, and never longer than the wait was meant to be.
    if (record.due) reg.record.due = std::min(*record.due, now_.wall + kCentury);
    const Duration left = record.due ? *record.due - now_.wall : Duration::zero();
    reg.due = now_.mono + std::clamp(left, Duration::zero(), record.delay);
    if (record.lost_network && Polite(reg) && online_) reg.due = now_.mono;
  }
}

// The calendar moved against the other clock. Forwards (sleep) counts as waited; backwards the wait goes on
// as it was, and the stored time moves along.
void Model::NoticeClock() {
  const Duration difference = now_.wall.time_since_epoch() - now_.mono.time_since_epoch();
  if (!clock_difference_) clock_difference_ = difference;
  if (std::chrono::abs(difference - *clock_difference_) <= parameters_.clock_jump_tolerance) return;
  if (slot_ && difference > *clock_difference_) *slot_ -= difference - *clock_difference_;
  clock_difference_ = difference;
  for (Reg& reg : regs_) {
    if (!reg.idle() || !reg.due || *reg.due <= now_.mono) continue;
    const Duration left = *reg.due - now_.mono;
    const WallTime stored = *reg.record.due;
    if (stored < now_.wall + left) {
      reg.due = now_.mono + std::max(Duration::zero(), Duration(stored - now_.wall));
    } else if (stored > now_.wall + left) {
      reg.record.due = now_.wall + left;
      Touch(reg);
    }
  }
}

void Model::NoticeLink() {
  if (world_.online == online_) return;
  online_ = world_.online;
  if (!online_) {
    for (Run& run : runs_) run.lost_network = true;
    return;
  }
  for (Reg& reg : regs_) {
    if (!reg.idle() || !Polite(reg) || !reg.due || *reg.due <= now_.mono) continue;
    reg.due = now_.mono;
    Log(reg, "Retry hurried", {{"Reason", "network returned"}});
  }
}

void Model::On(const input::Acknowledge& in) {
  if (Reg* reg = Get({in.worker_registration, SyncKind::kOneShot, in.tag})) reg->acknowledged = true;
}

template <class Which>
void Model::RemoveAll(Which which) {
  std::vector<RegistrationKey> gone;
  for (const Reg& reg : regs_) {
    if (which(reg)) gone.push_back(reg.key());
  }
  for (const RegistrationKey& key : gone) Remove(key);
}

void Model::Revoke(const std::string& origin) {
  if (!parameters_.revocation_erases) return;
  std::vector<effect::Record> lines;
  RemoveAll([&](const Reg& reg) {
    const SyncKind kind = reg.key().kind;
    if (reg.record.origin != origin || (Permitted(origin, kind) && Installed(origin, kind))) return false;
    const char* reason = Permitted(origin, kind) ? "app not installed" : "permission denied";
    lines.push_back(Line(reg, "Registration removed", {{"Reason", reason}}));
    return true;
  });
  if (!lines.empty()) PromiseWithStep(0, std::move(lines));
}

void Model::On(const input::PermissionChanged& in) {
  for (const std::string& origin : kOriginNames) {
    if (in.origin.empty() || in.origin == origin) Revoke(origin);
  }
}

void Model::On(const input::EngagementChanged& in) {
  // One after the other, by worker and tag: each is spaced against those before it.
  for (Reg& reg : regs_) {
    if (reg.record.origin != in.origin || reg.due || !reg.idle()) continue;
    const auto wait = Period(reg);
    if (!wait) continue;
    Wait(reg, wait);
    Touch(reg);
    Log(reg, "Got next event delay", {{"Next Attempt Delay (ms)", Milliseconds(wait)}});
  }
}

void Model::On(const input::WorkerRegistrationDeleted& in) {
  emulated_.erase(in.worker_registration);
  RemoveAll([&](const Reg& reg) { return reg.key().worker_registration == in.worker_registration; });
  PromiseWithStep(in.token);
}

void Model::On(const input::OriginCleared& in) {
  RemoveAll([&](const Reg& reg) { return reg.record.origin == in.origin; });
  PromiseWithStep(in.token);
}

void Model::On(const input::EmulateOffline& in) {
  int& sessions = emulated_[in.worker_registration];
  sessions += in.offline ? 1 : -1;
  if (sessions <= 0) emulated_.erase(in.worker_registration);
}

void Model::On(const input::Tick&) {
  if (store_retry_at_ && *store_retry_at_ <= now_.mono) Probe();
}

// ---------------------------------------------------------------------------------------------------- the
// list

const Reg* Model::Find(const RegistrationKey& key) const {
  for (const Reg& reg : regs_) {
    if (reg.key() == key) return &reg;
  }
  return nullptr;
}

Reg& Model::Add(const RegistrationKey& key) {
  const auto place =
      std::find_if(regs_.begin(), regs_.end(), [&](const Reg& other) { return key < other.key(); });
  Reg reg;
  reg.record.key = key;
  return *regs_.insert(place, std::move(reg));
}

void Model::Forget(const RegistrationKey& key) {
  std::erase_if(regs_, [&](const Reg& reg) { return reg.key() == key; });
}

void Model::Remove(const RegistrationKey& key) {
  const RegistrationKey copy = key;
  Forget(copy);
  if (store_ok_) {
    said_.stored.push_back({RecordChange::Op::kErase, {copy}});
  } else {
    dirty_.insert(copy);
  }
}

// ----------------------------------------------------------------------------------------------------
// questions

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
  return Full() ? WaitReason::kQueued : WaitReason::kReady;
}

bool Model::Full() const {
  const auto most = static_cast<std::size_t>(parameters_.max_parallel_events);
  return most > 0 && runs_.size() >= most;
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
  const bool full = Full();
  for (const Reg& reg : regs_) {
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
        for (const Run& run : runs_) sooner(run.give_up);
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
