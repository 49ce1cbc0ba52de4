#include "server/socket_session.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <optional>
#include <utility>

#include "base/log.h"

namespace vigil::server {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
namespace {

class BeastSession final : public SocketSession, public std::enable_shared_from_this<BeastSession> {
 public:
  BeastSession(AnySocket& socket, const SocketLimits& limits)
      : stream_(socket), limits_(limits), written_(socket.get_executor()) {
    written_.expires_at(asio::steady_timer::time_point::max());
  }

  void SetHandler(std::unique_ptr<control::SocketHandler> handler) override { handler_ = std::move(handler); }
  asio::awaitable<void> Run(beast::http::request<beast::http::string_body> handshake) override;
  void Abort() override;
  void Send(std::string text) override;
  void Close(std::uint16_t code, std::string reason) override;

 private:
  asio::awaitable<void> Read();
  asio::awaitable<void> WriteQueued();
  void StartWriting();

  websocket::stream<AnySocket&> stream_;
  const SocketLimits limits_;
  std::unique_ptr<control::SocketHandler> handler_;
  std::deque<std::string> queue_;
  std::size_t queued_bytes_ = 0;
  std::optional<websocket::close_reason> close_;  // to be sent after the queue
  bool open_ = false;
  bool ended_ = false;
  bool writing_ = false;
  asio::steady_timer written_;  // rings when the writer has ended
};

asio::awaitable<void> BeastSession::Run(beast::http::request<beast::http::string_body> handshake) {
  const auto self = shared_from_this();
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = limits_.silence;
  // A peer that was silent for half of it is sent a ping; one that is silent for all of it is gone.
  timeout.idle_timeout = limits_.silence;
  timeout.keep_alive_pings = true;
  stream_.set_option(timeout);
  stream_.read_message_max(limits_.message_bytes);
  boost::system::error_code error;
  co_await stream_.async_accept(handshake, asio::redirect_error(asio::use_awaitable, error));
  if (!error && !ended_) {
    open_ = true;
    if (close_ || !queue_.empty()) StartWriting();
    co_await Read();
  }
  Abort();
  while (writing_) co_await written_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  handler_.reset();
}

asio::awaitable<void> BeastSession::Read() {
  while (!ended_) {
    beast::flat_buffer buffer;
    boost::system::error_code error;
    co_await stream_.async_read(buffer, asio::redirect_error(asio::use_awaitable, error));
    if (error || ended_) co_return;
    if (close_) continue;  // until the peer has answered the close
    if (!stream_.got_text()) {
      Close(websocket::close_code::unknown_data, "only text is understood here");
      continue;
    }
    try {
      handler_->OnText(beast::buffers_to_string(buffer.data()));
    } catch (const std::exception& exception) {
      log::Error("a WebSocket message could not be handled: {}", exception.what());
      Close(websocket::close_code::internal_error, "internal error");
    }
  }
}

void BeastSession::Send(std::string text) {
  if (ended_ || close_) return;
  queued_bytes_ += text.size();
  if (queued_bytes_ > limits_.queue_bytes) {
    log::Warning("a WebSocket was cut off: its peer does not read what it is sent");
    Abort();
    return;
  }
  queue_.push_back(std::move(text));
  StartWriting();
}

void BeastSession::Close(std::uint16_t code, std::string reason) {
  if (ended_ || close_) return;
  // A control frame holds 125 bytes, two of them the code (RFC 6455 section 5.5).
  reason.resize(std::min<std::size_t>(reason.size(), 123));
  close_.emplace(static_cast<websocket::close_code>(code), reason);
  StartWriting();
}

void BeastSession::StartWriting() {
  if (!open_ || writing_) return;
  writing_ = true;
  asio::co_spawn(
      stream_.get_executor(), [self = shared_from_this()] { return self->WriteQueued(); }, asio::detached);
}

asio::awaitable<void> BeastSession::WriteQueued() {
  boost::system::error_code error;
  while (!error && !ended_ && !queue_.empty()) {
    const std::string text = std::move(queue_.front());
    queue_.pop_front();
    stream_.text(true);
    co_await stream_.async_write(asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
    queued_bytes_ -= std::min(queued_bytes_, text.size());
  }
  if (!error && !ended_ && close_)
    co_await stream_.async_close(*close_, asio::redirect_error(asio::use_awaitable, error));
  writing_ = false;
  written_.cancel();
  if (error) Abort();
}

void BeastSession::Abort() {
  if (ended_) return;
  ended_ = true;
  queue_.clear();
  boost::system::error_code ignored;
  auto& socket = stream_.next_layer();
  socket.shutdown(AnySocket::shutdown_both, ignored);
  socket.cancel(ignored);
}

}  // namespace

std::shared_ptr<SocketSession> MakeSocketSession(AnySocket& socket, const SocketLimits& limits) {
  return std::make_shared<BeastSession>(socket, limits);
}

}  // namespace vigil::server
