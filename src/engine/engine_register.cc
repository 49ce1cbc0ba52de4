// register(), unregister(), getTags(): what callers ask, and the words with which they are refused.
#include <algorithm>

#include "base/utf8.h"
#include "engine/delays.h"
#include "engine/engine_impl.h"

namespace vigil {
namespace {

DomError NoWorkerError() { return {"InvalidStateError", "Registration failed - no active Service Worker"}; }
DomError DeniedError() { return {"NotAllowedError", "Permission denied."}; }
DomError NoWindowError() {
  return {"InvalidAccessError",
          "Attempted to register a sync event without a window or registration tag too long."};
}

DomError TooManyError() {
  return {"QuotaExceededError", "Registration failed - the origin has too many sync registrations"};
}

DomError NotTextError() { return {"InvalidAccessError", "The tag is not valid UTF-8."}; }

}  // namespace

DomError UnusableError(SyncKind kind) {
  return {"UnknownError", kind == SyncKind::kOneShot ? "Background Sync is disabled." : "Unknown error."};
}

std::string DelayText(std::optional<Duration> delay) {
  if (!delay) return "infinite";
  return std::to_string(std::chrono::floor<std::chrono::milliseconds>(*delay).count());
}

// Background Sync, register(): active worker, permission, client; the same for periodic sync.
std::optional<DomError> Engine::Impl::Refusal(const input::Register& in) const {
  const SyncKind kind = in.key.kind;
  if (!in.has_active_worker) return NoWorkerError();
  if (!usable()) return UnusableError(kind);
  const Worker* worker = registry_.FindWorker(in.key.worker_registration);
  if (worker != nullptr && worker->origin->name != in.origin) return UnusableError(kind);
  const bool window_missing = parameters_.window_client_required && !in.has_window_client;
  if (!IsUtf8(in.key.tag)) return NotTextError();
  const bool too_long = static_cast<std::int64_t>(in.key.tag.size()) > parameters_.max_tag_bytes;
  const bool bad_interval = kind == SyncKind::kPeriodic && in.min_interval_ms < 0;
  const bool denied = !Permitted(in.origin, kind) || !InstalledEnough(in.origin, kind);
  if (denied && !parameters_.client_checked_before_permission) return DeniedError();
  if (window_missing || too_long || bad_interval) return NoWindowError();
  if (denied) return DeniedError();
  return std::nullopt;
}

void Engine::Impl::On(const input::Register& in) {
  if (auto refusal = Refusal(in)) {
    Reply(in.token, std::move(refusal));
    return;
  }
  Entry* entry = registry_.Find(in.key.worker_registration, in.key.kind, in.key.tag);
  if (entry == nullptr) {
    const Origin* origin = registry_.FindOrigin(in.origin);
    const std::size_t bytes = RegistrationBytes(in.key.tag) + (origin != nullptr ? origin->bytes : 0);
    const std::int64_t most = parameters_.max_registration_bytes_per_origin;
    if (most > 0 && bytes > static_cast<std::size_t>(most)) return Reply(in.token, TooManyError());
    Create(in);
  } else if (entry->periodic()) {
    ReregisterPeriodic(in, *entry);
  } else {
    ReregisterOneShot(in, *entry);
  }
}

void Engine::Impl::Create(const input::Register& in) {
  Entry& entry = registry_.Add(in.key.worker_registration, in.origin, in.key.kind, in.key.tag);
  const bool notifications = ports_.policy.NotificationsAllowed(in.origin);
  entry.max_attempts =
      AttemptCount(notifications ? parameters_.max_attempts_with_notifications : parameters_.max_attempts);
  entry.registered_at = now_.wall;
  entry.anchor = now_.wall;
  entry.created_in = next_batch_;
  Held held{in.token, in.key.kind, {}};
  if (entry.periodic()) {
    entry.min_interval_ms = in.min_interval_ms;
    const auto wait = NextPeriod(entry);
    Schedule(entry, wait);
    held.records.push_back(
        LogLine(entry, "Got next event delay", {{"Next Attempt Delay (ms)", DelayText(wait)}}));
    held.records.push_back(
        LogLine(entry, "Registered periodicsync", {{"minInterval", std::to_string(in.min_interval_ms)}}));
  } else {
    entry.acknowledged = false;
    Schedule(entry, Duration::zero());
    held.records.push_back(LogLine(entry, "Registered sync"));
  }
  Touch(entry);
  ReplyWithBatch(std::move(held));
}

void Engine::Impl::ReregisterOneShot(const input::Register& in, Entry& entry) {
  const auto await_acknowledgement = [&] {
    entry.acknowledged = false;
    entry.acknowledge_by = parameters_.acknowledge_timeout > Duration::zero()
                               ? now_.mono + parameters_.acknowledge_timeout
                               : MonoTime::max();
  };
  if (entry.phase != Phase::kIdle) {
    entry.phase = Phase::kReregistered;
    await_acknowledgement();
    ReplyWhenStored(in.token, entry);
    return;
  }
  // Attempts that are used up count as waiting too, even when their retry is due and only the network is
  // missing.
  const bool waiting = entry.due > now_.mono || entry.attempts > 0;
  if (!waiting || !parameters_.reregister_waiting_fires_now) {
    if (!entry.acknowledged && entry.unstored == 0) {
      await_acknowledgement();
      Settle(entry);
    }
    ReplyWhenStored(in.token, entry);
    return;
  }
  if (parameters_.reregister_waiting_resets_attempts) entry.attempts = 0;
  entry.lost_network = false;
  entry.own_failures = 0;
  hurryable_.erase(&entry);
  entry.acknowledged = false;
  entry.acknowledge_by = MonoTime::max();  // the caller's time begins with its reply: Persisted
  Schedule(entry, Duration::zero());
  Touch(entry);
  ReplyWithBatch({in.token, SyncKind::kOneShot, {LogLine(entry, "Sync event reregistered")}});
}

void Engine::Impl::ReregisterPeriodic(const input::Register& in, Entry& entry) {
  if (in.min_interval_ms != entry.min_interval_ms) {
    ChangeInterval(in, entry);
    return;
  }
  if (entry.phase != Phase::kIdle) entry.phase = Phase::kReregistered;
  ReplyWhenStored(in.token, entry);
}

void Engine::Impl::ChangeInterval(const input::Register& in, Entry& entry) {
  entry.min_interval_ms = in.min_interval_ms;
  Held held{in.token, SyncKind::kPeriodic, {}};
  if (entry.phase != Phase::kIdle) {
    // The run that is under way ends the old period; the new interval counts from its end.
    entry.phase = Phase::kReregistered;
  } else {
    entry.attempts = 0;
    entry.own_failures = 0;
    entry.lost_network = false;
    hurryable_.erase(&entry);
    if (!parameters_.interval_change_keeps_anchor) entry.anchor = now_.wall;
    const auto wait = NextPeriod(entry, now_.wall - entry.anchor);
    Schedule(entry, wait);
    held.records.push_back(
        LogLine(entry, "Got next event delay", {{"Next Attempt Delay (ms)", DelayText(wait)}}));
  }
  held.records.push_back(
      LogLine(entry, "Registered periodicsync", {{"minInterval", std::to_string(in.min_interval_ms)}}));
  Touch(entry);
  ReplyWithBatch(std::move(held));
}

// A registration that exists already is acknowledged when what made it so is on disk.
void Engine::Impl::ReplyWhenStored(ReplyToken token, const Entry& entry) {
  if (entry.unstored == next_batch_) {
    ReplyWithBatch({token, entry.kind(), {}});  // this step has touched it already (a clock that was set)
    return;
  }
  const auto batch = in_flight_.find(entry.unstored);
  if (entry.unstored == 0 || batch == in_flight_.end()) {
    Reply(token);
    return;
  }
  batch->second.held.push_back({token, entry.kind(), {}});
}

void Engine::Impl::On(const input::Unregister& in) {
  if (!usable()) {
    Reply(in.token, UnusableError(SyncKind::kPeriodic));
    return;
  }
  Entry* entry = registry_.Find(in.worker_registration, SyncKind::kPeriodic, in.tag);
  if (entry == nullptr) {
    // Somebody else's removal of it may still be on its way to the disk.
    if (in_flight_.empty()) {
      Reply(in.token);
    } else {
      in_flight_.rbegin()->second.held.push_back({in.token, SyncKind::kPeriodic, {}});
    }
    return;
  }
  Held held{in.token, SyncKind::kPeriodic, {LogLine(*entry, "Unregistered periodicsync")}};
  Remove(*entry);
  ReplyWithBatch(std::move(held));
}

// Served from memory, so also while the store is down.
void Engine::Impl::On(const input::GetTags& in) {
  if (parameters_.disabled) {
    Reply(in.token, UnusableError(in.kind));
    return;
  }
  std::vector<std::string> tags;
  if (const Worker* worker = registry_.FindWorker(in.worker_registration)) {
    for (const auto& [key, entry] : worker->entries) {
      if (key.kind == in.kind) tags.push_back(key.tag);
    }
  }
  Reply(in.token, std::nullopt, std::move(tags));
}

}  // namespace vigil
