#include "net/http_cache_disk.h"

#include <atomic>
#include <boost/asio/post.hpp>
#include <optional>
#include <string>
#include <utility>

#include "net/cache_files.h"

namespace vigil::net {
namespace {

// Bytes of one response that may wait for the disk; one that outruns it is not kept.
constexpr std::size_t kMaxWaitingBytes = std::size_t{1} << 20;
// Open files, of responses that are written and of such that are read.
constexpr int kMaxWriters = 64;
constexpr int kMaxReaders = 256;

// What the store, its readers and its writers share: the files belong to the thread that blocks.
struct Shared {
  Shared(boost::asio::any_io_executor e, DiskHttpCacheOptions o)
      : executor(std::move(e)),
        run_blocking(std::move(o.run_blocking)),
        files(std::move(o.directory), o.max_bytes) {}
  void RunBlocking(std::function<void()> job) {
    if (!closed) run_blocking(std::move(job));
  }
  boost::asio::any_io_executor executor;
  std::function<void(std::function<void()>)> run_blocking;
  CacheFiles files;
  // Event-loop thread.
  int readers = 0, writers = 0;
  bool closed = false;
};

class DiskReader final : public HttpCacheStore::Reader {
 public:
  DiskReader(std::shared_ptr<Shared> shared, HttpCacheKey key, std::shared_ptr<CachedBody> body)
      : shared_(std::move(shared)), key_(std::move(key)), head_(body->head), body_(std::move(body)) {
    ++shared_->readers;
  }
  ~DiskReader() override { --shared_->readers; }
  DiskReader(const DiskReader&) = delete;
  DiskReader& operator=(const DiskReader&) = delete;

  const StoredHead& head() const override { return head_; }
  void Read(std::function<void(Result<std::string>)> done) override {
    if (body_->whole) {
      auto piece = std::exchange(*body_->whole, std::string());
      return boost::asio::post(shared_->executor,
                               [piece = std::move(piece), done = std::move(done)] { done(piece); });
    }
    shared_->RunBlocking([shared = shared_, body = body_, done = std::move(done)] {
      auto piece = std::make_shared<Result<std::string>>(shared->files.Read(*body));
      boost::asio::post(shared->executor, [piece, done] { done(std::move(*piece)); });
    });
  }
  void Update(const StoredHead& head) override {
    head_ = head;
    shared_->RunBlocking(
        [shared = shared_, body = body_, key = key_, head] { shared->files.Update(*body, key, head); });
  }

 private:
  std::shared_ptr<Shared> shared_;
  HttpCacheKey key_;
  StoredHead head_;
  std::shared_ptr<CachedBody> body_;
};

class DiskWriter final : public HttpCacheStore::Writer {
 public:
  DiskWriter(std::shared_ptr<Shared> shared, HttpCacheKey key, StoredHead head) : shared_(std::move(shared)) {
    ++shared_->writers;
    shared_->RunBlocking([shared = shared_, state = state_, key = std::move(key), head = std::move(head)] {
      state->draft = shared->files.Begin(key, head);
    });
  }
  ~DiskWriter() override {
    --shared_->writers;
    if (!committed_)
      shared_->RunBlocking([shared = shared_, state = state_] { shared->files.Discard(*state->draft); });
  }
  DiskWriter(const DiskWriter&) = delete;
  DiskWriter& operator=(const DiskWriter&) = delete;

  void Append(std::string_view data) override {
    if (outrun_) return;
    outrun_ = state_->waiting.fetch_add(data.size()) + data.size() > kMaxWaitingBytes;
    if (outrun_) return;
    shared_->RunBlocking([shared = shared_, state = state_, data = std::string(data)] {
      shared->files.Append(*state->draft, data);
      state->waiting -= data.size();
    });
  }
  void Commit() override {
    if (outrun_ || std::exchange(committed_, true)) return;
    shared_->RunBlocking([shared = shared_, state = state_] { shared->files.Commit(*state->draft); });
  }

 private:
  struct State {
    std::shared_ptr<CacheDraft> draft;  // the blocking thread's
    std::atomic<std::size_t> waiting{0};
  };
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
  bool outrun_ = false;
  bool committed_ = false;
};

class DiskStore final : public HttpCacheStore {
 public:
  explicit DiskStore(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  void Find(HttpCacheKey key, std::function<void(std::shared_ptr<Reader>)> done) override {
    if (shared_->readers >= kMaxReaders) {
      return boost::asio::post(shared_->executor, [done = std::move(done)] { done(nullptr); });
    }
    shared_->RunBlocking([shared = shared_, key = std::move(key), done = std::move(done)] {
      auto body = shared->files.Open(key);
      boost::asio::post(shared->executor, [shared, key, body, done] {
        done(body ? std::make_shared<DiskReader>(shared, key, body) : nullptr);
      });
    });
  }
  std::unique_ptr<Writer> Write(HttpCacheKey key, const StoredHead& head) override {
    if (shared_->writers >= kMaxWriters) return nullptr;
    return std::make_unique<DiskWriter>(shared_, std::move(key), head);
  }
  void Remove(HttpCacheKey key) override {
    shared_->RunBlocking([shared = shared_, key = std::move(key)] { shared->files.Remove(key); });
  }
  void Clear(std::string partition) override {
    shared_->RunBlocking(
        [shared = shared_, partition = std::move(partition)] { shared->files.Clear(partition); });
  }
  void Close() override { shared_->closed = true; }

 private:
  std::shared_ptr<Shared> shared_;
};

}  // namespace

std::shared_ptr<HttpCacheStore> OpenDiskHttpCache(boost::asio::any_io_executor executor,
                                                  DiskHttpCacheOptions options) {
  return std::make_shared<DiskStore>(std::make_shared<Shared>(std::move(executor), std::move(options)));
}

}  // namespace vigil::net
