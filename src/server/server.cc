#include "server/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <chrono>
#include <set>

#include "base/log.h"
#include "server/session.h"

namespace vigil::server {
namespace asio = boost::asio;
using asio::ip::tcp;
using asio::local::stream_protocol;
namespace {

constexpr std::chrono::seconds kStopLimit(5);
// Out of descriptors: wait for sessions to end instead of spinning.
constexpr std::chrono::milliseconds kAcceptPause(100);

// A socket's path may have 107 bytes. A longer one is reached through a descriptor of its directory.
struct SocketPath {
  explicit SocketPath(const std::filesystem::path& path) : text(path.string()) {
    if (text.size() < sizeof(sockaddr_un::sun_path)) return;
    directory = ::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    text = fmt::format("/proc/self/fd/{}/{}", directory, path.filename().string());
  }
  ~SocketPath() {
    if (directory >= 0) ::close(directory);
  }
  SocketPath(const SocketPath&) = delete;
  SocketPath& operator=(const SocketPath&) = delete;
  std::string text;
  int directory = -1;
};

bool PeerIsAllowed(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

struct HostAndPort {
  asio::ip::address address;
  std::uint16_t port = 0;
};

Result<HostAndPort> ParseLoopback(const std::string& text) {
  const auto bad = [&](const char* why) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("cannot listen on \"{}\": {}; use 127.0.0.1:PORT, localhost:PORT or [::1]:PORT",
                            text, why));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return bad("the port is missing");
  std::string host = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  HostAndPort result;
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (port.empty() || parsed.ec != std::errc() || parsed.ptr != port.data() + port.size())
    return bad("the port must be a number from 0 to 65535");
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  result.address = asio::ip::make_address(host, error);
  if (error || !result.address.is_loopback()) return bad("only loopback addresses are served");
  return result;
}

}  // namespace

class Server::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(asio::io_context& loop) : loop_(loop), unix_(loop), ended_(loop) {}

  Result<> ListenUnix(const std::filesystem::path& path, const Served& served);
  Result<std::string> ListenLoopback(Loopback where);
  asio::awaitable<void> Stop();
  void CloseListeners();

 private:
  template <class Acceptor>
  asio::awaitable<void> Accept(Acceptor& acceptor, SessionOptions options, bool check_peer);
  asio::awaitable<void> RunSession(std::shared_ptr<Session> session);

  asio::io_context& loop_;
  stream_protocol::acceptor unix_;
  std::filesystem::path unix_path_;
  std::vector<std::unique_ptr<tcp::acceptor>> tcp_;
  std::set<std::shared_ptr<Session>> sessions_;
  asio::steady_timer ended_;
  bool stopping_ = false;
};

Result<> Server::Impl::ListenUnix(const std::filesystem::path& path, const Served& served) {
  const SocketPath socket_path(path);
  ::unlink(path.c_str());
  boost::system::error_code error;
  unix_.open(stream_protocol(), error);
  if (!error) unix_.bind(stream_protocol::endpoint(socket_path.text), error);
  // Nobody can connect before listen(), so the mode is right from the first call on.
  if (!error && ::chmod(path.c_str(), 0600) != 0) error.assign(errno, boost::system::system_category());
  if (!error) unix_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return Fail(ErrorCode::kIo,
                fmt::format("cannot listen on {}: {}; choose another data directory with --data",
                            path.string(), error.message()));
  }
  unix_path_ = path;
  SessionOptions options;
  options.served = served;
  asio::co_spawn(
      loop_, [self = shared_from_this(), options] { return self->Accept(self->unix_, options, true); },
      asio::detached);
  return {};
}

Result<std::string> Server::Impl::ListenLoopback(Loopback where) {
  VIGIL_ASSIGN(const HostAndPort address, ParseLoopback(where.address));
  auto acceptor = std::make_unique<tcp::acceptor>(loop_);
  const tcp::endpoint endpoint(address.address, address.port);
  boost::system::error_code error;
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use) {
    return Fail(ErrorCode::kAlreadyExists,
                fmt::format("port {} is taken by another process; choose another with {}, or port 0 for any",
                            address.port, where.option));
  }
  if (error)
    return Fail(ErrorCode::kIo, fmt::format("cannot listen on {}: {}", where.address, error.message()));
  const tcp::endpoint bound = acceptor->local_endpoint(error);
  SessionOptions options;
  options.served = where.served;
  options.sockets = where.sockets;
  options.guard = std::move(where.guard);
  options.guard->port = bound.port();
  tcp::acceptor* raw = acceptor.get();
  tcp_.push_back(std::move(acceptor));
  asio::co_spawn(
      loop_, [self = shared_from_this(), raw, options] { return self->Accept(*raw, options, false); },
      asio::detached);
  const std::string host = bound.address().to_string();
  return bound.address().is_v6() ? fmt::format("[{}]:{}", host, bound.port())
                                 : fmt::format("{}:{}", host, bound.port());
}

template <class Acceptor>
asio::awaitable<void> Server::Impl::Accept(Acceptor& acceptor, SessionOptions options, bool check_peer) {
  const auto self = shared_from_this();
  while (!stopping_) {
    boost::system::error_code error;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (stopping_ || error == asio::error::operation_aborted || error == asio::error::bad_descriptor) break;
    if (error) {
      log::Warning("cannot take a call: {}", error.message());
      asio::steady_timer pause(loop_);
      pause.expires_after(kAcceptPause);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    if (check_peer && !PeerIsAllowed(socket.native_handle())) continue;
    AnySocket any(std::move(socket));
    auto session = MakeSession(std::move(any), options);
    sessions_.insert(session);
    asio::co_spawn(
        loop_, [self, session] { return self->RunSession(session); }, asio::detached);
  }
}

asio::awaitable<void> Server::Impl::RunSession(std::shared_ptr<Session> session) {
  const auto self = shared_from_this();
  try {
    co_await session->Run();
  } catch (const std::exception& exception) {
    log::Error("a connection to the local API failed: {}", exception.what());
  }
  sessions_.erase(session);
  if (sessions_.empty()) ended_.cancel();
}

void Server::Impl::CloseListeners() {
  if (stopping_) return;
  stopping_ = true;
  boost::system::error_code ignored;
  if (unix_.is_open()) {
    unix_.close(ignored);
    ::unlink(unix_path_.c_str());
  }
  for (auto& acceptor : tcp_) acceptor->close(ignored);
}

asio::awaitable<void> Server::Impl::Stop() {
  CloseListeners();
  const auto running = sessions_;
  for (const auto& session : running) session->Interrupt();
  ended_.expires_after(kStopLimit);
  boost::system::error_code error;
  if (!sessions_.empty()) co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  const auto stuck = sessions_;
  for (const auto& session : stuck) session->Close();
}

Server::Server(asio::io_context& loop) : impl_(std::make_shared<Impl>(loop)) {}
Server::~Server() { impl_->CloseListeners(); }
Result<> Server::ListenUnix(const std::filesystem::path& path, const Served& served) {
  return impl_->ListenUnix(path, served);
}
Result<std::string> Server::ListenLoopback(Loopback where) { return impl_->ListenLoopback(std::move(where)); }
asio::awaitable<void> Server::Stop() { return impl_->Stop(); }

}  // namespace vigil::server
