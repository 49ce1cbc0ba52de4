#include <fmt/format.h>
#include <libpsl.h>

#include "net/url.h"

namespace vigil::net {
namespace {

// The list that is newest: the distribution's file or the one built into the library. Loaded once, never
// freed.
const psl_ctx_t* List() {
  static const psl_ctx_t* list = psl_latest(nullptr);
  return list != nullptr ? list : psl_builtin();
}

bool IsAddress(std::string_view host) {
  return host.starts_with('[') ||
         (!host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

}  // namespace

bool IsLoopbackHost(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || host == "::1") return true;
  return IsAddress(host) && host.starts_with("127.");
}

bool IsPotentiallyTrustworthy(const Url& url) {
  return url.scheme() == "https" || url.scheme() == "wss" || (url.IsSpecial() && IsLoopbackHost(url.host()));
}

std::optional<std::string> WhyNotAllowed(const Url& url) {
  if (!url.IsHttp()) {
    return fmt::format("{} is not a web address; only https: (and http: on this machine) can be used",
                       url.Href());
  }
  if (!IsPotentiallyTrustworthy(url)) {
    return fmt::format("{} is not secure; serve it over https, or from this machine (http://localhost)",
                       url.Href());
  }
  return std::nullopt;
}

bool IsPublicSuffix(const std::string& host) {
  return !IsAddress(host) && psl_is_public_suffix(List(), host.c_str()) == 1;
}

std::string RegistrableDomain(const std::string& host) {
  if (IsAddress(host)) return host;
  const char* domain = psl_registrable_domain(List(), host.c_str());
  return domain != nullptr ? domain : host;
}

bool SameSite(const Url& a, const Url& b) {
  return a.scheme() == b.scheme() && RegistrableDomain(a.host()) == RegistrableDomain(b.host());
}

}  // namespace vigil::net
