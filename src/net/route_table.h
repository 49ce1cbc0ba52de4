// What the kernel has told about links, routes and neighbours, and what follows from it. No I/O: fed with
// netlink messages by rtnetlink.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "net/connectivity.h"

struct nlmsghdr;

namespace vigil::net {

class RouteTable {
 public:
  struct Link {
    std::string name;
    unsigned flags = 0;          // IFF_*
    std::uint8_t operstate = 0;  // RFC 2863, IF_OPER_*
    std::uint16_t type = 0;      // ARPHRD_*
  };
  struct Gateway {
    int interface = 0;
    std::string address;  // 4 or 16 bytes
  };

  // RTM_{NEW,DEL}{LINK,ROUTE,NEIGH}; everything else is ignored.
  void Apply(const nlmsghdr& message);
  void Clear();

  // `type` is filled in only as far as the link's hardware type tells.
  NetworkState State() const;
  // The gateway of the best default route, when its hardware address is not known.
  std::optional<Gateway> UnknownGateway() const;

 private:
  // family, destination with prefix length, metric, interface, gateway
  using RouteKey = std::tuple<int, std::string, int, std::uint32_t, int, std::string>;

  void ApplyLink(const nlmsghdr& message);
  void ApplyRoute(const nlmsghdr& message);
  void ApplyNeighbour(const nlmsghdr& message);
  bool IsUsable(int interface) const;
  const RouteKey* BestRoute() const;

  std::map<int, Link> links_;
  std::map<RouteKey, bool> routes_;
  std::map<std::pair<int, std::string>, std::string> neighbours_;  // (interface, address) → hardware address
};

}  // namespace vigil::net
