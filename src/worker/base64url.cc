#include "worker/base64url.h"

#include <cstdint>

namespace vigil::worker {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr unsigned kSextetBits = 6;
constexpr unsigned kOctetBits = 8;

}  // namespace

std::string ToBase64Url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const char byte : bytes) {
    buffer = buffer << kOctetBits | static_cast<unsigned char>(byte);
    for (bits += kOctetBits; bits >= kSextetBits;) {
      bits -= kSextetBits;
      text.push_back(kAlphabet[buffer >> bits & 63]);
    }
  }
  if (bits > 0) text.push_back(kAlphabet[buffer << (kSextetBits - bits) & 63]);
  return text;
}

std::optional<std::string> FromBase64Url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t buffer = 0;
  unsigned bits = 0;
  for (const char character : text) {
    const std::size_t sextet = kAlphabet.find(character);
    if (sextet == std::string_view::npos) return std::nullopt;
    buffer = buffer << kSextetBits | static_cast<std::uint32_t>(sextet);
    bits += kSextetBits;
    if (bits >= kOctetBits) {
      bits -= kOctetBits;
      bytes.push_back(static_cast<char>(buffer >> bits & 255));
    }
  }
  return bytes;
}

}  // namespace vigil::worker
