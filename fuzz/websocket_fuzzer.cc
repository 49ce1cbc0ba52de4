// libFuzzer target: what a server answers to a WebSocket's handshake, and what it sends compressed, is read
// or refused.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/websocket_deflate.h"
#include "net/websocket_handshake.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLimit = 64 * 1024;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto head = vigil::net::ParseResponseHead(text)) {
    head->status = 101;
    // The checks that only a server can pass which knows the key.
    head->headers.emplace_back("Upgrade", "websocket");
    head->headers.emplace_back("Connection", "upgrade");
    head->headers.emplace_back("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    const auto terms = vigil::net::CheckWebSocketResponse(*head, "dGhlIHNhbXBsZSBub25jZQ==", {"chat"});
    if (terms && terms->protocol != "chat") std::abort();
  }
  vigil::net::MessageDeflater deflater(vigil::net::DeflateTerms{});
  for (std::size_t i = 0; i < 2; ++i) {
    const auto expanded = deflater.Expand(text, kLimit);
    if (!expanded) break;
    if (expanded->size() > kLimit) std::abort();
  }
  return 0;
}
