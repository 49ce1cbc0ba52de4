// Which proxy a request goes through, as the environment of the daemon says.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "net/url.h"

namespace vigil::net {

struct Proxies {
  std::string http, https;  // URLs of the proxies; empty: none
  // Hosts that are reached without: comma-separated names (and all below them), addresses, or "*".
  std::string bypass;

  // http_proxy, https_proxy, all_proxy and no_proxy, each also in capitals; the small ones come first.
  // Loopback is always reached directly.
  static Proxies FromEnvironment(const std::function<std::optional<std::string>(const char*)>& variable);
  static Proxies FromEnvironment();

  const std::string& For(const Url& url) const { return url.scheme() == "https" ? https : http; }
};

}  // namespace vigil::net
