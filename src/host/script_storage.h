// Wires what scripts store (IndexedDB, Cache; src/storage) to the processes that ask for it. The services
// live on the storage thread; everything here is called on the event-loop thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "host/body.h"
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
  // CacheStorage.match() for the daemon itself: by the caches of the origin, or by one of them.
  struct CachedResponse {
    ipc::HttpResponse response;        // its body inline, or absent
    std::shared_ptr<BodySource> body;  // when it is large
  };
  boost::asio::awaitable<std::optional<CachedResponse>> MatchCache(std::string origin,
                                                                   ipc::HttpRequest request,
                                                                   std::optional<std::string> cache_name);
  void ProcessEnded(WorkerProcess& process);
  boost::asio::awaitable<storage::Usage> Measure(std::string origin);
  boost::asio::awaitable<Result<>> Clear(std::string origin);

 private:
  class Services;    // storage thread
  class CachedBody;  // reads a large body of a cache piece by piece
  void Introduce(WorkerProcess& process);
  void Enqueue(WorkerProcess& process, std::function<void()> job);

  HostContext& context_;
  std::shared_ptr<Services> services_;
  std::set<std::uint64_t> known_;           // processes the services know
  std::uint64_t last_reader_ = UINT64_MAX;  // clients that are no process count down from here
};

}  // namespace vigil::host
