#include "net/route_table.h"

#include <fmt/format.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cstring>
#include <string_view>
#include <utility>

namespace vigil::net {
namespace {

// Attributes of a netlink message by number; bodies of messages are `Header` and then attributes.
template <class Header>
std::map<int, std::string_view> Attributes(const nlmsghdr& message) {
  std::map<int, std::string_view> attributes;
  if (message.nlmsg_len < NLMSG_LENGTH(sizeof(Header))) return attributes;
  const char* at = reinterpret_cast<const char*>(&message) + NLMSG_LENGTH(NLMSG_ALIGN(sizeof(Header)));
  const char* const end = reinterpret_cast<const char*>(&message) + message.nlmsg_len;
  while (end - at >= static_cast<std::ptrdiff_t>(sizeof(rtattr))) {
    rtattr attribute{};
    std::memcpy(&attribute, at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > end - at) break;
    attributes[attribute.rta_type & NLA_TYPE_MASK] =
        std::string_view(at + RTA_LENGTH(0), attribute.rta_len - RTA_LENGTH(0));
    at += RTA_ALIGN(attribute.rta_len);
  }
  return attributes;
}

template <class Header>
Header Body(const nlmsghdr& message) {
  Header header{};
  if (message.nlmsg_len >= NLMSG_LENGTH(sizeof(Header)))
    std::memcpy(&header, NLMSG_DATA(&message), sizeof header);
  return header;
}

template <class T>
T Read(const std::map<int, std::string_view>& attributes, int which, T fallback) {
  const auto found = attributes.find(which);
  if (found == attributes.end() || found->second.size() < sizeof(T)) return fallback;
  T value{};
  std::memcpy(&value, found->second.data(), sizeof value);
  return value;
}

std::string ReadBytes(const std::map<int, std::string_view>& attributes, int which) {
  const auto found = attributes.find(which);
  return found == attributes.end() ? std::string() : std::string(found->second);
}

// fe80::/10, ff00::/8, 169.254.0.0/16, 224.0.0.0/4 lead nowhere beyond the link.
bool IsLinkLocal(int family, const std::string& destination) {
  if (destination.empty()) return false;
  const auto first = static_cast<unsigned char>(destination[0]);
  const unsigned char second = destination.size() > 1 ? static_cast<unsigned char>(destination[1]) : 0;
  if (family == AF_INET6) return first == 0xff || (first == 0xfe && (second & 0xc0) == 0x80);
  return (first == 169 && second == 254) || (first & 0xf0) == 0xe0;
}

std::string HardwareName(const std::string& address) {
  std::string name;
  for (const char byte : address) {
    fmt::format_to(std::back_inserter(name), "{}{:02x}", name.empty() ? "" : ":",
                   static_cast<unsigned char>(byte));
  }
  return name;
}

}  // namespace

void RouteTable::Apply(const nlmsghdr& message) {
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return ApplyLink(message);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return ApplyRoute(message);
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      return ApplyNeighbour(message);
    default:
      return;
  }
}

void RouteTable::Clear() {
  links_.clear();
  routes_.clear();
  neighbours_.clear();
}

void RouteTable::ApplyLink(const nlmsghdr& message) {
  const auto info = Body<ifinfomsg>(message);
  // Bridges report their ports in messages of their own family, which say nothing about the link itself.
  if (info.ifi_family != AF_UNSPEC) return;
  if (message.nlmsg_type == RTM_DELLINK) {
    links_.erase(info.ifi_index);
    return;
  }
  const auto attributes = Attributes<ifinfomsg>(message);
  Link& link = links_[info.ifi_index];
  link.name = ReadBytes(attributes, IFLA_IFNAME).c_str();
  link.flags = info.ifi_flags;
  link.type = info.ifi_type;
  link.operstate = Read<std::uint8_t>(attributes, IFLA_OPERSTATE, IF_OPER_UNKNOWN);
}

