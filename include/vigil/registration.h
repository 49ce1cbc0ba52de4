// What a registration is: its key, the record that survives a restart, and how it is shown.
//
// Plain values, no invariants beyond those in the comments, no thread rules.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "vigil/export.h"
#include "vigil/time.h"

namespace vigil {

// Which of the two specifications a registration belongs to. They have separate tag name spaces.
// The numbers are written to disk: never renumber.
enum class SyncKind : std::uint8_t { kOneShot = 0, kPeriodic = 1 };
// "sync", "periodicsync": also the names of the events.
VIGIL_API const char* SyncKindName(SyncKind kind);

// Identifies a service worker registration; given out by the embedder, never used twice.
using WorkerRegistrationId = std::uint64_t;

struct RegistrationKey {
  WorkerRegistrationId worker_registration = 0;
  SyncKind kind = SyncKind::kOneShot;
  std::string tag;  // UTF-8, may be empty
  friend bool operator==(const RegistrationKey&, const RegistrationKey&) = default;
  friend bool operator<(const RegistrationKey& a, const RegistrationKey& b) {
    return std::tie(a.kind, a.worker_registration, a.tag) < std::tie(b.kind, b.worker_registration, b.tag);
  }
};

// One registration as it is stored. That it is running is never stored: after a restart it is due again.
struct RegistrationRecord {
  RegistrationKey key;
  std::string origin;                 // serialized, "https://shop.example"
  std::int64_t min_interval_ms = -1;  // periodic: as the script gave it, ≥ 0; one-shot: -1
  std::int64_t attempts = 0;          // finished and failed, since the last success or period
  std::int64_t max_attempts = 0;      // 0: take the present parameter
  std::optional<WallTime> due;  // next run, not before; nullopt: suspended (periodic without engagement)
  Duration delay{};             // the wait that led to due; a restart never waits longer than this
  WallTime anchor{};            // periodic: end of the last period, or when it was registered
  WallTime registered_at{};
  std::optional<WallTime> last_fired;  // periodic: start of the newest first attempt of a period
  bool lost_network = false;           // the failed run lost the network: retry as soon as it is back
  friend bool operator==(const RegistrationRecord&, const RegistrationRecord&) = default;
};

// One change of a stored record.
struct RecordChange {
  enum class Op : std::uint8_t { kPut, kErase };
  Op op = Op::kPut;
  RegistrationRecord record;  // kErase: only its key counts
  friend bool operator==(const RecordChange&, const RecordChange&) = default;
};

// States of the specifications. "waiting" is a failed one-shot (or periodic) registration before its retry.
enum class SyncState : std::uint8_t { kPending, kWaiting, kFiring, kReregisteredWhileFiring, kSuspended };
// "pending" "waiting" "firing" "reregistered-while-firing" "suspended"
VIGIL_API const char* SyncStateName(SyncState state);

// Why a registration is not running at this moment.
enum class WaitReason : std::uint8_t {
  kRunning,      // it is running
  kReady,        // nothing is in its way; it starts with the next step
  kDisabled,     // Parameters::disabled
  kStoreFailed,  // registrations cannot be stored at present
  kStoring,      // its record is being written
  kPermissionDenied,
  kNotInstalled,     // periodic needs an installed app
  kSuspended,        // no engagement
  kNotAcknowledged,  // the caller has not seen the resolved promise yet
  kOwnFailure,       // the last start failed through a fault of ours; tried again shortly
  kRetry,            // waits for a retry
  kPeriod,           // waits for the end of its period
  kOffline,
  kEmulatedOffline,  // developer tools keep its worker offline
  kUnknownNetwork,   // the user was never on this network with the app
  kAcrossOrigins,    // Parameters::min_periodic_gap_across_origins
  kQueued,           // Parameters::max_parallel_events are running
};
// "running" "waiting-for-retry" "offline" …, stable, used in JSON.
VIGIL_API const char* WaitReasonName(WaitReason reason);

struct Explanation {
  SyncState state = SyncState::kPending;
  WaitReason reason = WaitReason::kReady;
  std::string sentence;  // for people, without a full stop; times are UTC
  std::optional<WallTime>
      next_time;  // the earliest moment at which it can run as things stand, if that is a time
};

// A registration as it is listed.
struct RegistrationView {
  RegistrationKey key;
  std::string origin;
  std::int64_t min_interval_ms = -1;
  std::int64_t attempts = 0;
  std::int64_t max_attempts = 0;
  WallTime registered_at{};
  Explanation explanation;
};

}  // namespace vigil
