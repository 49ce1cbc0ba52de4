#include "server/access.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <cctype>
#include <cstddef>

namespace vigil::server {
namespace {

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) != std::tolower(static_cast<unsigned char>(b[i])))
      return false;
  }
  return true;
}

constexpr std::string_view kDevTools = "devtools://devtools";

bool IsOurAuthority(std::string_view authority, std::uint16_t port) {
  for (const char* name : {"127.0.0.1", "localhost", "[::1]"}) {
    if (EqualsIgnoringCase(authority, fmt::format("{}:{}", name, port))) return true;
  }
  return false;
}

// No Origin: not a web page, or one that navigates here (and cannot read the answer).
bool IsWelcomeOrigin(const LoopbackGuard& guard, std::string_view origin) {
  constexpr std::string_view kScheme = "http://";
  if (origin.empty() || (guard.devtools && origin == kDevTools)) return true;
  return origin.substr(0, kScheme.size()) == kScheme &&
         IsOurAuthority(origin.substr(kScheme.size()), guard.port);
}

// Absent: no browser. "none": its user asks, by an address typed or a link of another program.
bool IsWelcomeSite(const LoopbackGuard& guard, const AccessHeaders& headers) {
  if (headers.fetch_site.empty() || headers.fetch_site == "none" || headers.fetch_site == "same-origin")
    return true;
  return guard.devtools && headers.origin == kDevTools;
}

std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kBearer = "bearer ";
  if (authorization.size() < kBearer.size() ||
      !EqualsIgnoringCase(authorization.substr(0, kBearer.size()), kBearer))
    return {};
  return authorization.substr(kBearer.size());
}

}  // namespace

bool SameSecret(std::string_view given, std::string_view secret) {
  // The length of the secret is no secret; an empty one never matches.
  unsigned char difference = given.size() == secret.size() && !secret.empty() ? 0 : 1;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    const unsigned char other = i < given.size() ? static_cast<unsigned char>(given[i]) : 0;
    difference = static_cast<unsigned char>(difference | (other ^ static_cast<unsigned char>(secret[i])));
  }
  return difference == 0;
}

Result<> CheckLoopbackAccess(const LoopbackGuard& guard, const AccessHeaders& headers) {
  if (!IsOurAuthority(headers.host, guard.port)) {
    return Fail(ErrorCode::kPermissionDenied,
                fmt::format("refused: the Host header must be 127.0.0.1:{0}, localhost:{0} or [::1]:{0}",
                            guard.port));
  }
  if (!IsWelcomeOrigin(guard, headers.origin) || !IsWelcomeSite(guard, headers))
    return Fail(ErrorCode::kPermissionDenied, "refused: requests of foreign web pages are not served");
  if (guard.token && !SameSecret(BearerToken(headers.authorization), *guard.token) &&
      !SameSecret(headers.socket_token, *guard.token)) {
    return Fail(
        ErrorCode::kPermissionDenied,
        "refused: send \"Authorization: Bearer TOKEN\" with the content of the file \"token\" in the data "
        "directory");
  }
  return {};
}

Result<std::string> MakeToken() {
  std::array<unsigned char, 32> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return Fail(ErrorCode::kIo, "the system gives no random numbers; cannot make an access token");
  std::string token;
  for (const unsigned char byte : random) token += fmt::format("{:02x}", byte);
  return token;
}

}  // namespace vigil::server
