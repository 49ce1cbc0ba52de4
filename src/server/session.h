// One connection to the local API. The only users of Boost.Beast are this room's .cc files.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "control/router.h"
#include "control/socket_routes.h"
#include "server/access.h"
#include "server/document.h"

namespace vigil::server {

// A socket of either kind, so that the HTTP code is compiled once.
using AnySocket = boost::asio::generic::stream_protocol::socket;

// Of one WebSocket conversation.
struct SocketLimits {
  std::size_t message_bytes = std::size_t{16} << 20;             // of the peer; a larger one ends it
  std::size_t queue_bytes = std::size_t{32} << 20;               // that wait for a peer that does not read
  std::chrono::milliseconds silence = std::chrono::seconds(60);  // real time; pings are sent before
};

// What a listener serves. All outlive the sessions.
struct Served {
  const control::Router* router = nullptr;
  const control::SocketRoutes* sockets = nullptr;  // null: none
  // On loopback only, and without the token; null: none.
  const Documents* documents = nullptr;
  const DocumentFolder* folder = nullptr;
};

struct SessionOptions {
  Served served;
  std::optional<LoopbackGuard> guard;  // absent: the kernel has checked the peer
  SocketLimits sockets;
};

class Session {
 public:
  virtual ~Session() = default;
  // Serves calls until the peer leaves or Stop() is called. Keep the session alive meanwhile.
  virtual boost::asio::awaitable<void> Run() = 0;
  // Lets the running call end soon and closes the connection afterwards.
  virtual void Interrupt() = 0;
  // Closes the connection now.
  virtual void Close() = 0;
};

std::shared_ptr<Session> MakeSession(AnySocket socket, SessionOptions options);

}  // namespace vigil::server
