#include "vigil/engine.h"

#include <algorithm>

#include "engine/delays.h"
#include "engine/engine_impl.h"

namespace vigil {
namespace {

// Sums and differences of times this far from the ends of their scale, and of waits up to kLongestDelay,
// cannot overflow.
Now Sane(Now now) {
  constexpr Duration kFar(std::int64_t{1} << 60);
  now.wall = std::clamp(now.wall, WallTime(-kFar), WallTime(kFar));
  now.mono = std::clamp(now.mono, MonoTime(-kFar), MonoTime(kFar));
  return now;
}

}  // namespace

Effects Engine::Impl::Step(const Input& input, Now now) {
  now_ = Sane(now);
  effects_.clear();
  NoticeClocks();
  NoticeNetwork();
  std::visit([this](const auto& in) { On(in); }, input);
  if (!restoring_) RunDue();
  Flush();
  return std::move(effects_);
}

std::optional<MonoTime> Engine::Impl::next_wake() const {
  std::optional<MonoTime> wake = store_retry_at_;
  const auto sooner = [&wake](MonoTime other) {
    if (!wake || other < *wake) wake = other;
  };
  if (!queue_.empty()) sooner(queue_.top().wake);
  // Entries that are due after a step wait for a running event to end, or to be given up.
  if ((!due_.empty() || !lanes_.empty()) && !running_.empty()) sooner(running_.begin()->second.give_up);
  return wake;
}

// ---------------------------------------------------------------------------------------------------- start

void Engine::Impl::On(const input::Restore& in) {
  for (const RegistrationRecord& record : in.records) RestoreOne(record);
  restoring_ = in.more_follows;
}

void Engine::Impl::RestoreOne(const RegistrationRecord& record) {
  const RegistrationKey& key = record.key;
  const auto sane = [this](WallTime time) {
    return std::clamp(time, now_.wall - kLongestDelay, now_.wall + kLongestDelay);
  };
  Entry& entry = registry_.Add(key.worker_registration, record.origin, key.kind, key.tag);
  const bool periodic = key.kind == SyncKind::kPeriodic;
  entry.min_interval_ms = periodic ? std::max<std::int64_t>(record.min_interval_ms, 0) : -1;
  const std::int64_t max_attempts = record.max_attempts > 0 ? record.max_attempts : parameters_.max_attempts;
  entry.max_attempts = AttemptCount(max_attempts);
  entry.attempts = static_cast<std::int32_t>(
      std::clamp<std::int64_t>(record.attempts, 0, std::int64_t{entry.max_attempts} - 1));
  entry.anchor = sane(record.anchor);
  entry.registered_at = sane(record.registered_at);
  entry.lost_network = record.lost_network;
  if (record.last_fired && periodic) {
    entry.last_fired = sane(*record.last_fired);
    const MonoTime start = now_.mono - std::max(Duration::zero(), Duration(now_.wall - *entry.last_fired));
    slot_start_ = slot_start_ ? std::max(*slot_start_, start) : start;
  }
  entry.delay = std::clamp(record.delay, Duration::zero(), kLongestDelay);
  if (!record.due && periodic) {
    registry_.Suspend(entry);
    return;
  }
  // A calendar clock that was set back while nobody was watching must not stretch the wait. due_wall stays as
  // it was stored: when the clock is wrong only until a time server answers, NoticeClocks() finds the rest of
  // the wait by it.
  entry.due_wall = sane(record.due.value_or(now_.wall));
  const Duration wait = std::clamp(Duration(entry.due_wall - now_.wall), Duration::zero(), entry.delay);
  registry_.SetDue(entry, now_.mono + wait);
  if (MayHurry(entry) && wait > Duration::zero()) {
    hurryable_.insert(&entry);
    if (entry.lost_network && online_) registry_.SetDue(entry, now_.mono);
  }
  Settle(entry);
}

// ---------------------------------------------------------------------------------------------------- clocks

// Waits are counted on the monotonic clock. When the calendar clock moves against it, either somebody set it
// or the machine slept. Forwards: time that passed on the calendar counts as waited, since after sleep it is.
// Backwards: the wait goes on as it was, and the stored calendar time is moved along.
void Engine::Impl::NoticeClocks() {
  const Duration offset = now_.wall.time_since_epoch() - now_.mono.time_since_epoch();
  if (!clock_offset_) clock_offset_ = offset;
  const Duration jump = offset - *clock_offset_;
  if (std::chrono::abs(jump) <= parameters_.clock_jump_tolerance) return;
  clock_offset_ = offset;
  if (slot_start_ && jump > Duration::zero()) *slot_start_ -= std::min(jump, kLongestDelay);
  for (auto& [id, worker] : registry_.workers()) {
    for (auto& [key, entry] : worker.entries) {
      if (entry.phase != Phase::kIdle || entry.suspended) continue;
      if (entry.due <= now_.mono) {
        if (entry.periodic() && entry.place == Place::kQueue) Settle(entry);  // its slot may have come nearer
        continue;
      }
      const Duration left_mono = entry.due - now_.mono;
      const Duration left_wall = std::max(Duration::zero(), Duration(entry.due_wall - now_.wall));
      if (left_wall < left_mono) {
        registry_.SetDue(entry, now_.mono + left_wall);
        Settle(entry);
      } else if (left_wall > left_mono) {
        entry.due_wall = now_.wall + left_mono;
        Touch(entry);
      }
    }
  }
}

// ----------------------------------------------------------------------------------------------------
// surroundings

void Engine::Impl::NoticeNetwork() {
  const bool online = ports_.network.Online();
  if (online == online_) return;
  online_ = online;
  if (!online) {
    ++outages_;
    return;
  }
  for (Entry* entry : hurryable_) {
    if (entry->due <= now_.mono) continue;
    Hurry(*entry);
    Log(*entry, "Retry hurried", {{"Reason", "network returned"}});
  }
  UnblockAll();
}

void Engine::Impl::On(const input::NetworkChanged&) { UnblockAll(); }

template <class Fn>
void Engine::Impl::ForEachOfOrigin(Origin& origin, Fn fn) {
  std::vector<Entry*> entries;
  for (const WorkerRegistrationId id : origin.workers) {
    for (auto& [key, entry] : registry_.FindWorker(id)->entries) entries.push_back(&entry);
  }
  for (Entry* entry : entries) fn(*entry);
}

void Engine::Impl::RevisePermissions(Origin& origin) {
  const std::string name = origin.name;
  const auto denied = [&](SyncKind kind) { return !Permitted(name, kind) || !InstalledEnough(name, kind); };
  const bool erase_one_shot = parameters_.revocation_erases && denied(SyncKind::kOneShot);
  const bool erase_periodic = parameters_.revocation_erases && denied(SyncKind::kPeriodic);
  ForEachOfOrigin(origin, [&](Entry& entry) {
    if (entry.periodic() ? erase_periodic : erase_one_shot) {
      const char* reason = Permitted(name, entry.kind()) ? "app not installed" : "permission denied";
      ReplyWithBatch({0, entry.kind(), {LogLine(entry, "Registration removed", {{"Reason", reason}})}});
      Remove(entry);
    } else if (entry.place == Place::kBlocked) {
      Settle(entry);
    }
  });
}

void Engine::Impl::On(const input::PermissionChanged& in) {
  std::vector<std::string> names;
  if (!in.origin.empty()) names.push_back(in.origin);
  if (in.origin.empty()) {
    for (const auto& [name, origin] : registry_.origins()) names.push_back(name);
  }
  for (const std::string& name : names) {
    if (Origin* origin = registry_.FindOrigin(name)) RevisePermissions(*origin);
  }
}

void Engine::Impl::On(const input::AppInstalled& in) {
  if (Origin* origin = registry_.FindOrigin(in.origin)) RevisePermissions(*origin);
}

void Engine::Impl::On(const input::AppUninstalled& in) {
  if (Origin* origin = registry_.FindOrigin(in.origin)) RevisePermissions(*origin);
}

void Engine::Impl::On(const input::EngagementChanged& in) {
  Origin* origin = registry_.FindOrigin(in.origin);
  if (origin == nullptr) return;
  ForEachOfOrigin(*origin, [&](Entry& entry) {
    if (!entry.suspended || entry.phase != Phase::kIdle) return;
    const auto wait = NextPeriod(entry);
    if (!wait) return;
    Schedule(entry, wait);
    Touch(entry);
    Log(entry, "Got next event delay", {{"Next Attempt Delay (ms)", DelayText(wait)}});
  });
}

void Engine::Impl::On(const input::EmulateOffline& in) {
  int& sessions = emulated_offline_[in.worker_registration];
  sessions = std::max(0, sessions + (in.offline ? 1 : -1));
  if (sessions > 0) return;
  emulated_offline_.erase(in.worker_registration);
  Worker* worker = registry_.FindWorker(in.worker_registration);
  if (worker == nullptr) return;
  for (auto& [key, entry] : worker->entries) {
    if (entry.place == Place::kBlocked) Settle(entry);
  }
}

void Engine::Impl::On(const input::WorkerRegistrationDeleted& in) {
  emulated_offline_.erase(in.worker_registration);
  std::vector<Entry*> entries;
  if (Worker* worker = registry_.FindWorker(in.worker_registration)) {
    for (auto& [key, entry] : worker->entries) entries.push_back(&entry);
  }
  for (Entry* entry : entries) Remove(*entry);
  ReplyWhenRemoved(in.token);
}

void Engine::Impl::On(const input::OriginCleared& in) {
  if (Origin* origin = registry_.FindOrigin(in.origin)) {
    ForEachOfOrigin(*origin, [&](Entry& entry) { Remove(entry); });
  }
  ReplyWhenRemoved(in.token);
}

// Waits for the removals of this step, or for older ones under way; what the step writes for others is
// nothing to wait for.
void Engine::Impl::ReplyWhenRemoved(ReplyToken token) {
  if (!changes_.empty() || !store_ok_) {
    ReplyWithBatch({token, SyncKind::kOneShot, {}});
  } else if (in_flight_.empty()) {
    Reply(token);
  } else {
    in_flight_.rbegin()->second.held.push_back({token, SyncKind::kOneShot, {}});
  }
}

void Engine::Impl::On(const input::Acknowledge& in) {
  Entry* entry = registry_.Find(in.worker_registration, SyncKind::kOneShot, in.tag);
  if (entry == nullptr || entry->acknowledged) return;
  entry->acknowledged = true;
  if (entry->phase == Phase::kIdle) Settle(*entry);
}

void Engine::Impl::On(const input::Tick&) {
  if (store_retry_at_ && *store_retry_at_ <= now_.mono) ProbeStore();
}

// ---------------------------------------------------------------------------------------------------- the
// public class

Engine::Engine(const Parameters& parameters, Ports ports)
    : impl_(std::make_unique<Impl>(parameters, ports)) {}
Engine::~Engine() = default;

Effects Engine::Step(const Input& input, Now now) { return impl_->Step(input, now); }
std::optional<MonoTime> Engine::next_wake() const { return impl_->next_wake(); }
std::size_t Engine::size() const { return impl_->registry().size(); }
std::size_t Engine::firing() const { return impl_->firing(); }
bool Engine::EmulatedOffline(WorkerRegistrationId id) const { return impl_->EmulatedOffline(id); }
StoreStatus Engine::store_status() const { return impl_->store_status(); }
const Parameters& Engine::parameters() const { return impl_->parameters(); }

std::optional<Explanation> Engine::Explain(const RegistrationKey& key, Now now) const {
  const Entry* entry = impl_->Find(key);
  if (entry == nullptr) return std::nullopt;
  return impl_->Explain(*entry, now);
}

std::optional<RegistrationView> Engine::Find(const RegistrationKey& key, Now now) const {
  const Entry* entry = impl_->Find(key);
  if (entry == nullptr) return std::nullopt;
  return impl_->View(*entry, now);
}

std::vector<RegistrationView> Engine::List(Now now) const {
  std::vector<RegistrationView> views;
  views.reserve(size());
  for (const auto& [id, worker] : impl_->registry().workers()) {
    for (const auto& [key, entry] : worker.entries) views.push_back(impl_->View(entry, now));
  }
  return views;
}

std::vector<RegistrationView> Engine::List(WorkerRegistrationId worker_registration, Now now) const {
  std::vector<RegistrationView> views;
  if (const Worker* worker = impl_->registry().FindWorker(worker_registration)) {
    for (const auto& [key, entry] : worker->entries) views.push_back(impl_->View(entry, now));
  }
  return views;
}

}  // namespace vigil
