#include "net/websocket_handshake.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

std::string Base64(const unsigned char* data, std::size_t size) {
  std::string text(4 * ((size + 2) / 3) + 1, '\0');
  text.resize(static_cast<std::size_t>(
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), data, static_cast<int>(size))));
  return text;
}

// What a server that understood the key answers with.
std::string ExpectedAccept(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return Base64(digest.data(), size);
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string_view NextPart(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = Trim(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

bool HasListItem(const Headers& headers, std::string_view name, std::string_view item) {
  const std::vector<std::string> items = SplitList(CombinedValue(headers, name));
  return std::any_of(items.begin(), items.end(),
                     [&](const std::string& each) { return SameName(each, item); });
}

// A window size is 8 to 15; zlib's raw streams have no 8.
std::optional<int> WindowBits(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
    value = value.substr(1, value.size() - 2);
  int bits = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
  if (error != std::errc() || end != value.data() + value.size() || bits < 8 || bits > 15)
    return std::nullopt;
  return bits;
}

// RFC 7692, section 7.1: parameters that were not offered, come twice or have a wrong value refuse the
// connection.
std::optional<DeflateTerms> ParseDeflate(std::string_view extension) {
  if (NextPart(extension, ';') != "permessage-deflate") return std::nullopt;
  DeflateTerms terms;
  std::vector<std::string_view> seen;
  while (!extension.empty()) {
    std::string_view parameter = NextPart(extension, ';');
    const std::string_view name = NextPart(parameter, '=');
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) return std::nullopt;
    seen.push_back(name);
    if (name == "server_no_context_takeover" && parameter.empty()) {
      terms.server_keeps_context = false;
    } else if (name == "client_no_context_takeover" && parameter.empty()) {
      terms.client_keeps_context = false;
    } else if (name == "client_max_window_bits" || name == "server_max_window_bits") {
      const std::optional<int> bits = WindowBits(Trim(parameter));
      if (!bits) return std::nullopt;
      if (name == "client_max_window_bits") terms.client_window_bits = *bits;
    } else {
      return std::nullopt;
    }
  }
  // With a window of 256 bytes nothing can be sent compressed by zlib; refusing to compress is allowed, and
  // simpler than a window that the other side did not agree to.
  return terms;
}

Result<> CheckUpgrade(const HttpClientHead& head, const std::string& key) {
  const auto refuse = [](std::string why) { return Fail(ErrorCode::kUnavailable, std::move(why)); };
  if (head.status != 101)
    return refuse(fmt::format("the server answers {} {}", head.status, head.status_text));
  if (!SameName(CombinedValue(head.headers, "upgrade"), "websocket"))
    return refuse("the response's Upgrade header is not \"websocket\"");
  if (!HasListItem(head.headers, "connection", "upgrade"))
    return refuse("the response's Connection header lacks \"Upgrade\"");
  if (CombinedValue(head.headers, "sec-websocket-accept") != ExpectedAccept(key))
    return refuse("the response's Sec-WebSocket-Accept header is wrong");
  return {};
}

}  // namespace

std::string MakeWebSocketKey() {
  std::array<unsigned char, 16> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return Base64(bytes.data(), bytes.size());
}

std::string WebSocketRequest(const Url& url, const std::string& key,
                             const std::vector<std::string>& protocols, const Headers& headers) {
  const std::string port = url.port() == 0 ? "" : fmt::format(":{}", url.port());
  std::string text = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}{}\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: "
      "no-cache\r\n"
      "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n"
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
      url.Target(), url.host(), port, key);
  if (!protocols.empty()) text += fmt::format("Sec-WebSocket-Protocol: {}\r\n", fmt::join(protocols, ", "));
  for (const auto& [name, value] : headers) text += fmt::format("{}: {}\r\n", name, value);
  return text + "\r\n";
}

std::optional<HttpClientHead> ParseResponseHead(std::string_view text) {
  HttpClientHead head;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    if (head.status == 0) {
      // "HTTP/1.1 101 Switching Protocols"
      if (!line.starts_with("HTTP/1.1 ") || line.size() < 12) return std::nullopt;
      const auto [stop, error] = std::from_chars(line.data() + 9, line.data() + 12, head.status);
      if (error != std::errc() || stop != line.data() + 12 || head.status < 100) return std::nullopt;
      head.status_text = std::string(Trim(line.substr(12)));
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    head.headers.emplace_back(line.substr(0, colon), Trim(line.substr(colon + 1)));
  }
  return head.status == 0 ? std::nullopt : std::optional(std::move(head));
}

Result<WebSocketTerms> CheckWebSocketResponse(const HttpClientHead& head, const std::string& key,
                                              const std::vector<std::string>& protocols) {
  VIGIL_TRY(CheckUpgrade(head, key));
  const auto refuse = [](std::string why) { return Fail(ErrorCode::kUnavailable, std::move(why)); };
  WebSocketTerms terms;
  bool has_protocol = false;
  terms.protocol = CombinedValue(head.headers, "sec-websocket-protocol", &has_protocol);
  if (has_protocol && std::find(protocols.begin(), protocols.end(), terms.protocol) == protocols.end())
    return refuse(fmt::format("the server chose the protocol \"{}\", which was not offered", terms.protocol));
  if (!has_protocol && !protocols.empty()) return refuse("the server chose none of the protocols offered");
  terms.extensions = CombinedValue(head.headers, "sec-websocket-extensions");
  if (!terms.extensions.empty()) {
    terms.deflate = ParseDeflate(terms.extensions);
    if (!terms.deflate)
      return refuse(
          fmt::format("the server chose the extensions \"{}\", which were not offered", terms.extensions));
  }
  return terms;
}

}  // namespace vigil::net
