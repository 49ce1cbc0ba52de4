#include "net/http_cache.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <optional>
#include <utility>

#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

// One request on its way through the cache.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(boost::asio::any_io_executor executor, HttpClient& http, std::shared_ptr<HttpCacheStore> store,
           std::function<WallTime()> now, HttpClientRequest request, HttpCacheKey key, CacheMode mode,
           HttpClientHandlers handlers)
      : executor_(std::move(executor)),
        http_(http),
        store_(std::move(store)),
        now_(std::move(now)),
        request_(std::move(request)),
        key_(std::move(key)),
        mode_(mode),
        handlers_(std::move(handlers)) {}

  void Start() {
    if (mode_ == CacheMode::kDefault && IsConditional(request_.headers)) mode_ = CacheMode::kNoStore;
    if (mode_ == CacheMode::kDefault) {
      const CacheControl wish = ReadCacheControl(request_.headers);
      if (wish.no_cache || wish.max_age == std::chrono::seconds(0)) mode_ = CacheMode::kNoCache;
    }
    const bool looks = store_ && request_.method == "GET" && mode_ != CacheMode::kNoStore &&
                       mode_ != CacheMode::kReload && !HasHeader(request_.headers, "range");
    if (!looks && mode_ != CacheMode::kOnlyIfCached) return FromNetwork();
    const auto found = [weak = weak_from_this()](std::shared_ptr<HttpCacheStore::Reader> reader) {
      const auto self = weak.lock();
      if (self && !self->ended_) self->OnFound(std::move(reader));
    };
    if (looks) return store_->Find(key_, found);
    boost::asio::post(executor_, [found] { found(nullptr); });
  }

  void Pause() {
    paused_ = true;
    if (transfer_) transfer_->Pause();
  }
  void Resume() {
    paused_ = false;
    if (transfer_) transfer_->Resume();
    if (serving_) Pump();
  }
  // The handlers are let go of later: this may be a call from inside one of them.
  void Cancel() {
    ended_ = true;
    transfer_.reset();
    writer_.reset();
  }

 private:
  void OnFound(std::shared_ptr<HttpCacheStore::Reader> reader) {
    reader_ = std::move(reader);
    const VaryMatch vary = reader_ ? MatchVary(reader_->head(), request_) : VaryMatch::kDiffers;
    const bool stale_will_do = mode_ == CacheMode::kForceCache || mode_ == CacheMode::kOnlyIfCached;
    const bool usable = reader_ && vary == VaryMatch::kSame &&
                        (stale_will_do || (mode_ == CacheMode::kDefault && IsFresh(reader_->head(), now_())));
    if (usable) return Serve();
    if (mode_ == CacheMode::kOnlyIfCached) {
      return End(Fail(ErrorCode::kUnavailable, fmt::format("nothing is cached for {}", request_.url)));
    }
    Headers question;
    if (reader_) question = ValidationHeaders(reader_->head(), vary != VaryMatch::kDiffers);
    if (question.empty()) reader_.reset();
    for (auto& header : question) request_.headers.push_back(std::move(header));
    FromNetwork();
  }

  void FromNetwork() {
    requested_at_ = now_();
    const std::weak_ptr<Exchange> weak = weak_from_this();
    HttpClientHandlers handlers;
    handlers.on_head = [weak](HttpClientHead head) {
      const auto self = weak.lock();
      if (self && !self->ended_) self->OnHead(std::move(head));
    };
    handlers.on_data = [weak](std::string_view data) {
      const auto self = weak.lock();
      if (self && !self->ended_) self->OnData(data);
    };
    handlers.on_done = [weak](Result<> result) {
      const auto self = weak.lock();
      if (self && !self->ended_) self->OnDone(std::move(result));
    };
    transfer_ = http_.Start(request_, std::move(handlers));
    if (paused_) transfer_->Pause();
  }

  void OnHead(HttpClientHead head) {
    if (head.status == 304 && reader_) {
      stored_ = reader_->head();
      Freshen(*stored_, head, requested_at_, now_());
      reader_->Update(*stored_);
      return;
    }
    reader_.reset();
    if (store_ && Invalidates(request_.method, head.status)) store_->Remove(key_);
    if (store_ && request_.method == "GET" && mode_ != CacheMode::kNoStore) {
      if (MayStore(request_, head) && ToldItsEnd(head)) {
        writer_ = store_->Write(key_, MakeStored(request_, head, requested_at_, now_()));
      } else if (head.status != 206 && head.status < 500) {
        store_->Remove(key_);
      }
    }
    if (handlers_.on_head) handlers_.on_head(std::move(head));
  }
  // A body that ends with its connection may have been cut off there.
  static bool ToldItsEnd(const HttpClientHead& head) {
    return !head.http_version.starts_with("1") || HasHeader(head.headers, "content-length") ||
           HasHeader(head.headers, "transfer-encoding") || head.status == 204;
  }
  void OnData(std::string_view data) {
    if (stored_) return;
    if (writer_) writer_->Append(data);
    if (handlers_.on_data) handlers_.on_data(data);
  }
  void OnDone(Result<> result) {
    if (result && stored_) return Serve();
    if (result && writer_) writer_->Commit();
    End(std::move(result));
  }

  void Serve() {
    const auto self = shared_from_this();
    transfer_.reset();
    serving_ = true;
    if (handlers_.on_head) handlers_.on_head(stored_ ? stored_->head : reader_->head().head);
    Pump();
  }
  void Pump() {
    if (held_ && !paused_) Deliver(*std::exchange(held_, std::nullopt));
    if (ended_ || paused_ || std::exchange(reading_, true)) return;
    reader_->Read([weak = weak_from_this()](Result<std::string> piece) {
      const auto self = weak.lock();
      if (self && !self->ended_) self->OnPiece(std::move(piece));
    });
  }
  void OnPiece(Result<std::string> piece) {
    reading_ = false;
    held_ = std::move(piece);
    Pump();
  }
  void Deliver(const Result<std::string>& piece) {
    if (!piece) return End(Fail(piece.error()));
    if (piece->empty()) return End({});
    if (handlers_.on_data) handlers_.on_data(*piece);
  }

  void End(Result<> result) {
    const auto self = shared_from_this();
    ended_ = true;
    transfer_.reset();
    writer_.reset();
    const auto done = std::move(handlers_.on_done);
    handlers_ = {};
    if (done) done(std::move(result));
  }

  boost::asio::any_io_executor executor_;
  HttpClient& http_;
  std::shared_ptr<HttpCacheStore> store_;
  std::function<WallTime()> now_;
  HttpClientRequest request_;
  HttpCacheKey key_;
  CacheMode mode_;
  HttpClientHandlers handlers_;
  WallTime requested_at_{};
  std::unique_ptr<HttpClient::Transfer> transfer_;
  std::unique_ptr<HttpCacheStore::Writer> writer_;
  std::shared_ptr<HttpCacheStore::Reader> reader_;
  std::optional<StoredHead> stored_;         // a 304 confirmed it; the body follows from the reader
  std::optional<Result<std::string>> held_;  // came while paused
  bool serving_ = false;
  bool reading_ = false;
  bool paused_ = false;
  bool ended_ = false;
};

