// The sockets of the local API: HTTP/1.1 on a Unix socket in the data directory and, on request, on loopback
// TCP. Event-loop thread only. What is served outlives the server.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "server/session.h"

namespace vigil::server {

class Server {
 public:
  explicit Server(boost::asio::io_context& loop);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves processes of this user and of root. A socket file left by a dead daemon is replaced: the caller
  // holds the lock of the data directory.
  Result<> ListenUnix(const std::filesystem::path& path, const Served& served);

  // address: "127.0.0.1:7411", "localhost:0", "[::1]:7411". Port 0 lets the system choose. Returns the
  // address with its port. kInvalidArgument when it is not loopback, kAlreadyExists when the port is taken
  // (option: the one to choose another with, "--listen").
  struct Loopback {
    std::string address;
    std::string option;
    LoopbackGuard guard;  // its port is filled in
    Served served;
    SocketLimits sockets = {};
  };
  Result<std::string> ListenLoopback(Loopback where);

  // Takes no more calls, interrupts those that last as long as their caller stays, and waits until all have
  // been answered (a few seconds at most).
  boost::asio::awaitable<void> Stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace vigil::server
