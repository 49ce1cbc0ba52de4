#include "net/proxies.h"

#include <cstdlib>

namespace vigil::net {

Proxies Proxies::FromEnvironment(const std::function<std::optional<std::string>(const char*)>& variable) {
  const auto first = [&](const char* small, const char* capital) {
    std::optional<std::string> value = variable(small);
    if (!value) value = variable(capital);
    return value.value_or("");
  };
  const std::string all = first("all_proxy", "ALL_PROXY");
  Proxies proxies;
  proxies.http = first("http_proxy", "HTTP_PROXY");
  proxies.https = first("https_proxy", "HTTPS_PROXY");
  if (proxies.http.empty()) proxies.http = all;
  if (proxies.https.empty()) proxies.https = all;
  proxies.bypass = first("no_proxy", "NO_PROXY");
  if (!proxies.bypass.empty()) proxies.bypass += ',';
  proxies.bypass += "localhost,127.0.0.0/8,::1";
  return proxies;
}

Proxies Proxies::FromEnvironment() {
  return FromEnvironment([](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
  });
}

}  // namespace vigil::net
