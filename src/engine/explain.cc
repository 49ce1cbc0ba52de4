// Why a registration is not running: one function that the engine itself obeys and that users are told of.
#include <fmt/format.h>

#include "base/duration.h"
#include "engine/delays.h"
#include "engine/engine_impl.h"

namespace vigil {

bool Engine::Impl::Permitted(const std::string& origin, SyncKind kind) const {
  return parameters_.skip_permission_check || ports_.policy.Allowed(origin, kind);
}

bool Engine::Impl::InstalledEnough(const std::string& origin, SyncKind kind) const {
  return kind == SyncKind::kOneShot || parameters_.skip_permission_check ||
         !parameters_.installation_required || ports_.policy.Installed(origin);
}

// What lasts longest comes first: a denied permission is the better answer even while a retry waits for its
// time.
WaitReason Engine::Impl::Why(const Entry& entry, Now now) const {
  if (entry.phase != Phase::kIdle) return WaitReason::kRunning;
  if (parameters_.disabled) return WaitReason::kDisabled;
  if (!store_ok_) return WaitReason::kStoreFailed;
  const std::string& origin = entry.worker->origin->name;
  const SyncKind kind = entry.kind();
  if (parameters_.permission_checked_at_fire) {
    if (!Permitted(origin, kind)) return WaitReason::kPermissionDenied;
    if (!InstalledEnough(origin, kind)) return WaitReason::kNotInstalled;
  }
  if (entry.suspended) return WaitReason::kSuspended;
  if (entry.unstored != 0) return WaitReason::kStoring;
  if (!entry.acknowledged) return WaitReason::kNotAcknowledged;
  if (entry.due > now.mono) {
    if (entry.own_failures > 0) return WaitReason::kOwnFailure;
    return entry.periodic() && entry.attempts == 0 ? WaitReason::kPeriod : WaitReason::kRetry;
  }
  if (!ports_.network.Online()) return WaitReason::kOffline;
  if (EmulatedOffline(entry.worker->id)) return WaitReason::kEmulatedOffline;
  if (entry.periodic()) {
    if (parameters_.known_network_required && !ports_.network.KnownNetwork(origin))
      return WaitReason::kUnknownNetwork;
    if (parameters_.engagement_checked_at_fire &&
        EngagementFactor(parameters_, ports_.policy.Engagement(origin, now)) <= 0) {
      return WaitReason::kSuspended;
    }
    if (LaterSlot(entry, now.mono)) return WaitReason::kAcrossOrigins;
  }
  if (AllPlacesTaken() || LaneIsFull(origin)) return WaitReason::kQueued;
  return WaitReason::kReady;
}

bool Engine::Impl::AllPlacesTaken() const {
  const auto places = static_cast<std::size_t>(parameters_.max_parallel_events);
  return places > 0 && running_.size() >= places;
}

bool Engine::Impl::LaneIsFull(const std::string& origin) const {
  const auto places = static_cast<std::size_t>(parameters_.max_parallel_events_per_origin);
  if (places == 0) return false;
  const auto lane = lanes_.find(origin);
  return lane != lanes_.end() && lane->second.running >= places;
}

// Periodic Background Sync names the two limits "for any origin" and "across origins". One slot serves all
// origins: who becomes due while it is open joins it, all others wait for the next. A run that failed through
// a fault of ours has had its slot already.
std::optional<MonoTime> Engine::Impl::LaterSlot(const Entry& entry, MonoTime now) const {
  if (!slot_start_ || entry.attempts > 0 || entry.own_failures > 0) return std::nullopt;
  if (now - *slot_start_ <= parameters_.periodic_batch_window) return std::nullopt;
  const MonoTime next = *slot_start_ + parameters_.min_periodic_gap_across_origins;
  return next > now ? std::optional(next) : std::nullopt;
}

std::optional<WallTime> Engine::Impl::NextTime(const Entry& entry, WaitReason reason, Now now) const {
  const auto calendar = [&](MonoTime when) { return now.wall + (when - now.mono); };
  switch (reason) {
    case WaitReason::kRetry:
    case WaitReason::kPeriod:
    case WaitReason::kOwnFailure:
      return calendar(entry.due);
    case WaitReason::kNotAcknowledged:
      if (entry.acknowledge_by == MonoTime::max()) return std::nullopt;
      return calendar(std::max(entry.due, entry.acknowledge_by));
    case WaitReason::kAcrossOrigins:
      return calendar(*LaterSlot(entry, now.mono));
    case WaitReason::kStoreFailed:
      if (!store_retry_at_) return std::nullopt;
      return calendar(std::max(*store_retry_at_, now.mono));
    default:
      return std::nullopt;
  }
}

std::string Sentence(const Entry& entry, WaitReason reason, std::optional<WallTime> next,
                     const std::string& store_message) {
  const std::string at = next ? FormatUtc(next->time_since_epoch().count()) : std::string();
  const std::string attempt = fmt::format("{} of {}", entry.attempts + 1, entry.max_attempts);
  switch (reason) {
    case WaitReason::kRunning:
      return fmt::format("running, attempt {}", attempt);
    case WaitReason::kReady:
      return "ready: starts now";
    case WaitReason::kDisabled:
      return "background sync is switched off for all apps (parameter disabled)";
    case WaitReason::kStoreFailed:
      return fmt::format("registrations cannot be stored at present, so nothing fires: {}", store_message);
    case WaitReason::kStoring:
      return "being written to disk";
    case WaitReason::kPermissionDenied:
      return fmt::format(
          "permission denied: {} is set to deny for this origin",
          entry.periodic() ? "periodic-background-sync or background-sync" : "background-sync");
    case WaitReason::kNotInstalled:
      return "the app is not installed; periodic sync needs an installed app";
    case WaitReason::kSuspended:
      return "suspended: no engagement with this site; goes on when its user uses it again";
    case WaitReason::kNotAcknowledged:
      return "waiting until the page has seen that register() succeeded";
    case WaitReason::kOwnFailure:
      return fmt::format("Vigil could not start the event ({} times); attempt {} is made again at {}",
                         entry.own_failures, attempt, at);
    case WaitReason::kRetry:
      return fmt::format("waiting for retry: attempt {} at {}", attempt, at);
    case WaitReason::kPeriod:
      return fmt::format("waiting for its period to end at {}", at);
    case WaitReason::kOffline:
      return "offline: waiting for the network";
    case WaitReason::kEmulatedOffline:
      return "offline: developer tools keep this worker off the network";
    case WaitReason::kUnknownNetwork:
      return "network not known: the app was never used on this network; open it once here";
    case WaitReason::kAcrossOrigins:
      return fmt::format("waiting because another app's periodic sync ran lately; next slot at {}", at);
    case WaitReason::kQueued:
      return "waiting for other events to finish (parameters max_parallel_events, "
             "max_parallel_events_per_origin)";
  }
  return "ready: starts now";
}

Explanation Engine::Impl::Explain(const Entry& entry, Now now) const {
  Explanation out;
  out.reason = Why(entry, now);
  out.next_time = NextTime(entry, out.reason, now);
  out.sentence = Sentence(entry, out.reason, out.next_time, store_message_);
  if (entry.phase == Phase::kFiring) {
    out.state = SyncState::kFiring;
  } else if (entry.phase == Phase::kReregistered) {
    out.state = SyncState::kReregisteredWhileFiring;
  } else if (entry.suspended) {
    out.state = SyncState::kSuspended;
  } else if (entry.attempts > 0 && entry.due > now.mono) {
    out.state = SyncState::kWaiting;
  }
  return out;
}

const Entry* Engine::Impl::Find(const RegistrationKey& key) const {
  return registry_.Find(key.worker_registration, key.kind, key.tag);
}

RegistrationView Engine::Impl::View(const Entry& entry, Now now) const {
  RegistrationView view;
  view.key = {entry.worker->id, entry.kind(), entry.key->tag};
  view.origin = entry.worker->origin->name;
  view.min_interval_ms = entry.min_interval_ms;
  view.attempts = entry.attempts;
  view.max_attempts = entry.max_attempts;
  view.registered_at = entry.registered_at;
  view.explanation = Explain(entry, now);
  return view;
}

}  // namespace vigil
