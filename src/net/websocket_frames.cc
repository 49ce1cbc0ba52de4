// The frames of a connection that is open: wslay between libcurl's bytes and the messages.
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/utf8.h"
#include "net/websocket_connection.h"

namespace vigil::net {
namespace {

constexpr std::chrono::seconds kCloseLimit{10};
constexpr std::uint16_t kNoStatus = 1005;

}  // namespace

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

}  // namespace vigil::net
