#include "host/script_storage.h"

#include <boost/asio/post.hpp>
#include <deque>
#include <functional>
#include <map>
#include <utility>

#include "host/storage_thread.h"
#include "storage/cache_service.h"
#include "storage/idb_service.h"

namespace vigil::host {
namespace asio = boost::asio;

// Made on the loop thread, used and destroyed on the storage thread. From there the answers go straight to
// the processes: waking up the loop for each would cost as much as the answer.
class ScriptStorage::Services final : public storage::IdbSink, public std::enable_shared_from_this<Services> {
 public:
  Services(HostContext& context)
      : context_(context),
        directories(context.options.storage_directory,
                    static_cast<std::uint64_t>(context.options.caps.quota_bytes)),
        idb(directories, *this),
        cache(directories) {}

  // Clients take turns, one request each: whoever asks for much waits for himself. Between two turns the
  // storage thread does what else waits for it.
  void Enqueue(storage::ClientId client, std::function<void()> job) {
    waiting_[client].push_back(std::move(job));
    if (!std::exchange(turning_, true)) PostTurn();
  }
  void Introduce(storage::ClientId client, const std::string& origin,
                 WorkerProcess::Correspondent correspondent) {
    correspondents_.emplace(client, std::move(correspondent));
    idb.AddClient(client, origin);
    cache.AddClient(client, origin);
  }
  void Remove(storage::ClientId client) {
    waiting_.erase(client);
    correspondents_.erase(client);
    idb.RemoveClient(client);
    cache.RemoveClient(client);
  }

  void OnReply(storage::ClientId client, std::uint64_t request_id, ipc::IdbReply reply) override {
    ipc::Reply message;
    message.set_id(request_id);
    *message.mutable_idb() = std::move(reply);
    Answer(client, std::move(message));
  }
  void OnCacheReply(storage::ClientId client, std::uint64_t request_id, ipc::CacheReply reply) {
    ipc::Reply message;
    message.set_id(request_id);
    *message.mutable_cache() = std::move(reply);
    Answer(client, std::move(message));
  }
  void OnNotice(storage::ClientId client, ipc::IdbNotice notice) override {
    const auto correspondent = correspondents_.find(client);
    if (correspondent == correspondents_.end()) return;
    ipc::ToWorker message;
    *message.mutable_idb() = std::move(notice);
    correspondent->second.Send(std::move(message));
  }

 private:
  void Turn() {
    auto next = waiting_.upper_bound(last_client_);
    if (next == waiting_.end()) next = waiting_.begin();
    if (next != waiting_.end()) {
      last_client_ = next->first;
      auto job = std::move(next->second.front());
      next->second.pop_front();
      if (next->second.empty()) waiting_.erase(next);
      job();
    }
    turning_ = !waiting_.empty();
    if (turning_) PostTurn();
  }
  void Answer(storage::ClientId client, ipc::Reply reply) {
    const auto correspondent = correspondents_.find(client);
    if (correspondent != correspondents_.end()) correspondent->second.Reply(std::move(reply));
  }
  void PostTurn() {
    context_.deps.storage.Post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->Turn();
    });
  }

  HostContext& context_;
  std::map<storage::ClientId, WorkerProcess::Correspondent> correspondents_;
  std::map<storage::ClientId, std::deque<std::function<void()>>> waiting_;
  storage::ClientId last_client_ = 0;
  bool turning_ = false;

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
  auto introduce = [services = services_.get(), id = process.id(), origin = process.origin(),
                    correspondent = process.correspondent()] {
    services->Introduce(id, origin, correspondent);
  };
  context_.deps.storage.Post(std::move(introduce));
}

void ScriptStorage::Enqueue(WorkerProcess& process, std::function<void()> job) {
  context_.deps.storage.Post([services = services_.get(), id = process.id(), job = std::move(job)]() mutable {
    services->Enqueue(id, std::move(job));
  });
}

void ScriptStorage::Idb(WorkerProcess& process, std::uint64_t request_id, ipc::IdbRequest request) {
  Introduce(process);
  Enqueue(process, [services = services_.get(), id = process.id(), request_id,
                    request = std::move(request)]() mutable {
    services->idb.Handle(id, request_id, std::move(request));
  });
}

