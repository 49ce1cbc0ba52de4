#include "net/data_url.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "net/fetch_headers.h"
#include "net/mime_type.h"
#include "net/url_parser.h"

namespace vigil::net {
namespace {

// The forgiving decoder of the Infra standard.
std::optional<std::string> DecodeBase64(std::string_view text) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string digits;
  for (const char c : text) {
    if (std::string_view(" \t\n\f\r").find(c) == std::string_view::npos) digits += c;
  }
  if (digits.size() % 4 == 0 && digits.ends_with("==")) {
    digits.erase(digits.size() - 2);
  } else if (digits.size() % 4 == 0 && digits.ends_with('=')) {
    digits.pop_back();
  }
  if (digits.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : digits) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xFFU);
    }
  }
  return bytes;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<DataUrl> ParseDataUrl(const Url& url) {
  const std::string& text = url.path();
  const std::size_t comma = text.find(',');
  if (url.scheme() != "data" || comma == std::string::npos) return std::nullopt;
  std::string_view type = Trim(std::string_view(text).substr(0, comma));
  std::string body = PercentDecode(std::string_view(text).substr(comma + 1));
  const std::size_t semicolon = type.rfind(';');
  if (semicolon != std::string_view::npos && LowerCase(Trim(type.substr(semicolon + 1))) == "base64") {
    std::optional<std::string> decoded = DecodeBase64(body);
    if (!decoded) return std::nullopt;
    body = std::move(*decoded);
    type = Trim(type.substr(0, semicolon));
  }
  std::string text_of_type(type);
  if (text_of_type.starts_with(';')) text_of_type.insert(0, "text/plain");
  const std::optional<MimeType> mime = MimeType::Parse(text_of_type);
  return DataUrl{mime ? mime->Serialize() : "text/plain;charset=US-ASCII", std::move(body)};
}

}  // namespace vigil::net
