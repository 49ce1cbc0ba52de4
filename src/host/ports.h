// What the host asks of its neighbours and what they ask of it: the small interfaces that keep the host, the
// background sync driver and the policy state apart. All calls are made on the event-loop thread; callbacks
// are called there too, possibly before the call returns unless it says otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "vigil/time.h"

namespace vigil::host {

// Becomes an exception in the script: a DOMException of this name, or a TypeError ("TypeError").
struct ScriptError {
  std::string name;
  std::string message;
  std::string detail = {};  // what the developer is told instead of the message, outside of scripts

  const std::string& Told() const { return detail.empty() ? message : detail; }
  friend bool operator==(const ScriptError&, const ScriptError&) = default;
};
template <class T = void>
using ScriptResult = tl::expected<T, ScriptError>;

enum class SyncKind { kOneShot, kPeriodic };

// One call of SyncManager.register or PeriodicSyncManager.register that the host found to be legitimate: the
// service worker registration exists, belongs to the caller's origin and has an active worker.
struct SyncRegisterCall {
  SyncKind kind = SyncKind::kOneShot;
  std::uint64_t registration_id = 0;  // of the service worker registration
  std::string origin;                 // serialized, "https://shop.example"
  std::string tag;                    // UTF-8
  Duration min_interval{0};           // periodic only
  std::uint64_t caller = 0;  // the process that asked (WorkerProcess id), for Acknowledge and CallerGone
};

// Background sync as the host sees it. Implemented by SyncDriver.
class SyncService {
 public:
  using Done = std::function<void(ScriptResult<>)>;
  using TagsDone = std::function<void(ScriptResult<std::vector<std::string>>)>;

  virtual ~SyncService() = default;
  // done is called once, after the record is durable or the call was refused.
  virtual void Register(SyncRegisterCall call, Done done) = 0;
  virtual void GetTags(SyncKind kind, std::uint64_t registration_id, TagsDone done) = 0;
  // Periodic only. An unknown tag is not an error.
  virtual void Unregister(std::uint64_t registration_id, std::string tag, Done done) = 0;
  // The script of this caller has seen register()'s promise resolve: the event may fire.
  virtual void Acknowledge(std::uint64_t registration_id, std::string tag, std::uint64_t caller) = 0;
  // The process is gone: its calls that were not acknowledged count as acknowledged (they were made durable).
  virtual void CallerGone(std::uint64_t caller) = 0;

  // Every service worker registration is made known before anything else is said about it, also at start.
  virtual void RegistrationKnown(std::uint64_t registration_id, std::string origin) = 0;
  virtual void RegistrationDeleted(std::uint64_t registration_id) = 0;
  virtual void OriginCleared(std::string origin) = 0;
  // Number of window clients (pages) of the origin that are open now.
  virtual void WindowClientsChanged(std::string origin, int count) = 0;
};

// How a functional event ended.
struct DispatchOutcome {
  enum class Kind {
    kSucceeded,
    kRejected,    // a waitUntil() promise rejected
    kFailed,      // the worker died, was killed, or its script could not be run
    kTimeout,     // the event's limit passed; the worker lives on, its answer will be ignored
    kNotStarted,  // trouble of ours (no process, no registration, shutting down): never counts as an attempt
  };
  Kind kind = Kind::kNotStarted;
  std::string text;  // the rejection, or what happened; empty on success
  // Monotonic microseconds (CLOCK_MONOTONIC, also under a virtual clock); 0: did not get so far.
  std::int64_t dispatched_us = 0;       // the dispatch was asked for
  std::int64_t handler_started_us = 0;  // the first listener was entered
  std::int64_t finished_us = 0;
};
const char* DispatchOutcomeName(DispatchOutcome::Kind kind);  // "succeeded", "rejected", …

// What the sync driver asks of the host. Implemented by Host.
class SyncDispatcher {
 public:
  using Done = std::function<void(DispatchOutcome)>;
  struct SyncEvent {
    SyncKind kind = SyncKind::kOneShot;
    std::uint64_t registration_id = 0;
    std::string tag;
    bool last_chance = false;
    Duration limit{0};  // on the Clock's time; 0: the host's default of three minutes
  };
  virtual ~SyncDispatcher() = default;
  // Starts the worker if it is stopped. done is called exactly once, never before this returns.
  virtual void DispatchSyncEvent(SyncEvent event, Done done) = 0;
  // The registration exists and has an active (or activating) worker.
  virtual bool CanDispatch(std::uint64_t registration_id) const = 0;
};

// How a page came to be opened. Only what shows that its user wanted this very app earns points.
enum class Navigation {
  kChosen,  // typed, a bookmark, an app's link, or a window that a click on a notification opened
  kLink,    // a link was followed, or a script navigated
};
// What its user does with an app; feeds the site engagement. Origins are serialized; `page` is a client id.
class EngagementSink {
 public:
  virtual ~EngagementSink() = default;
  virtual void PageOpened(const std::string& page, const std::string& origin, Navigation navigation) = 0;
  virtual void PageShown(const std::string& page) = 0;  // it came into view again
  virtual void PageClosed(const std::string& page) = 0;
  // A key, a click, a touch, the beginning of a scroll. true: it earned its points.
  virtual bool Input(const std::string& page, const std::string& origin) = 0;
  // A player of the page is active; to be told again as long as it is. true: it earned its points.
  virtual bool Media(const std::string& page, const std::string& origin, bool visible) = 0;
  virtual void NotificationClicked(const std::string& origin) = 0;
  virtual void AppLaunched(const std::string& origin) = 0;
};

enum class PermissionState { kGranted, kDenied, kPrompt };
const char* PermissionStateName(PermissionState state);  // "granted", "denied", "prompt"

// Permissions as scripts and the host see them; names as in the Permissions specification and its registry
// ("background-sync", "periodic-background-sync", "notifications", "persistent-storage" …).
// Implemented by the composition root over policy/ (the periodic one depends on the installed apps).
class PermissionSource {
 public:
  virtual ~PermissionSource() = default;
  // No value: a name that is not known.
  virtual std::optional<PermissionState> Query(const std::string& origin, const std::string& name) const = 0;
};

// The host tells when the set of installed apps changes (after the change is durable), and at start for each
// app.
class AppObserver {
 public:
  virtual ~AppObserver() = default;
  virtual void AppInstalled(const std::string& origin) = 0;
  virtual void AppUninstalled(const std::string& origin) = 0;  // the origin has no installed app any more
};

}  // namespace vigil::host