class ExchangeTransfer final : public HttpClient::Transfer {
 public:
  explicit ExchangeTransfer(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~ExchangeTransfer() override { exchange_->Cancel(); }
  ExchangeTransfer(const ExchangeTransfer&) = delete;
  ExchangeTransfer& operator=(const ExchangeTransfer&) = delete;
  void Pause() override { exchange_->Pause(); }
  void Resume() override { exchange_->Resume(); }

 private:
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace

CacheMode ParseCacheMode(std::string_view name) {
  if (name == "no-store") return CacheMode::kNoStore;
  if (name == "reload") return CacheMode::kReload;
  if (name == "no-cache") return CacheMode::kNoCache;
  if (name == "force-cache") return CacheMode::kForceCache;
  if (name == "only-if-cached") return CacheMode::kOnlyIfCached;
  return CacheMode::kDefault;
}

std::unique_ptr<HttpClient::Transfer> HttpCache::Start(HttpClientRequest request, std::string partition,
                                                       CacheMode mode, HttpClientHandlers handlers) {
  HttpCacheKey key{std::move(partition), request.url};
  auto exchange = std::make_shared<Exchange>(executor_, http_, store_, now_, std::move(request),
                                             std::move(key), mode, std::move(handlers));
  exchange->Start();
  return std::make_unique<ExchangeTransfer>(std::move(exchange));
}

}  // namespace vigil::net
