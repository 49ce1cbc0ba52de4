// Who may call the API over loopback TCP. (The Unix socket is guarded by the kernel: file mode and peer
// credentials.)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigil::server {

// Compares in a time that does not depend on where the two differ.
bool SameSecret(std::string_view given, std::string_view secret);

struct LoopbackGuard {
  std::optional<std::string> token;  // absent: the callers this listener is for cannot send one
  std::uint16_t port = 0;
  bool devtools = false;  // Chrome's own DevTools may call: Origin "devtools://devtools"
};

// The headers a decision needs; absent ones are empty.
struct AccessHeaders {
  std::string_view host;
  std::string_view origin;
  std::string_view authorization;  // "Bearer <token>"
  std::string_view socket_token;   // of a WebSocket's address: scripts cannot set its headers
  std::string_view fetch_site;     // Sec-Fetch-Site, not of a WebSocket: whose page a browser asks for
};

// Any page in a browser on this machine can send requests to loopback. So: the Host must be a loopback name
// with our port (a foreign name is DNS rebinding), an Origin must be our own, a browser must not say that
// another site's page asks (it sends no Origin for an image), and the token, if the listener has one, must be
// known. kPermissionDenied.
Result<> CheckLoopbackAccess(const LoopbackGuard& guard, const AccessHeaders& headers);

// 256 random bits in hexadecimal.
Result<std::string> MakeToken();

}  // namespace vigil::server
