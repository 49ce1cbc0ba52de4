#include "net/mime_type.h"

#include <algorithm>

#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

constexpr std::string_view kWhitespace = "\t\n\r ";

std::string_view TrimEnd(std::string_view text) {
  const std::size_t last = text.find_last_not_of(kWhitespace);
  return last == text.npos ? std::string_view() : text.substr(0, last + 1);
}
std::string_view TrimStart(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kWhitespace), text.size()));
}

bool IsQuotedStringText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x09 || (byte >= 0x20 && byte != 0x7F);
  });
}

// Fetch section 2.2, "collect an HTTP quoted string": the value; `rest` begins behind the closing quote.
std::string TakeQuoted(std::string_view& rest) {
  std::string value;
  rest.remove_prefix(1);
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') break;
    if (c != '\\') {
      value += c;
    } else if (rest.empty()) {
      value += c;
    } else {
      value += rest.front();
      rest.remove_prefix(1);
    }
  }
  return value;
}

// Fetch section 2.2.2, "get, decode, and split": where the first value ends; commas in quoted strings do not
// count.
std::size_t EndOfValue(std::string_view text) {
  std::string_view rest = text;
  while (!rest.empty() && rest.front() != ',') {
    if (rest.front() == '"') {
      TakeQuoted(rest);
    } else {
      rest.remove_prefix(1);
    }
  }
  return text.size() - rest.size();
}

}  // namespace

std::optional<MimeType> MimeType::Extract(std::string_view combined) {
  std::optional<MimeType> last;
  while (true) {
    const std::size_t end = EndOfValue(combined);
    std::optional<MimeType> mime = Parse(combined.substr(0, end));
    if (mime && mime->Essence() != "*/*") last = std::move(mime);
    if (end == combined.size()) return last;
    combined.remove_prefix(end + 1);
  }
}

std::optional<MimeType> MimeType::Parse(std::string_view text) {
  std::string_view rest = TrimEnd(TrimStart(text));
  const std::size_t slash = rest.find('/');
  if (slash == rest.npos) return std::nullopt;
  MimeType mime;
  mime.type = LowerCase(rest.substr(0, slash));
  rest.remove_prefix(slash + 1);
  const std::size_t end = std::min(rest.find(';'), rest.size());
  mime.subtype = LowerCase(TrimEnd(rest.substr(0, end)));
  if (!IsToken(mime.type) || !IsToken(mime.subtype)) return std::nullopt;
  rest.remove_prefix(end);
  while (!rest.empty()) {
    rest = TrimStart(rest.substr(1));
    const std::size_t name_end = std::min(rest.find_first_of(";="), rest.size());
    const std::string name = LowerCase(rest.substr(0, name_end));
    rest.remove_prefix(name_end);
    if (rest.empty()) break;
    if (rest.front() == ';') continue;
    rest.remove_prefix(1);
    std::string value;
    if (rest.starts_with('"')) {
      value = TakeQuoted(rest);
      rest.remove_prefix(std::min(rest.find(';'), rest.size()));
    } else {
      const std::size_t value_end = std::min(rest.find(';'), rest.size());
      value = TrimEnd(rest.substr(0, value_end));
      rest.remove_prefix(value_end);
      if (value.empty()) continue;
    }
    const bool known = std::any_of(mime.parameters.begin(), mime.parameters.end(),
                                   [&](const auto& parameter) { return parameter.first == name; });
    if (IsToken(name) && IsQuotedStringText(value) && !known) mime.parameters.emplace_back(name, value);
  }
  return mime;
}

std::string MimeType::Serialize() const {
  std::string text = Essence();
  for (const auto& [name, value] : parameters) {
    text += ";" + name + "=";
    if (IsToken(value)) {
      text += value;
      continue;
    }
    text += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text;
}

}  // namespace vigil::net
