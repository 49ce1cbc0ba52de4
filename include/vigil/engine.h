// The scheduler of Background Sync and Periodic Background Sync: a pure state machine.
//
// Step() takes one input and the present and returns what has to be done, in order. The engine reads no
// clock, does no I/O, starts no thread. Use from one thread. It has no errors of its own: what a caller did
// wrong is a Reply with a DOMException, what the store did wrong is an input (StoreFailed).
//
// The driver's duties:
//  - carry effects out in the order given; write Persist batches in the order of their numbers (several may
//  share a
//    transaction) and report each with Persisted or StoreFailed. The engine holds back every Reply and
//    Dispatch that depends on a batch until then.
//  - answer every Dispatch with exactly one DispatchFinished.
//  - call Step(Tick) at next_wake(), read again after every step.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "vigil/export.h"
#include "vigil/parameters.h"
#include "vigil/ports.h"
#include "vigil/registration.h"
#include "vigil/time.h"

namespace vigil {

using ReplyToken = std::uint64_t;     // the caller's; 0: no reply wanted
using DispatchToken = std::uint64_t;  // the engine's, never used twice
using BatchNumber = std::uint64_t;    // the engine's, ascending

// How an event ended. The names in quotes are those of the event log.
enum class DispatchOutcome : std::uint8_t {
  kSucceeded,   // "succeeded"
  kRejected,    // "waitUntil rejected"
  kFailed,      // "failed": the worker was stopped or died
  kAborted,     // "aborted"
  kTimeout,     // "timeout"
  kUnknown,     // "unknown error": the worker's script did not start
  kNotStarted,  // the event never reached the worker, by a fault of ours: does not count
};
VIGIL_API const char* DispatchOutcomeName(DispatchOutcome outcome);

namespace input {

// Everything that is stored, before any other input; in parts when it is much, best in the order of keys.
// Nothing fires before the last part.
struct Restore {
  std::vector<RegistrationRecord> records;
  bool more_follows = false;
};
struct Register {
  ReplyToken token = 0;
  RegistrationKey key;
  std::string origin;
  std::int64_t min_interval_ms = -1;  // periodic: ≥ 0
  bool has_active_worker = true;
  bool has_window_client = true;  // a top-level window client of the origin exists, controlled or not
};
// The promise of a one-shot register() was resolved at the caller. Unknown keys are ignored.
struct Acknowledge {
  WorkerRegistrationId worker_registration = 0;
  std::string tag;
};
// Periodic only: the specification has no unregister() for one-shot. An unknown tag is a success.
struct Unregister {
  ReplyToken token = 0;
  WorkerRegistrationId worker_registration = 0;
  std::string tag;
};
struct GetTags {
  ReplyToken token = 0;
  WorkerRegistrationId worker_registration = 0;
  SyncKind kind = SyncKind::kOneShot;
};
// Something about the network is different: connectivity or identity. Read again from NetworkPort.
struct NetworkChanged {};
// A setting, an installation or an uninstallation may have changed what the origin may do; empty: any origin.
struct PermissionChanged {
  std::string origin;
};
struct AppInstalled {
  std::string origin;
};
struct AppUninstalled {
  std::string origin;
};
// The user did something with the origin.
struct EngagementChanged {
  std::string origin;
};
struct WorkerRegistrationDeleted {
  ReplyToken token = 0;
  WorkerRegistrationId worker_registration = 0;
};
struct OriginCleared {
  ReplyToken token = 0;
  std::string origin;
};
// Developer tools: each offline=true needs one offline=false.
struct EmulateOffline {
  WorkerRegistrationId worker_registration = 0;
  bool offline = false;
};
struct Tick {};
struct DispatchFinished {
  DispatchToken token = 0;
  DispatchOutcome outcome = DispatchOutcome::kSucceeded;
  std::string text;  // of the first rejection, for people
};
struct Persisted {
  BatchNumber batch = 0;
};
struct StoreFailed {
  BatchNumber batch = 0;
  std::string message;
};
// The cause of a store failure may be gone (disk space was freed): try now instead of after
// store_retry_delay.
struct StoreRecovered {};

}  // namespace input

using Input =
    std::variant<input::Restore, input::Register, input::Acknowledge, input::Unregister, input::GetTags,
                 input::NetworkChanged, input::PermissionChanged, input::AppInstalled, input::AppUninstalled,
                 input::EngagementChanged, input::WorkerRegistrationDeleted, input::OriginCleared,
                 input::EmulateOffline, input::Tick, input::DispatchFinished, input::Persisted,
                 input::StoreFailed, input::StoreRecovered>;

// A DOMException for the script.
struct DomError {
  std::string name;  // "NotAllowedError" …
  std::string message;
  friend bool operator==(const DomError&, const DomError&) = default;
};

// Numbers of the DevTools protocol's background services; never renumber.
enum class LogService : std::uint8_t { kBackgroundSync = 3, kPeriodicBackgroundSync = 7 };

namespace effect {

// One transaction, or part of one. May be empty (a probe of the store).
struct Persist {
  BatchNumber batch = 0;
  std::vector<RecordChange> changes;
};
struct Reply {
  ReplyToken token = 0;
  std::optional<DomError> error;
  std::vector<std::string> tags;  // for GetTags, ascending
};
struct Dispatch {
  DispatchToken token = 0;
  RegistrationKey key;
  std::string origin;
  bool last_chance = false;  // one-shot only
  MonoTime deadline{};       // now + Parameters::sync_event_limit
};
// A line of the background services log.
struct Record {
  LogService service = LogService::kBackgroundSync;
  WorkerRegistrationId worker_registration = 0;
  std::string origin;
  std::string event_name;
  std::string tag;
  std::vector<std::pair<std::string, std::string>> metadata;
  WallTime at{};
};

}  // namespace effect

using Effect = std::variant<effect::Persist, effect::Reply, effect::Dispatch, effect::Record>;
using Effects = std::vector<Effect>;

struct StoreStatus {
  bool ok = true;
  std::string message;                 // why not
  std::optional<MonoTime> next_retry;  // when the store is tried again
};

class VIGIL_API Engine {
 public:
  Engine(const Parameters& parameters, Ports ports);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // O(log n) per registration touched. A change of the network looks at all that wait for it.
  Effects Step(const Input& input, Now now);

  // When Step(Tick) is due next; nullopt: not before another input. O(1).
  std::optional<MonoTime> next_wake() const;

  // nullopt: no such registration.
  std::optional<Explanation> Explain(const RegistrationKey& key, Now now) const;
  std::optional<RegistrationView> Find(const RegistrationKey& key, Now now) const;
  // Ascending by service worker registration, tag, kind.
  std::vector<RegistrationView> List(Now now) const;
  std::vector<RegistrationView> List(WorkerRegistrationId worker_registration, Now now) const;

  std::size_t size() const;    // registrations
  std::size_t firing() const;  // events dispatched and not finished
  // Developer tools keep this worker off the network (input::EmulateOffline).
  bool EmulatedOffline(WorkerRegistrationId worker_registration) const;
  StoreStatus store_status() const;
  const Parameters& parameters() const;

 private:
  class VIGIL_HIDDEN Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vigil
