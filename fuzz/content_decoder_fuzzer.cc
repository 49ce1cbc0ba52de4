// libFuzzer target: a compressed body of any bytes in pieces of any size comes out in bounded pieces, or is
// refused.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/content_decoder.h"

namespace {

constexpr std::array<std::string_view, 6> kEncodings = {"gzip", "deflate",  "br",
                                                        "zstd", "br, gzip", "gzip, zstd, deflate"};
// A small input can stand for very much; what comes after this is like what came before.
constexpr std::size_t kEnough = std::size_t{4} << 20;

// False: there is nothing more to see.
bool Drain(vigil::net::ContentDecoder& decoder, std::size_t& total) {
  while (total < kEnough) {
    const auto piece = decoder.Next();
    if (!piece) return false;
    if (piece->size() > vigil::net::ContentDecoder::kMaxPiece) std::abort();
    if (piece->empty()) return true;
    total += piece->size();
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  auto decoder = vigil::net::ContentDecoder::For(kEncodings[data[0] % kEncodings.size()]);
  const std::size_t step = data[1] % 64U + 1;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::size_t total = 0;
  for (std::size_t at = 0; at < body.size(); at += step) {
    (*decoder)->Feed(body.substr(at, std::min(step, body.size() - at)));
    if (!Drain(**decoder, total)) return 0;
  }
  (*decoder)->FeedEnd();
  Drain(**decoder, total);
  return 0;
}
