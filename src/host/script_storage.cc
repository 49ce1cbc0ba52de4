#include "host/script_storage.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "host/processes.h"
#include "host/storage_thread.h"
#include "storage/cache_service.h"
#include "storage/idb_service.h"

namespace vigil::host {
namespace asio = boost::asio;

// Made on the loop thread, used and destroyed on the storage thread. Answers go back by way of the loop, in
// order.
class ScriptStorage::Services final : public storage::IdbSink {
 public:
  Services(HostContext& context)
      : context_(context),
        directories(context.options.storage_directory, kQuotaBytes),
        idb(directories, *this),
        cache(directories) {}

  void OnReply(storage::ClientId client, std::uint64_t request_id, ipc::IdbReply reply) override {
    asio::post(context_.executor,
               [context = &context_, client, request_id, reply = std::move(reply)]() mutable {
                 auto process = context->processes ? context->processes->ById(client) : nullptr;
                 if (!process) return;
                 ipc::Reply message;
                 message.set_id(request_id);
                 *message.mutable_idb() = std::move(reply);
                 process->Reply(std::move(message));
               });
  }
  void OnNotice(storage::ClientId client, ipc::IdbNotice notice) override {
    asio::post(context_.executor, [context = &context_, client, notice = std::move(notice)]() mutable {
      auto process = context->processes ? context->processes->ById(client) : nullptr;
      if (!process) return;
      ipc::ToWorker message;
      *message.mutable_idb() = std::move(notice);
      process->Send(std::move(message));
    });
  }

 private:
  HostContext& context_;

 public:
  storage::OriginDirectories directories;
  storage::IdbService idb;
  storage::CacheService cache;
};

ScriptStorage::ScriptStorage(HostContext& context)
    : context_(context), services_(std::make_shared<Services>(context)) {}

ScriptStorage::~ScriptStorage() {
  // The last reference is dropped by the storage thread, where the open files belong.
  context_.deps.storage.Post([services = std::exchange(services_, nullptr)]() mutable { services.reset(); });
}

void ScriptStorage::Introduce(WorkerProcess& process) {
  if (!known_.insert(process.id()).second) return;
  context_.deps.storage.Post([services = services_.get(), id = process.id(), origin = process.origin()] {
    services->idb.AddClient(id, origin);
    services->cache.AddClient(id, origin);
  });
}

void ScriptStorage::Idb(WorkerProcess& process, std::uint64_t request_id, ipc::IdbRequest request) {
  Introduce(process);
  context_.deps.storage.Post(
      [services = services_.get(), id = process.id(), request_id, request = std::move(request)] {
        services->idb.Handle(id, request_id, request);
      });
}

void ScriptStorage::Cache(WorkerProcess& process, std::uint64_t request_id, ipc::CacheRequest request) {
  Introduce(process);
  context_.deps.storage.Post([services = services_.get(), context = &context_, id = process.id(), request_id,
                              request = std::move(request)] {
    auto reply = services->cache.Handle(id, request);
    asio::post(context->executor, [context, id, request_id, reply = std::move(reply)]() mutable {
      auto target = context->processes ? context->processes->ById(id) : nullptr;
      if (!target) return;
      ipc::Reply message;
      message.set_id(request_id);
      *message.mutable_cache() = std::move(reply);
      target->Reply(std::move(message));
    });
  });
}

void ScriptStorage::ProcessEnded(WorkerProcess& process) {
  if (known_.erase(process.id()) == 0) return;
  context_.deps.storage.Post([services = services_.get(), id = process.id()] {
    services->idb.RemoveClient(id);
    services->cache.RemoveClient(id);
  });
}

asio::awaitable<storage::Usage> ScriptStorage::Measure(std::string origin) {
  auto services = services_.get();
  auto measure = [services, origin = std::move(origin)] { return services->directories.Measure(origin); };
  co_return co_await context_.deps.storage.Run(std::move(measure));
}

asio::awaitable<Result<>> ScriptStorage::Clear(std::string origin) {
  auto services = services_.get();
  auto clear = [services, origin = std::move(origin)]() -> Result<> {
    VIGIL_TRY(services->idb.ClearOrigin(origin));
    VIGIL_TRY(services->cache.ClearOrigin(origin));
    return services->directories.Remove(origin);
  };
  co_return co_await context_.deps.storage.Run(std::move(clear));
}

}  // namespace vigil::host