void ScriptStorage::Cache(WorkerProcess& process, std::uint64_t request_id, ipc::CacheRequest request) {
  Introduce(process);
  Enqueue(process, [services = services_.get(), id = process.id(), request_id,
                    request = std::move(request)]() mutable {
    services->OnCacheReply(id, request_id, services->cache.Handle(id, std::move(request)));
  });
}

// It may outlive the storage: then nothing is left to be read or released.
class ScriptStorage::CachedBody final : public BodySource {
 public:
  CachedBody(HostContext& context, const std::shared_ptr<Services>& services, std::uint64_t reader,
             const ipc::CacheReply::LargeBody& body)
      : storage_(context.deps.storage),
        executor_(context.executor),
        services_(services),
        reader_(reader),
        body_(body.body()),
        size_(body.size()) {}
  ~CachedBody() override { Release(); }

  void ReadOn() {
    auto services = services_.lock();
    if (!services) return;
    ipc::CacheRequest request;
    request.mutable_download()->set_body(body_);
    request.mutable_download()->set_offset(offset_);
    request.mutable_download()->set_limit(WorkerProcess::kInitialCredit);
    std::weak_ptr<BodySource> weak = weak_from_this();
    storage_.Post([weak, services = std::move(services), request, reader = reader_, executor = executor_] {
      auto reply = services->cache.Handle(reader, request);
      asio::post(executor, [weak, reply = std::move(reply)] {
        if (auto self = std::static_pointer_cast<CachedBody>(weak.lock())) self->OnPiece(reply);
      });
    });
  }

 private:
  void OnPiece(const ipc::CacheReply& reply) {
    if (!reply.error_name().empty() || reply.chunk().empty())
      return End("the cached body cannot be read: " + reply.error_message());
    offset_ += reply.chunk().size();
    Push(reply.chunk());
    if (offset_ >= size_) End({});
  }
  void OnDelivered(std::size_t) override {
    if (buffered() == 0 && offset_ < size_) ReadOn();
  }
  void OnCancel() override { Release(); }
  void Release() {
    auto services = std::exchange(services_, {}).lock();
    if (!services) return;
    storage_.Post(
        [services = std::move(services), reader = reader_] { services->cache.RemoveClient(reader); });
  }

  StorageThread& storage_;
  boost::asio::any_io_executor executor_;
  std::weak_ptr<Services> services_;
  const std::uint64_t reader_, body_, size_;
  std::uint64_t offset_ = 0;
};

asio::awaitable<std::optional<ScriptStorage::CachedResponse>> ScriptStorage::MatchCache(
    std::string origin, ipc::HttpRequest request, std::optional<std::string> cache_name) {
  const std::uint64_t reader = --last_reader_;
  ipc::CacheRequest call;
  auto* match = call.mutable_match();
  match->set_any_cache(true);
  *match->mutable_request() = std::move(request);
  match->mutable_request()->clear_body();
  match->set_has_cache_name(cache_name.has_value());
  match->set_cache_name(cache_name.value_or(""));
  auto run = [services = services_, reader, origin = std::move(origin), call = std::move(call)]() mutable {
    services->cache.AddClient(reader, origin);
    auto reply = services->cache.Handle(reader, std::move(call));
    if (reply.bodies_size() == 0) services->cache.RemoveClient(reader);
    return reply;
  };
  auto reply = co_await context_.deps.storage.Run(std::move(run));
  if (reply.responses_size() == 0) co_return std::nullopt;
  CachedResponse found;
  found.response = std::move(*reply.mutable_responses(0));
  if (reply.bodies_size() > 0) {
    found.response.clear_body();
    auto body = std::make_shared<CachedBody>(context_, services_, reader, reply.bodies(0));
    body->ReadOn();
    found.body = std::move(body);
  }
  co_return found;
}

void ScriptStorage::ProcessEnded(WorkerProcess& process) {
  if (known_.erase(process.id()) == 0) return;
  context_.deps.storage.Post([services = services_.get(), id = process.id()] { services->Remove(id); });
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
