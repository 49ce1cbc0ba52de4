// Drives the engine: turns calls of the host into inputs and carries effects out: records to the store,
// replies to callers, events to the dispatcher, lines to the event log, wake-ups to the clock.
//
// Event-loop thread only. Durability: a caller hears of its registration after the transaction that holds it
// is on disk. All batches that come up while one transaction is being written become the next one (group
// commit), so that one caller waits for one flush and many callers share one.
//
// Lifetime: everything handed over outlives the driver; call Stop() (or let Start() fail) and let the storage
// thread run empty before destroying it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/ports.h"
#include "store/event_log.h"
#include "vigil/engine.h"

namespace vigil::store {
class RegistrationStore;
}  // namespace vigil::store

namespace vigil::host {
class Clock;
class StorageThread;

struct SyncDriverDependencies {
  boost::asio::io_context& loop;
  Clock& clock;
  StorageThread& storage;
  store::RegistrationStore& registrations;  // storage thread
  store::EventLog& events;                  // storage thread
  SyncDispatcher& dispatcher;
  Ports ports;
};

class SyncDriver final : public SyncService {
 public:
  SyncDriver(SyncDriverDependencies dependencies, const Parameters& parameters);
  ~SyncDriver() override;
  SyncDriver(const SyncDriver&) = delete;
  SyncDriver& operator=(const SyncDriver&) = delete;

  // Loads the stored registrations; from then on things fire. Call it when the network's state is known and
  // the host is ready to dispatch. Calls of SyncService that come earlier wait for it.
  boost::asio::awaitable<Result<>> Start();
  // Nothing is dispatched any more; what is being written is finished. Results of running events are ignored.
  void Stop();

  // SyncService
  void Register(SyncRegisterCall call, Done done) override;
  void GetTags(SyncKind kind, std::uint64_t registration_id, TagsDone done) override;
  void Unregister(std::uint64_t registration_id, std::string tag, Done done) override;
  void Acknowledge(std::uint64_t registration_id, std::string tag, std::uint64_t caller) override;
  void CallerGone(std::uint64_t caller) override;
  void RegistrationKnown(std::uint64_t registration_id, std::string origin) override;
  void RegistrationDeleted(std::uint64_t registration_id) override;
  void OriginCleared(std::string origin) override;
  void WindowClientsChanged(std::string origin, int count) override;

  // Call after the ports answer differently.
  void NetworkChanged();
  void PermissionChanged(const std::string& origin);  // empty: any origin
  void AppInstalled(const std::string& origin);
  void AppUninstalled(const std::string& origin);
  void EngagementChanged(const std::string& origin);
  void EmulateOffline(std::uint64_t registration_id, bool offline);

  // What `vigil syncs` shows. Ascending by service worker registration, tag, kind.
  std::vector<vigil::RegistrationView> List() const;
  std::vector<vigil::RegistrationView> List(std::uint64_t registration_id) const;
  // Why its last run failed, in words; empty: it did not, or that is not known any more.
  std::string LastFailure(const RegistrationKey& key) const;
  // Dispatches straight to the worker and touches no registration, as DevTools' buttons do. Logged like any
  // event. done is called once. Offline: kRejected, as there.
  void Fire(SyncKind kind, std::uint64_t registration_id, std::string origin, std::string tag,
            bool last_chance, SyncDispatcher::Done done);

  // Events as they were appended to the log (only those of services being recorded). Set before Start().
  void OnEvents(std::function<void(const std::vector<store::LoggedEvent>&)> sink);
  // The three days of a recording are over, as the first event after them shows. Set before Start().
  void OnRecordingEnded(std::function<void(store::Service)> sink);
  // Something about registrations or running events may have changed. Set before Start().
  void OnChange(std::function<void()> sink);

  const Engine& engine() const;
  // Transactions that were asked of the store since the start; batches share them.
  std::uint64_t transactions() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace vigil::host
