#include "net/websocket_connection.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "net/curl_options.h"
#include "net/websocket_handshake.h"

namespace vigil::net {
namespace {

constexpr std::size_t kMaxHead = 64 * 1024;
constexpr std::size_t kReadStep = 16 * 1024;
constexpr std::chrono::seconds kHandshakeLimit{60};
constexpr std::chrono::seconds kCloseLimit{10};
constexpr std::uint16_t kNoStatus = 1005;

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

void WebSocketConnection::MakeFrames() {
  wslay_event_callbacks callbacks{};
  callbacks.recv_callback = &OnRead;
  callbacks.send_callback = &OnWrite;
  callbacks.genmask_callback = &OnMask;
  callbacks.on_msg_recv_callback = &OnMessage;
  if (wslay_event_context_client_init(&frames_, &callbacks, this) != 0) frames_ = nullptr;
  if (frames_ == nullptr) return;
  wslay_event_config_set_max_recv_msg_length(frames_, WebSocket::kMaxMessage);
  if (deflater_) wslay_event_config_set_allowed_rsv_bits(frames_, WSLAY_RSV1_BIT);
}

ssize_t WebSocketConnection::OnRead(wslay_event_context_ptr context, std::uint8_t* data, std::size_t size,
                                    int, void* user) {
  auto* self = static_cast<WebSocketConnection*>(user);
  std::size_t received = std::min(size, self->input_.size());
  if (received > 0) {
    std::memcpy(data, self->input_.data(), received);
    self->input_.erase(0, received);
    return static_cast<ssize_t>(received);
  }
  const bool blocked = self->unread_ >= WebSocket::kWindow;
  const CURLcode code = blocked ? CURLE_AGAIN : curl_easy_recv(self->easy_, data, size, &received);
  if (code == CURLE_OK && received > 0) return static_cast<ssize_t>(received);
  if (code == CURLE_AGAIN) {
    wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
  } else {
    self->end_of_stream_ = true;
    wslay_event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
  }
  return -1;
}

ssize_t WebSocketConnection::OnWrite(wslay_event_context_ptr context, const std::uint8_t* data,
                                     std::size_t size, int, void* user) {
  auto* self = static_cast<WebSocketConnection*>(user);
  std::size_t sent = 0;
  const CURLcode code = curl_easy_send(self->easy_, data, size, &sent);
  if (code == CURLE_OK) return static_cast<ssize_t>(sent);
  if (code != CURLE_AGAIN) self->end_of_stream_ = true;
  wslay_event_set_error(context, code == CURLE_AGAIN ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
  return -1;
}

int WebSocketConnection::OnMask(wslay_event_context_ptr, std::uint8_t* data, std::size_t size, void*) {
  return RAND_bytes(data, static_cast<int>(size)) == 1 ? 0 : -1;
}

void WebSocketConnection::OnMessage(wslay_event_context_ptr, const wslay_event_on_msg_recv_arg* arg,
                                    void* user) {
  static_cast<WebSocketConnection*>(user)->TakeMessage(*arg);
}

// Inside wslay: nothing is delivered from here.
void WebSocketConnection::TakeMessage(const wslay_event_on_msg_recv_arg& arg) {
  const std::string_view data(reinterpret_cast<const char*>(arg.msg), arg.msg_length);
  if (arg.opcode == WSLAY_CONNECTION_CLOSE) {
    close_reason_ = data.size() > 2 ? std::string(data.substr(2)) : "";
    return;
  }
  if (arg.opcode != WSLAY_TEXT_FRAME && arg.opcode != WSLAY_BINARY_FRAME) return;
  if (!problem_.empty()) return;
  Message message{arg.opcode == WSLAY_TEXT_FRAME, std::string(data)};
  if (wslay_get_rsv1(arg.rsv) != 0) {
    auto expanded = deflater_->Expand(data, WebSocket::kMaxMessage);
    if (!expanded) {
      problem_ = expanded.error().message;
      return;
    }
    message.data = std::move(*expanded);
    // wslay looks only at what came as it is.
    if (message.text && !IsUtf8(message.data)) {
      problem_ = "a text message is not UTF-8";
      return;
    }
  }
  unread_ += message.data.size();
  arrived_.push_back(std::move(message));
}

void WebSocketConnection::ReadFrames() {
  const auto self = shared_from_this();
  const int outcome = wslay_event_recv(frames_);
  Deliver();
  if (state_ != State::kOpen) return;
  if (!problem_.empty()) return Fail(problem_);
  const bool closed = wslay_event_get_close_received(frames_) != 0;
  if (!closed && (end_of_stream_ || outcome != 0))
    return Fail("the connection was closed without a closing handshake");
  // wslay answers what breaks the protocol with a close frame of its own, and reads no more.
  const bool refused = !closed && wslay_event_get_read_enabled(frames_) == 0;
  if (refused) problem_ = "the server sent what is no valid frame, or a message that is too large";
  WriteFrames();
  if (state_ == State::kOpen && !closed && unread_ < WebSocket::kWindow) Wait(false);
}

void WebSocketConnection::Deliver() {
  for (Message& message : std::exchange(arrived_, {})) {
    if (state_ != State::kOpen) return;
    if (handlers_.on_message) handlers_.on_message(message.text, std::move(message.data));
  }
}

// One message at a time, so that it is known when it has left.
void WebSocketConnection::QueueNext() {
  if (!outgoing_.empty()) {
    const Message message = std::move(outgoing_.front());
    outgoing_.pop_front();
    being_written_ = message.data.size();
    std::uint8_t bits = WSLAY_RSV_NONE;
    Result<std::string> packed = std::string();
    if (deflater_ && deflater_->Wants(message.data)) {
      packed = deflater_->Compress(message.data);
      bits = WSLAY_RSV1_BIT;
    }
    if (!packed) {
      problem_ = packed.error().message;
      return;
    }
    const std::string& data = bits != WSLAY_RSV_NONE ? *packed : message.data;
    wslay_event_msg frame{};
    frame.opcode = message.text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME;
    frame.msg = reinterpret_cast<const std::uint8_t*>(data.data());
    frame.msg_length = data.size();
    wslay_event_queue_msg_ex(frames_, &frame, bits);
  } else if (close_ && !std::exchange(close_queued_, true)) {
    wslay_event_queue_close(frames_, close_->first,
                            reinterpret_cast<const std::uint8_t*>(close_->second.data()),
                            close_->second.size());
    SetLimit(kCloseLimit, "the server does not end the closing handshake");
  }
}

void WebSocketConnection::NoteWritten() {
  const std::size_t bytes = std::exchange(being_written_, 0);
  if (bytes > 0 && handlers_.on_sent) handlers_.on_sent(bytes);
}

void WebSocketConnection::WriteFrames() {
  const auto self = shared_from_this();
  while (state_ == State::kOpen) {
    if (wslay_event_get_queued_msg_count(frames_) == 0) QueueNext();
    if (wslay_event_want_write(frames_) == 0) break;
    const int outcome = wslay_event_send(frames_);
    if (outcome != 0) return Fail("the connection was closed without a closing handshake");
    if (wslay_event_get_queued_msg_count(frames_) > 0) return Wait(true);
    NoteWritten();
  }
  if (state_ != State::kOpen) return;
  if (!problem_.empty()) return Fail(problem_);
  if (wslay_event_get_close_sent(frames_) == 0 || wslay_event_get_close_received(frames_) == 0) return;
  const std::uint16_t code = wslay_event_get_status_code_received(frames_);
  End(WebSocketEnd{code == 0 ? kNoStatus : code, close_reason_, true, ""});
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
