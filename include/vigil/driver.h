// The engine with everything around it that is the same in every host: carries the engine's effects out
// through ports, keeps the order of inputs and writes, and arms the clock.
//
// A host implements StorePort, DispatcherPort, ClockPort and the questions of ports.h, calls Start() once,
// and then tells the driver what happens. memory_ports.h has all of them in memory, for tests. Hosts with
// needs of their own (another way to batch writes) drive the Engine themselves; its header states the duties.
//
// Threads: use from one thread; every port is called on it, during a call of the driver. Ports and reply
// handlers may call the driver again: what they say waits until the effects under way are carried out. They
// must not destroy it, and must not throw.
//
// Errors: what a script did wrong is the DomError of its reply; what the store did wrong shows in
// engine().store_status(), and the driver tries again by itself. Nothing else can fail.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vigil/engine.h"
#include "vigil/export.h"

namespace vigil {

// Number of a write, ascending.
using WriteToken = std::uint64_t;

struct LoadResult {
  std::vector<RegistrationRecord> records;
  std::optional<std::string> error;  // why they cannot be read; records are ignored then
};

struct WriteResult {
  enum class State : std::uint8_t { kWritten, kFailed, kLater };
  State state = State::kWritten;
  std::string message;  // kFailed: why, for people

  static WriteResult Written() { return {}; }
  static WriteResult Failed(std::string why) { return {State::kFailed, std::move(why)}; }
  // The outcome comes through Driver::WriteFinished.
  static WriteResult Later() { return {State::kLater, {}}; }
};

// Where registrations survive. The promise "what was acknowledged is never lost" is kept here.
class StorePort {
 public:
  virtual ~StorePort() = default;
  // Everything stored. Asked once, by Start().
  virtual LoadResult Load() = 0;
  // Applies all changes in their order, or none of them, and answers when they are on the disk (synced). May
  // be empty: then it asks whether the store can be written again. At most one write is under way; what comes
  // up meanwhile arrives together in the next.
  virtual WriteResult Write(WriteToken token, const std::vector<RecordChange>& changes) = 0;
};

// Runs events.
class DispatcherPort {
 public:
  virtual ~DispatcherPort() = default;
  // Fire `sync` or `periodicsync` at the service worker. Answer with exactly one Driver::EventFinished, now
  // or later; end the event yourself at its deadline (outcome kTimeout).
  virtual void Dispatch(const effect::Dispatch& event) = 0;
};

// The present, and a call when it is time.
class ClockPort {
 public:
  virtual ~ClockPort() = default;
  // The monotonic part never goes back.
  virtual Now Read() = 0;
  // Call Driver::Tick at this moment (later is late, earlier is harmless). Replaces the wish before; nullopt:
  // there is nothing to wait for.
  virtual void WakeAt(std::optional<MonoTime> when) = 0;
};

// All must outlive the driver.
struct DriverPorts {
  const PolicyPort& policy;
  const NetworkPort& network;
  RandomPort& random;
  StorePort& store;
  DispatcherPort& dispatcher;
  ClockPort& clock;
};

class VIGIL_API Driver {
 public:
  using Done = std::function<void(const std::optional<DomError>& error)>;
  using TagsDone =
      std::function<void(const std::optional<DomError>& error, const std::vector<std::string>& tags)>;
  using OnLog = std::function<void(const effect::Record&)>;

  Driver(const Parameters& parameters, const DriverPorts& ports);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Loads what is stored and begins: events that are due are dispatched before it returns. nullopt: started.
  // Else why not; it may be called again. Calls that come earlier wait for it.
  [[nodiscard]] std::optional<std::string> Start();

  // --- what scripts ask. `token` of the input is set by the driver; `done` may be empty.
  void Register(input::Register in, Done done);
  void Unregister(input::Unregister in, Done done);
  void GetTags(input::GetTags in, TagsDone done);
  // After a one-shot registration was answered without an error and the script has seen it. Until then, or
  // until Parameters::acknowledge_timeout, it does not fire.
  void Acknowledge(WorkerRegistrationId worker_registration, std::string tag);

  // --- what ports report
  void Tick();
  // Tokens that were never given out are refused with false; a second report of an event is ignored.
  bool EventFinished(DispatchToken token, DispatchOutcome outcome, std::string text = {});
  // error: nullopt when it is on the disk. false: this write is not under way.
  bool WriteFinished(WriteToken token, std::optional<std::string> error);

  // --- what happens in the world. Change what the port answers first.
  void NetworkChanged();
  void PermissionChanged(std::string origin);  // "": of any origin
  void AppInstalled(std::string origin);
  void AppUninstalled(std::string origin);
  void EngagementChanged(std::string origin);
  // The cause of a store failure may be gone: try at once.
  void StoreRecovered();
  // `done` is called when the removal is on the disk.
  void WorkerRegistrationDeleted(WorkerRegistrationId worker_registration, Done done);
  void OriginCleared(std::string origin, Done done);
  // Developer tools: each true needs one false.
  void EmulateOffline(WorkerRegistrationId worker_registration, bool offline);

  // Lines of the background services log, as they come up. Set before Start.
  void SetLog(OnLog on_log);

  // To look at registrations and their reasons.
  const Engine& engine() const;
  Now now() const;

 private:
  class VIGIL_HIDDEN Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vigil
