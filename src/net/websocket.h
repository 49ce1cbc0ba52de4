// WebSockets for Vigil's clients: the standard's rules on who may connect where, on the handshake, on
// closing. Event-loop thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/connectivity.h"
#include "net/fetcher.h"
#include "net/http_client.h"

namespace vigil::net {

// How a connection ended; codes of RFC 6455, section 7.4. 1006: without a closing handshake.
struct WebSocketEnd {
  std::uint16_t code = 1006;
  std::string reason;
  bool clean = false;
  std::string error;  // not empty: the connection failed, and why
};

struct WebSocketHandlers {
  std::function<void(std::string protocol, std::string extensions)> on_open;
  std::function<void(bool text, std::string data)> on_message;
  // So many bytes of what Send() was given have left.
  std::function<void(std::size_t bytes)> on_sent;
  // Once and last.
  std::function<void(WebSocketEnd)> on_end;
};

// A connection. Destroying it breaks it off; no handler is called afterwards. Handlers may destroy it.
class WebSocket {
 public:
  // One message in either direction; larger ones end the connection.
  static constexpr std::size_t kMaxMessage = 32 * 1024 * 1024;
  // What may be handed out before it is granted again. Beyond it the server has to wait.
  static constexpr std::size_t kWindow = 1024 * 1024;

  virtual ~WebSocket() = default;
  virtual void Send(bool text, std::string data) = 0;
  // Code 0: none. Before the connection is open, it fails instead.
  virtual void Close(std::uint16_t code, std::string reason) = 0;
  virtual void Grant(std::size_t bytes) = 0;
};

struct WebSocketOptions {
  HttpClientOptions http;  // how to connect
  std::string accept_language = "en";
  std::function<WallTime()> wall_now;  // the present for cookies; the daemon's Clock
};

class WebSockets {
 public:
  // Connections of one origin at a time, and those of them that are being made.
  static constexpr std::size_t kMaxPerOrigin = 200;

  WebSockets(boost::asio::any_io_executor executor, Fetcher& fetcher, ConnectivityObserver& connectivity,
             WebSocketOptions options);
  ~WebSockets();
  WebSockets(const WebSockets&) = delete;
  WebSockets& operator=(const WebSockets&) = delete;

  // Handlers are never called before this returns. What may not be is told by on_end.
  std::unique_ptr<WebSocket> Open(const FetchClient& client, const std::string& url,
                                  std::vector<std::string> protocols, WebSocketHandlers handlers);
  // Connections that are being made, for quiescence; those that are open wait for their servers.
  int Connecting() const;
  // Called each time one of them is no longer being made.
  void OnSettled(std::function<void()> settled);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace vigil::net
