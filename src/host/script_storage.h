// Wires what scripts store (IndexedDB, Cache; src/storage) to the processes that ask for it. The services
// live on the storage thread; everything here is called on the event-loop thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/result.h"
#include "host/context.h"
#include "host/process.h"
#include "storage/origin_directories.h"

namespace vigil::host {

class ScriptStorage {
 public:
  explicit ScriptStorage(HostContext& context);
  ~ScriptStorage();

  void Idb(WorkerProcess& process, std::uint64_t request_id, ipc::IdbRequest request);
  void Cache(WorkerProcess& process, std::uint64_t request_id, ipc::CacheRequest request);
  void ProcessEnded(WorkerProcess& process);
  boost::asio::awaitable<storage::Usage> Measure(std::string origin);
  boost::asio::awaitable<Result<>> Clear(std::string origin);

 private:
  class Services;  // storage thread
  void Introduce(WorkerProcess& process);
  void Enqueue(WorkerProcess& process, std::function<void()> job);

  HostContext& context_;
  std::shared_ptr<Services> services_;
  std::set<std::uint64_t> known_;  // processes the services know
};

}  // namespace vigil::host
