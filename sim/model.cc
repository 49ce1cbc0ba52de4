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

}  // namespace vigil::sim