void RouteTable::ApplyRoute(const nlmsghdr& message) {
  const auto info = Body<rtmsg>(message);
  const auto attributes = Attributes<rtmsg>(message);
  const auto table = Read<std::uint32_t>(attributes, RTA_TABLE, info.rtm_table);
  const bool wanted =
      info.rtm_type == RTN_UNICAST && table != RT_TABLE_LOCAL && (info.rtm_flags & RTM_F_CLONED) == 0;
  if (!wanted) return;
  // Of a route with several next hops the first one names the interface.
  int interface = Read<int>(attributes, RTA_OIF, 0);
  std::string gateway = ReadBytes(attributes, RTA_GATEWAY);
  if (const auto hops = attributes.find(RTA_MULTIPATH);
      hops != attributes.end() && hops->second.size() >= sizeof(rtnexthop)) {
    rtnexthop hop{};
    std::memcpy(&hop, hops->second.data(), sizeof hop);
    interface = hop.rtnh_ifindex;
  }
  RouteKey key(info.rtm_family, ReadBytes(attributes, RTA_DST), info.rtm_dst_len,
               Read<std::uint32_t>(attributes, RTA_PRIORITY, 0), interface, std::move(gateway));
  if (message.nlmsg_type == RTM_DELROUTE) {
    routes_.erase(key);
  } else {
    routes_[std::move(key)] = true;
  }
}

void RouteTable::ApplyNeighbour(const nlmsghdr& message) {
  const auto info = Body<ndmsg>(message);
  if (info.ndm_family != AF_INET && info.ndm_family != AF_INET6) return;
  const auto attributes = Attributes<ndmsg>(message);
  const std::pair<int, std::string> key(info.ndm_ifindex, ReadBytes(attributes, NDA_DST));
  std::string hardware = ReadBytes(attributes, NDA_LLADDR);
  const bool gone =
      message.nlmsg_type == RTM_DELNEIGH || (info.ndm_state & (NUD_FAILED | NUD_INCOMPLETE)) != 0;
  if (gone || hardware.empty()) {
    neighbours_.erase(key);
  } else {
    neighbours_[key] = std::move(hardware);
  }
}

bool RouteTable::IsUsable(int interface) const {
  const auto found = links_.find(interface);
  if (found == links_.end()) return false;
  const Link& link = found->second;
  if ((link.flags & IFF_LOOPBACK) != 0 || (link.flags & IFF_UP) == 0 || (link.flags & IFF_RUNNING) == 0)
    return false;
  // Drivers that know nothing about carriers say "unknown".
  return link.operstate == IF_OPER_UP || link.operstate == IF_OPER_UNKNOWN;
}

// A default route before others, the smaller metric first, IPv4 before IPv6 (its neighbours have stable
// addresses).
const RouteTable::RouteKey* RouteTable::BestRoute() const {
  const RouteKey* best = nullptr;
  const auto rank = [](const RouteKey& key) {
    return std::make_tuple(std::get<2>(key) != 0, std::get<0>(key) != AF_INET, std::get<3>(key));
  };
  for (const auto& [key, present] : routes_) {
    if (!IsUsable(std::get<4>(key)) || IsLinkLocal(std::get<0>(key), std::get<1>(key))) continue;
    if (best == nullptr || rank(key) < rank(*best)) best = &key;
  }
  return best;
}

NetworkState RouteTable::State() const {
  NetworkState state;
  const RouteKey* route = BestRoute();
  if (route == nullptr) {
    state.type = "none";
    return state;
  }
  const Link& link = links_.at(std::get<4>(*route));
  state.online = true;
  state.interface_name = link.name;
  state.type = link.type == ARPHRD_ETHER ? "ethernet" : link.type == ARPHRD_PPP ? "cellular" : "other";
  const auto neighbour = neighbours_.find({std::get<4>(*route), std::get<5>(*route)});
  if (!std::get<5>(*route).empty() && neighbour != neighbours_.end()) {
    state.network_id = "gw:" + HardwareName(neighbour->second);
  }
  return state;
}

std::optional<RouteTable::Gateway> RouteTable::UnknownGateway() const {
  const RouteKey* route = BestRoute();
  if (route == nullptr || std::get<5>(*route).empty()) return std::nullopt;
  if (neighbours_.count({std::get<4>(*route), std::get<5>(*route)}) != 0) return std::nullopt;
  return Gateway{std::get<4>(*route), std::get<5>(*route)};
}

}  // namespace vigil::net
