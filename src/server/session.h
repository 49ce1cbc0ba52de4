// One connection to the local API. The only users of Boost.Beast are this room's .cc files.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "control/router.h"
#include "server/access.h"

namespace vigil::server {

// A socket of either kind, so that the HTTP code is compiled once.
using AnySocket = boost::asio::generic::stream_protocol::socket;

struct SessionOptions {
  std::optional<LoopbackGuard> guard;  // absent: the kernel has checked the peer
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

// The router outlives the session.
std::shared_ptr<Session> MakeSession(AnySocket socket, const control::Router& router, SessionOptions options);

}  // namespace vigil::server
