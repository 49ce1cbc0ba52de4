// Private to websocket.cc: one WebSocket on its way. libcurl connects (proxies, TLS, the system's trust
// store) and moves bytes, wslay reads and writes the frames. Event-loop thread.
#pragma once

#include <curl/curl.h>
#include <wslay/wslay.h>

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/curl_loop.h"
#include "net/http_client.h"
#include "net/url.h"
#include "net/websocket.h"
#include "net/websocket_deflate.h"

namespace vigil::net {

class WebSocketConnection : public std::enable_shared_from_this<WebSocketConnection> {
 public:
  struct Target {
    Url url;  // the http or https form
    std::vector<std::string> protocols;
    Headers headers;
  };
  WebSocketConnection(boost::asio::any_io_executor executor, Target target, WebSocketHandlers handlers,
                      std::function<void(const Headers&)> on_response);
  ~WebSocketConnection();
  WebSocketConnection(const WebSocketConnection&) = delete;
  WebSocketConnection& operator=(const WebSocketConnection&) = delete;

  void Connect(const HttpClientOptions& options);
  void Send(bool text, std::string data);
  void Close(std::uint16_t code, std::string reason);
  void Grant(std::size_t bytes);
  // Fails the connection; the handlers hear of it.
  void Fail(std::string why);
  // Nobody listens any more.
  void Abandon();
  bool connecting() const { return state_ == State::kConnecting || state_ == State::kHandshake; }
  bool ended() const { return state_ == State::kEnded; }

 private:
  enum class State { kConnecting, kHandshake, kOpen, kEnded };
  struct Message {
    bool text = false;
    std::string data;
  };

  void Configure(const HttpClientOptions& options);
  void OnConnected(int code);
  void Wait(bool to_write);
  void OnReady(bool to_write);
  void Handshake();
  void OnResponse(std::string_view head);
  void MakeFrames();
  void ReadFrames();
  void WriteFrames();
  void QueueNext();
  void NoteWritten();
  void Deliver();
  void TakeMessage(const wslay_event_on_msg_recv_arg& arg);
  void SetLimit(std::chrono::seconds limit, std::string why);
  void End(WebSocketEnd end);

  // wslay's callbacks
  static ssize_t OnRead(wslay_event_context_ptr, std::uint8_t* data, std::size_t size, int, void* self);
  static ssize_t OnWrite(wslay_event_context_ptr, const std::uint8_t* data, std::size_t size, int,
                         void* self);
  static int OnMask(wslay_event_context_ptr, std::uint8_t* data, std::size_t size, void*);
  static void OnMessage(wslay_event_context_ptr, const wslay_event_on_msg_recv_arg* arg, void* self);

  boost::asio::any_io_executor executor_;
  Target target_;
  WebSocketHandlers handlers_;
  std::function<void(const Headers&)> on_response_;
  State state_ = State::kConnecting;
  boost::asio::steady_timer limit_;
  std::string limit_text_;

  std::shared_ptr<CurlLoop> loop_;
  CURL* easy_ = nullptr;
  curl_slist* resolve_list_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
  boost::asio::posix::stream_descriptor descriptor_;
  bool waiting_to_read_ = false;
  bool waiting_to_write_ = false;

  std::string key_;
  std::string request_;  // what is left to send of it
  std::string input_;    // the response's head; then what came behind it
  wslay_event_context_ptr frames_ = nullptr;
  std::unique_ptr<MessageDeflater> deflater_;

  std::deque<Message> outgoing_;
  std::size_t being_written_ = 0;                               // data bytes of the message that wslay has
  std::optional<std::pair<std::uint16_t, std::string>> close_;  // asked for, behind what is outgoing
  bool close_queued_ = false;
  std::vector<Message> arrived_;
  std::size_t unread_ = 0;  // handed out and not granted again
  std::string close_reason_;
  std::string problem_;  // why the connection must fail
  bool end_of_stream_ = false;
};

}  // namespace vigil::net
