// The opening handshake of a WebSocket (RFC 6455, section 4) and of its permessage-deflate extension (RFC
// 7692). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http_client.h"
#include "net/url.h"

namespace vigil::net {

// What permessage-deflate was agreed on. Window sizes as powers of two.
struct DeflateTerms {
  bool client_keeps_context = true;
  bool server_keeps_context = true;
  int client_window_bits = 15;
  friend bool operator==(const DeflateTerms&, const DeflateTerms&) = default;
};

// What the server accepted.
struct WebSocketTerms {
  std::string protocol;    // empty: none
  std::string extensions;  // as the server wrote them
  std::optional<DeflateTerms> deflate;
};

// 16 random bytes in base64.
std::string MakeWebSocketKey();
// The request's bytes; `url` is the http or https form of the address. Headers are those that policy adds.
std::string WebSocketRequest(const Url& url, const std::string& key,
                             const std::vector<std::string>& protocols, const Headers& headers);

// Status line and headers of a response, without what follows the empty line; no value: they are not HTTP.
std::optional<HttpClientHead> ParseResponseHead(std::string_view text);
// Section 4.1, the client's checks of the response. An error says what is wrong with it.
Result<WebSocketTerms> CheckWebSocketResponse(const HttpClientHead& head, const std::string& key,
                                              const std::vector<std::string>& protocols);

}  // namespace vigil::net
