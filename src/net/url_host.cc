#include <arpa/inet.h>
#include <idn2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <limits>
#include <vector>

#include "net/url_parser.h"

namespace vigil::net {
namespace {

constexpr std::string_view kForbiddenHost(std::string_view("\0\t\n\r #/:<>?@[\\]^|", 17));

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsForbiddenInDomain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= 0x1F || c == '%' || byte == 0x7F || kForbiddenHost.find(c) != std::string_view::npos;
}

// UTS 46, not transitional. nullopt: not a valid name.
std::optional<std::string> ToAscii(const std::string& domain) {
  std::uint8_t* ascii = nullptr;
  const int code = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(domain.c_str()), &ascii,
                                  IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  if (code != IDN2_OK) return std::nullopt;
  std::string name(reinterpret_cast<const char*>(ascii));
  idn2_free(ascii);
  return name;
}

std::vector<std::string_view> SplitDots(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t dot = text.find('.');
    parts.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

// The standard's IPv4 number: decimal, 0octal, 0xhex. nullopt: not a number.
std::optional<std::uint64_t> ParseIpv4Number(std::string_view text) {
  if (text.empty()) return std::nullopt;
  int base = 10;
  if (text.size() >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() >= 2 && text[0] == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = HexValue(c);
    if (digit < 0 || digit >= base) return std::nullopt;
    value = std::min<std::uint64_t>(
        value * static_cast<std::uint64_t>(base) + static_cast<std::uint64_t>(digit), std::uint64_t{1} << 33);
  }
  return value;
}

// Section 3.5, "ends in a number checker".
bool EndsInNumber(std::string_view host) {
  std::vector<std::string_view> parts = SplitDots(host);
  if (parts.back().empty()) {
    if (parts.size() == 1) return false;
    parts.pop_back();
  }
  const std::string_view last = parts.back();
  if (!last.empty() && std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return true;
  return ParseIpv4Number(last).has_value();
}

std::optional<std::string> ParseIpv4(std::string_view host) {
  std::vector<std::string_view> parts = SplitDots(host);
  if (parts.back().empty() && parts.size() > 1) parts.pop_back();
  if (parts.size() > 4) return std::nullopt;
  std::uint64_t address = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::optional<std::uint64_t> number = ParseIpv4Number(parts[i]);
    if (!number) return std::nullopt;
    const bool last = i + 1 == parts.size();
    // The last part fills all bytes that are left.
    const std::uint64_t limit = last ? std::uint64_t{1} << (8 * (5 - parts.size())) : 256;
    if (*number >= limit) return std::nullopt;
    address += last ? *number : *number << (8 * (3 - i));
  }
  in_addr binary{};
  binary.s_addr = htonl(static_cast<std::uint32_t>(address));
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, &binary, text.data(), text.size());
  return std::string(text.data());
}

// Section 3.6, the serializer: the first longest run of two or more zero pieces is compressed.
std::string SerializeIpv6(const in6_addr& address) {
  std::array<unsigned, 8> pieces{};
  for (std::size_t i = 0; i < 8; ++i) pieces[i] = address.s6_addr[2 * i] << 8U | address.s6_addr[2 * i + 1];
  std::size_t best = 8;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && pieces[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  std::string text = "[";
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      text += i == 0 ? "::" : ":";
      i += best_length - 1;
      continue;
    }
    std::array<char, 8> piece{};
    std::snprintf(piece.data(), piece.size(), "%x", pieces[i]);
    text += piece.data();
    if (i != 7) text += ':';
  }
  return text + ']';
}

}  // namespace

std::optional<std::string> ParseHost(std::string_view input) {
  if (input.starts_with('[')) {
    if (!input.ends_with(']')) return std::nullopt;
    const std::string address(input.substr(1, input.size() - 2));
    in6_addr binary{};
    if (inet_pton(AF_INET6, address.c_str(), &binary) != 1) return std::nullopt;
    return SerializeIpv6(binary);
  }
  std::string domain = PercentDecode(input);
  const bool ascii =
      std::all_of(domain.begin(), domain.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  std::transform(domain.begin(), domain.end(), domain.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (!ascii) {
    const std::optional<std::string> converted = ToAscii(domain);
    if (!converted) return std::nullopt;
    domain = *converted;
  }
  if (domain.empty() || std::any_of(domain.begin(), domain.end(), IsForbiddenInDomain)) return std::nullopt;
  if (EndsInNumber(domain)) return ParseIpv4(domain);
  return domain;
}

std::string PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0) {
      decoded += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

}  // namespace vigil::net
