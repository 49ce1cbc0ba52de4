#include "net/rtnetlink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "base/log.h"
#include "net/route_table.h"

namespace vigil::net {
namespace {

constexpr unsigned kGroups = RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_NEIGH;
constexpr int kReceiveBuffer = 1 << 20;
constexpr std::uint16_t kDiscardPort = 9;
constexpr int kMaxDumps = 5;
constexpr int kDumpTimeoutMs = 2000;

// wifi and mobile broadband are told apart by the kernel's own device class.
std::string LinkType(const std::string& interface, std::string fallback) {
  std::ifstream events("/sys/class/net/" + interface + "/uevent");
  for (std::string line; std::getline(events, line);) {
    if (line == "DEVTYPE=wlan") return "wifi";
    if (line == "DEVTYPE=wwan") return "cellular";
    if (line == "DEVTYPE=bluetooth") return "bluetooth";
  }
  return fallback;
}

// An empty datagram to the discard port: the kernel has to find out the gateway's hardware address to send
// it, and then reports it to us. Needs no privilege.
void AskForHardwareAddress(const RouteTable::Gateway& gateway) {
  const bool v4 = gateway.address.size() == 4;
  const int fd = ::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  sockaddr_storage storage{};
  if (v4) {
    auto* to = reinterpret_cast<sockaddr_in*>(&storage);
    to->sin_family = AF_INET;
    to->sin_port = htons(kDiscardPort);
    std::memcpy(&to->sin_addr, gateway.address.data(), 4);
  } else {
    auto* to = reinterpret_cast<sockaddr_in6*>(&storage);
    to->sin6_family = AF_INET6;
    to->sin6_port = htons(kDiscardPort);
    to->sin6_scope_id = static_cast<std::uint32_t>(gateway.interface);
    std::memcpy(&to->sin6_addr, gateway.address.data(), 16);
  }
  ::sendto(fd, "", 0, MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&storage),
           v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  ::close(fd);
}

}  // namespace

class RtnetlinkConnectivity::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(RtnetlinkConnectivity* owner, const boost::asio::any_io_executor& executor)
      : owner_(owner), socket_(executor) {}

  Result<> Start() {
    const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0) return SystemFailure("cannot watch the network");
    socket_.assign(fd);
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = kGroups;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      return SystemFailure("cannot watch the network");
    VIGIL_TRY(DumpAll());
    Publish();
    return {};
  }

  void Watch() {
    socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& error) {
                         if (error || self->owner_ == nullptr) return;
                         self->OnReadable();
                       });
  }

  void Stop() {
    owner_ = nullptr;
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  static Result<> SystemFailure(const char* what) {
    return Fail(ErrorCode::kIo, fmt::format("{}: {}; use --network manual", what, std::strerror(errno)));
  }

  // Changes that happen while the dumps are read arrive on the same socket, in order; none is lost.
  Result<> DumpAll() {
    for (int tries = 0; tries < kMaxDumps; ++tries) {
      lost_ = false;
      table_.Clear();
      for (const std::uint16_t type : {RTM_GETLINK, RTM_GETROUTE, RTM_GETNEIGH}) VIGIL_TRY(Dump(type));
      if (!lost_) break;
    }
    return {};
  }

  Result<> Dump(std::uint16_t type) {
    struct {
      nlmsghdr header;
      rtgenmsg body;
    } request{};
    request.header.nlmsg_len = NLMSG_LENGTH(sizeof(rtgenmsg));
    request.header.nlmsg_type = type;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.header.nlmsg_seq = ++sequence_;
    request.body.rtgen_family = AF_UNSPEC;
    if (::send(socket_.native_handle(), &request, request.header.nlmsg_len, 0) < 0)
      return SystemFailure("cannot ask for the network");
    dumping_ = true;
    while (dumping_) {
      if (ReceiveOnce() || errno == EINTR) continue;
      lost_ = lost_ || errno == ENOBUFS;
      if (errno == EAGAIN && !WaitForData())
        return SystemFailure("the kernel does not tell about the network");
      if (errno != EAGAIN && errno != ENOBUFS) return SystemFailure("cannot ask for the network");
    }
    return {};
  }

  bool WaitForData() {
    pollfd wait{socket_.native_handle(), POLLIN, 0};
    errno = EAGAIN;
    return ::poll(&wait, 1, kDumpTimeoutMs) == 1;
  }

  // false: nothing was there, or errno says what is wrong.
  bool ReceiveOnce() {
    const ssize_t size = ::recv(socket_.native_handle(), buffer_.data(), buffer_.size(), 0);
    if (size < 0) return false;
    auto left = static_cast<unsigned>(size);
    for (auto* message = reinterpret_cast<nlmsghdr*>(buffer_.data()); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      const bool end = message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR;
      if (end && message->nlmsg_seq == sequence_) dumping_ = false;
      if (!end) table_.Apply(*message);
    }
    return true;
  }

  void OnReadable() {
    while (ReceiveOnce()) {
    }
    // Messages were lost because too many came at once: the table can only be made anew.
    if (errno == ENOBUFS) {
      if (const Result<> dumped = DumpAll(); !dumped) log::Error("{}", dumped.error().message);
    }
    const std::shared_ptr<Impl> self = shared_from_this();
    Publish();
    if (owner_ != nullptr) Watch();
  }

  void Publish() {
    NetworkState state = table_.State();
    if (state.online) state.type = LinkType(state.interface_name, state.type);
    const std::optional<RouteTable::Gateway> unknown = table_.UnknownGateway();
    const std::string asked = unknown ? fmt::format("{} {}", unknown->interface, unknown->address) : "";
    if (unknown && asked != asked_) AskForHardwareAddress(*unknown);
    asked_ = asked;
    owner_->Update(std::move(state));
  }

  RtnetlinkConnectivity* owner_;
  boost::asio::posix::stream_descriptor socket_;
  RouteTable table_;
  std::uint32_t sequence_ = 0;
  bool dumping_ = false;
  bool lost_ = false;  // messages were dropped during a dump
  std::string asked_;  // the gateway that was asked for last
  alignas(nlmsghdr) std::array<char, 32768> buffer_{};
};

Result<std::unique_ptr<RtnetlinkConnectivity>> RtnetlinkConnectivity::Create(
    const boost::asio::any_io_executor& executor) {
  std::unique_ptr<RtnetlinkConnectivity> observer(new RtnetlinkConnectivity());
  observer->impl_ = std::make_shared<Impl>(observer.get(), executor);
  VIGIL_TRY(observer->impl_->Start());
  observer->impl_->Watch();
  return observer;
}

RtnetlinkConnectivity::RtnetlinkConnectivity() = default;

RtnetlinkConnectivity::~RtnetlinkConnectivity() {
  if (impl_) impl_->Stop();
}

}  // namespace vigil::net
