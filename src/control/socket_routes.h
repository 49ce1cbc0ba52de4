// WebSocket conversations as those who hold them see them: no sockets and no HTTP library here. Event-loop
// thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/message.h"

namespace vigil::control {

// The peer. May be kept for longer than the conversation lasts: what is sent then is dropped.
class Socket {
 public:
  virtual ~Socket() = default;
  // Queues a text message and returns at once. A peer that reads so slowly that too much is waiting for it is
  // cut off.
  virtual void Send(std::string text) = 0;
  // Ends the conversation after what was sent before. code: of RFC 6455 section 7.4, 1000 when all is well.
  virtual void Close(std::uint16_t code, std::string reason) = 0;
};

// Our side of one conversation; destroyed, never inside a call of its own, when the peer has gone or the
// server stops.
class SocketHandler {
 public:
  virtual ~SocketHandler() = default;
  // A whole message in well-formed UTF-8. Anything may be in it.
  virtual void OnText(std::string text) = 0;
};

// The table of what can be talked to: path pattern (see PathPattern) → who talks.
class SocketRoutes {
 public:
  // Called once the caller may enter and before the handshake is answered; an error becomes the HTTP answer
  // and there is no conversation. What is sent from here goes out after the handshake.
  using Opener =
      std::function<Result<std::unique_ptr<SocketHandler>>(const Request&, std::shared_ptr<Socket>)>;

  void Add(std::string_view pattern, Opener opener);

  // kNotFound: nobody is there.
  Result<std::unique_ptr<SocketHandler>> Open(Request request, std::shared_ptr<Socket> socket) const;

 private:
  struct Route {
    std::vector<std::string> segments;
    Opener opener;
  };
  std::vector<Route> routes_;
};

}  // namespace vigil::control
