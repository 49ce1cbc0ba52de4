// libFuzzer target: whatever a disk gives back as the beginning of a cached response, it is refused, or is
// one of ours that comes back the same when it is written again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/cache_head.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  using vigil::net::kCachePrefixBytes;
  if (const auto head = vigil::net::ReadCachePrefix(bytes.substr(0, kCachePrefixBytes), size)) {
    if (kCachePrefixBytes + head->room + head->body_size != size || head->size > head->room) std::abort();
    if (vigil::net::WriteCachePrefix(*head) != bytes.substr(0, kCachePrefixBytes)) std::abort();
  }
  const vigil::net::HttpCacheKey key{"", ""};
  if (const auto stored = vigil::net::DecodeCacheHead(bytes, key)) {
    const std::string again = vigil::net::EncodeCacheHead(*stored, key);
    const auto twice = vigil::net::DecodeCacheHead(again, key);
    if (!twice || vigil::net::EncodeCacheHead(*twice, key) != again) std::abort();
    // Nothing that is decided by it may fail, whatever it says.
    vigil::net::IsFresh(*stored, stored->received_at);
    vigil::net::ValidationHeaders(*stored, true);
  }
  return 0;
}
