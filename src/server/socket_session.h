// One WebSocket conversation, from the handshake on.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>

#include "control/socket_routes.h"
#include "server/session.h"

namespace vigil::server {

class SocketSession : public control::Socket {
 public:
  // Before Run(): what is sent until then waits for the handshake.
  virtual void SetHandler(std::unique_ptr<control::SocketHandler> handler) = 0;
  // Answers the handshake and passes messages on until one side leaves. Keep the session alive meanwhile.
  virtual boost::asio::awaitable<void> Run(
      boost::beast::http::request<boost::beast::http::string_body> handshake) = 0;
  // Ends it now, without a word.
  virtual void Abort() = 0;
};

// The socket is taken when Run() is called; it outlives the session.
std::shared_ptr<SocketSession> MakeSocketSession(AnySocket& socket, const SocketLimits& limits);

}  // namespace vigil::server
