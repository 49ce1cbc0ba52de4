#include "net/decoding_transfer.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "net/content_decoder.h"
#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

class Decoding : public std::enable_shared_from_this<Decoding> {
 public:
  Decoding(boost::asio::any_io_executor executor, HttpClientHandlers handlers)
      : executor_(std::move(executor)), handlers_(std::move(handlers)) {}

  void Start(const StartTransfer& start) {
    const std::weak_ptr<Decoding> weak = weak_from_this();
    HttpClientHandlers handlers;
    handlers.on_head = [weak](HttpClientHead head) {
      if (const auto self = weak.lock()) self->OnHead(std::move(head));
    };
    handlers.on_data = [weak](std::string_view data) {
      if (const auto self = weak.lock()) self->OnData(data);
    };
    handlers.on_done = [weak](Result<> result) {
      if (const auto self = weak.lock()) self->OnDone(std::move(result));
    };
    source_ = start(std::move(handlers));
  }

  void Pause() {
    paused_ = true;
    if (source_) source_->Pause();
  }
  // Posted: whoever resumes does not expect data inside the call.
  void Resume() {
    if (!std::exchange(paused_, false)) return;
    boost::asio::post(executor_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || self->paused_ || self->ended_) return;
      self->Drain();
      if (!self->paused_ && !self->ended_ && self->source_) self->source_->Resume();
    });
  }
  // The handlers are let go of later: this may be a call from inside one of them.
  void Cancel() {
    ended_ = true;
    source_.reset();
  }

 private:
  void OnHead(HttpClientHead head) {
    if (ended_) return;
    auto decoder = ContentDecoder::For(CombinedValue(head.headers, "content-encoding"));
    if (!decoder) return End(Fail(decoder.error()));
    decoder_ = std::move(*decoder);
    if (handlers_.on_head) handlers_.on_head(std::move(head));
  }
  void OnData(std::string_view data) {
    if (ended_) return;
    if (!decoder_) return handlers_.on_data(data);
    decoder_->Feed(data);
    Drain();
  }
  void OnDone(Result<> result) {
    if (ended_) return;
    if (!result || !decoder_) return End(std::move(result));
    decoder_->FeedEnd();
    source_ended_ = true;
    Drain();
  }
  void Drain() {
    if (!decoder_) return;
    const auto self = shared_from_this();
    while (!paused_ && !ended_) {
      const Result<std::string> piece = decoder_->Next();
      if (!piece) return End(Fail(piece.error()));
      if (piece->empty()) break;
      handlers_.on_data(*piece);
    }
    if (!paused_ && !ended_ && source_ended_) End({});
  }
  void End(Result<> result) {
    const auto self = shared_from_this();
    ended_ = true;
    source_.reset();
    const auto done = std::move(handlers_.on_done);
    handlers_ = {};
    if (done) done(std::move(result));
  }

  boost::asio::any_io_executor executor_;
  HttpClientHandlers handlers_;
  std::unique_ptr<HttpClient::Transfer> source_;
  std::unique_ptr<ContentDecoder> decoder_;
  bool paused_ = false;
  bool source_ended_ = false;
  bool ended_ = false;
};

class DecodingTransfer final : public HttpClient::Transfer {
 public:
  explicit DecodingTransfer(std::shared_ptr<Decoding> decoding) : decoding_(std::move(decoding)) {}
  ~DecodingTransfer() override { decoding_->Cancel(); }
  DecodingTransfer(const DecodingTransfer&) = delete;
  DecodingTransfer& operator=(const DecodingTransfer&) = delete;
  void Pause() override { decoding_->Pause(); }
  void Resume() override { decoding_->Resume(); }

 private:
  std::shared_ptr<Decoding> decoding_;
};

}  // namespace

std::unique_ptr<HttpClient::Transfer> StartDecoding(boost::asio::any_io_executor executor,
                                                    const StartTransfer& start, HttpClientHandlers handlers) {
  auto decoding = std::make_shared<Decoding>(std::move(executor), std::move(handlers));
  decoding->Start(start);
  return std::make_unique<DecodingTransfer>(std::move(decoding));
}

}  // namespace vigil::net
