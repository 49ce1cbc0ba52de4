#include "worker/utf8.h"

#include <cstdint>
#include <cstring>

namespace vigil::worker {
namespace {

// Length of the ASCII prefix, eight bytes at a time.
std::size_t AsciiPrefix(const unsigned char* bytes, std::size_t size) {
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= size; at += sizeof word) {
    std::memcpy(&word, bytes + at, sizeof word);
    if ((word & 0x8080808080808080ULL) != 0) break;
  }
  while (at < size && bytes[at] < 0x80) ++at;
  return at;
}

// Length of the multi-byte sequence at `bytes`; 0: malformed. Second bytes have narrower ranges after E0, ED,
// F0, F4.
std::size_t SequenceLength(const unsigned char* bytes, std::size_t size) {
  const unsigned char lead = bytes[0];
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (size < length) return 0;
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (bytes[1] < low || bytes[1] > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((bytes[i] & 0xC0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

bool IsAscii(std::string_view bytes) {
  return AsciiPrefix(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) == bytes.size();
}

bool IsValidUtf8(std::string_view bytes) {
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t at = 0;
  while (true) {
    at += AsciiPrefix(data + at, bytes.size() - at);
    if (at == bytes.size()) return true;
    const std::size_t length = SequenceLength(data + at, bytes.size() - at);
    if (length == 0) return false;
    at += length;
  }
}

}  // namespace vigil::worker
