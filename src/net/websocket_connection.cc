#include "net/websocket_connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "net/curl_options.h"
#include "net/websocket_handshake.h"

namespace vigil::net {
namespace {

constexpr std::size_t kMaxHead = 64 * 1024;
constexpr std::size_t kReadStep = 16 * 1024;
constexpr std::chrono::seconds kHandshakeLimit{60};

}  // namespace

WebSocketConnection::WebSocketConnection(boost::asio::any_io_executor executor, Target target,
                                         WebSocketHandlers handlers,
                                         std::function<void(const Headers&)> on_response)
    : executor_(executor),
      target_(std::move(target)),
      handlers_(std::move(handlers)),
      on_response_(std::move(on_response)),
      limit_(executor),
      easy_(curl_easy_init()),
      descriptor_(executor) {}

WebSocketConnection::~WebSocketConnection() {
  Abandon();
  curl_easy_cleanup(easy_);
  curl_slist_free_all(resolve_list_);
  if (frames_ != nullptr) wslay_event_context_free(frames_);
}

// A loop of its own: libcurl may close idle connections of a loop when others are made, and does not know
// that this one is in use.
void WebSocketConnection::Connect(const HttpClientOptions& options) {
  if (ended()) return;
  loop_ = std::make_shared<CurlLoop>(
      executor_, 0,
      [weak = weak_from_this()](CURL*, int code) {
        const auto self = weak.lock();
        if (!self) return;
        // Not from inside libcurl.
        boost::asio::post(self->executor_, [self, code] { self->OnConnected(code); });
      },
      nullptr);
  loop_->KeepFinished();
  Configure(options);
  SetLimit(kHandshakeLimit, "the server does not answer");
  if (!loop_->Add(easy_)) Fail("the HTTP client does not take another connection");
}

void WebSocketConnection::Configure(const HttpClientOptions& options) {
  resolve_list_ = SetConnectionOptions(easy_, target_.url, options);
  curl_easy_setopt(easy_, CURLOPT_CONNECT_ONLY, 1L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy_, CURLOPT_HTTPPROXYTUNNEL, 1L);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_text_.data());
}

void WebSocketConnection::OnConnected(int code) {
  if (ended()) return;
  curl_socket_t socket = CURL_SOCKET_BAD;
  if (code == CURLE_OK) curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &socket);
  if (socket == CURL_SOCKET_BAD) {
    const char* why =
        error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(static_cast<CURLcode>(code));
    return Fail(fmt::format("cannot connect: {}", why));
  }
  boost::system::error_code error;
  descriptor_.assign(socket, error);
  if (error) return Fail(fmt::format("cannot wait for the connection: {}", error.message()));
  state_ = State::kHandshake;
  key_ = MakeWebSocketKey();
  request_ = WebSocketRequest(target_.url, key_, target_.protocols, target_.headers);
  Handshake();
}

void WebSocketConnection::Wait(bool to_write) {
  using Descriptor = boost::asio::posix::stream_descriptor;
  bool& waiting = to_write ? waiting_to_write_ : waiting_to_read_;
  if (std::exchange(waiting, true)) return;
  descriptor_.async_wait(to_write ? Descriptor::wait_write : Descriptor::wait_read,
                         [weak = weak_from_this(), to_write](const boost::system::error_code&) {
                           if (const auto self = weak.lock()) self->OnReady(to_write);
                         });
}

void WebSocketConnection::OnReady(bool to_write) {
  (to_write ? waiting_to_write_ : waiting_to_read_) = false;
  if (state_ == State::kHandshake) return Handshake();
  if (state_ != State::kOpen) return;
  if (to_write) return WriteFrames();
  ReadFrames();
}

// Sends the request, then reads until the empty line that ends the response's head.
void WebSocketConnection::Handshake() {
  while (!request_.empty()) {
    std::size_t sent = 0;
    const CURLcode code = curl_easy_send(easy_, request_.data(), request_.size(), &sent);
    if (code == CURLE_AGAIN) return Wait(true);
    if (code != CURLE_OK) return Fail("the connection broke off during the handshake");
    request_.erase(0, sent);
  }
  std::array<char, kReadStep> step;
  while (true) {
    std::size_t received = 0;
    const CURLcode code = curl_easy_recv(easy_, step.data(), step.size(), &received);
    if (code == CURLE_AGAIN) return Wait(false);
    if (code != CURLE_OK || received == 0) return Fail("the connection broke off during the handshake");
    input_.append(step.data(), received);
    const std::size_t end = input_.find("\r\n\r\n");
    if (end != std::string::npos && end <= kMaxHead) {
      const std::string head = input_.substr(0, end);
      input_.erase(0, end + 4);
      return OnResponse(head);
    }
    if (input_.size() > kMaxHead) return Fail("the response's head is too large");
  }
}

void WebSocketConnection::OnResponse(std::string_view text) {
  const std::optional<HttpClientHead> head = ParseResponseHead(text);
  if (!head) return Fail("the server does not speak HTTP/1.1");
  if (on_response_) on_response_(head->headers);
  const Result<WebSocketTerms> terms = CheckWebSocketResponse(*head, key_, target_.protocols);
  if (!terms) return Fail(terms.error().message);
  if (terms->deflate) deflater_ = std::make_unique<MessageDeflater>(*terms->deflate);
  MakeFrames();
  if (frames_ == nullptr) return Fail("no memory for the connection");
  limit_.cancel();
  state_ = State::kOpen;
  const auto self = shared_from_this();
  if (handlers_.on_open) handlers_.on_open(terms->protocol, terms->extensions);
  if (state_ == State::kOpen) ReadFrames();
}

void WebSocketConnection::Send(bool text, std::string data) {
  if (state_ != State::kOpen || close_) return;
  outgoing_.push_back(Message{text, std::move(data)});
  WriteFrames();
}

void WebSocketConnection::Close(std::uint16_t code, std::string reason) {
  if (connecting()) return Fail("WebSocket is closed before the connection is established.");
  if (state_ != State::kOpen || close_) return;
  close_.emplace(code, std::move(reason));
  WriteFrames();
}

void WebSocketConnection::Grant(std::size_t bytes) {
  const bool was_blocked = unread_ >= WebSocket::kWindow;
  unread_ -= std::min(bytes, unread_);
  if (was_blocked && unread_ < WebSocket::kWindow && state_ == State::kOpen) ReadFrames();
}

void WebSocketConnection::SetLimit(std::chrono::seconds limit, std::string why) {
  limit_text_ = std::move(why);
  limit_.expires_after(limit);
  limit_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error) self->Fail(self->limit_text_);
  });
}

void WebSocketConnection::Fail(std::string why) {
  WebSocketEnd end;
  end.error = std::move(why);
  End(std::move(end));
}

void WebSocketConnection::End(WebSocketEnd end) {
  if (ended()) return;
  const auto self = shared_from_this();
  const std::function<void(WebSocketEnd)> on_end = std::move(handlers_.on_end);
  Abandon();
  if (on_end) on_end(std::move(end));
}

// The handlers stay: this may be a call from inside one of them.
void WebSocketConnection::Abandon() {
  if (std::exchange(state_, State::kEnded) == State::kEnded) return;
  limit_.cancel();
  // libcurl owns the descriptor.
  if (descriptor_.is_open()) descriptor_.release();
  if (!loop_) return;
  loop_->Detach();
  loop_->Remove(easy_);
  loop_.reset();
}

}  // namespace vigil::net
