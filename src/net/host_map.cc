#include "net/host_map.h"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <optional>
#include <utility>

#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

// 0 for "*".
std::optional<std::uint16_t> ParsePort(std::string_view text) {
  if (text == "*") return 0;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool IsHostPattern(std::string_view text) {
  if (text == "*") return true;
  if (text.starts_with("*.")) text.remove_prefix(2);
  return !text.empty() && text.find_first_of("*/[]@ \t") == std::string_view::npos;
}

}  // namespace

Result<> HostMap::Add(std::string_view entry) {
  const auto refuse = [entry](std::string_view why) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("\"{}\" is no HOST:PORT:ADDRESS ({}); write for instance shop.example:443:127.0.0.1 "
                    "or \"*.example:*:127.0.0.1\"",
                    entry, why));
  };
  const std::size_t first = entry.find(':');
  const std::size_t second = first == entry.npos ? first : entry.find(':', first + 1);
  if (second == entry.npos) return refuse("it has fewer than three parts");
  const std::string host = LowerCase(entry.substr(0, first));
  if (!IsHostPattern(host)) return refuse(fmt::format("\"{}\" is no host name", host));
  const std::optional<std::uint16_t> port = ParsePort(entry.substr(first + 1, second - first - 1));
  if (!port) return refuse("the port is neither a number from 1 to 65535 nor \"*\"");
  std::string_view address = entry.substr(second + 1);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(address, error);
  if (error) return refuse(fmt::format("\"{}\" is no IP address", address));
  Entry added;
  added.exact = !host.starts_with('*');
  added.name = added.exact ? host : host.substr(host.starts_with("*.") ? 2 : 1);
  added.port = *port;
  added.address = parsed.to_string();
  entries_.push_back(std::move(added));
  return {};
}

std::string HostMap::Lookup(std::string_view host, std::uint16_t port) const {
  for (const Entry& entry : entries_) {
    if (entry.port != 0 && entry.port != port) continue;
    const bool fits = entry.exact ? host == entry.name
                      : entry.name.empty()
                          ? true
                          : host.size() > entry.name.size() + 1 && host.ends_with(entry.name) &&
                                host[host.size() - entry.name.size() - 1] == '.';
    if (fits) return entry.address;
  }
  return "";
}

}  // namespace vigil::net
