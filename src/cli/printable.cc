#include "cli/printable.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace vigil::cli {
namespace {

// Zero-width joiners (200C, 200D) are part of words and of emoji: they stay.
bool Hidden(std::uint32_t code) {
  const auto within = [code](std::uint32_t first, std::uint32_t last) {
    return code >= first && code <= last;
  };
  return code < 0x20 || within(0x7F, 0x9F) || code == 0x61C || code == 0x200B || within(0x200E, 0x200F) ||
         within(0x2028, 0x202E) || within(0x2060, 0x206F) || code == 0xFEFF || within(0xFFF9, 0xFFFB);
}

std::string Escape(std::uint32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\t') return "\\t";
  if (code == '\r') return "\\r";
  return code < 0x100 ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{{{:x}}}", code);
}

// Calls `each` with every character, as it stands in the text and as it may be shown.
template <class Each>
void ForEach(std::string_view text, const Each& each) {
  while (!text.empty()) {
    const Utf8Char next = FirstUtf8Char(text);
    const std::string_view raw = text.substr(0, next.bytes);
    text.remove_prefix(next.bytes);
    if (!next.valid) {
      each(raw, Escape(static_cast<unsigned char>(raw[0])));
    } else {
      each(raw, Hidden(next.code) ? Escape(next.code) : std::string(raw));
    }
  }
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string out;
  ForEach(text, [&](std::string_view, const std::string& shown) { out += shown; });
  return out;
}

std::string PrintableLines(std::string_view text, std::string_view indent) {
  std::string out;
  ForEach(text, [&](std::string_view raw, const std::string& shown) {
    if (raw == "\n") {
      out.append("\n").append(indent);
    } else {
      out += raw == "\t" ? std::string(raw) : shown;
    }
  });
  return out;
}

std::string Quoted(std::string_view text, std::size_t most) {
  std::string out = "\"";
  std::size_t count = 0;
  ForEach(text, [&](std::string_view raw, const std::string& shown) {
    if (++count > most) return;
    if (raw == "\"" || raw == "\\") out += '\\';
    out += shown;
  });
  out += '"';
  if (count > most) out += fmt::format("… ({} bytes)", text.size());
  return out;
}

std::string Shortened(std::string_view text, std::size_t most) {
  std::string out;
  std::size_t count = 0;
  ForEach(text, [&](std::string_view raw, const std::string&) {
    if (++count <= most) out += raw;
  });
  return count > most ? out + "…" : out;
}

std::string PrintableJson(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const Utf8Char next = FirstUtf8Char(json);
    // Line feeds and tabs stand between the values of JSON; in its strings they are escaped already.
    if (next.valid && (!Hidden(next.code) || next.code < 0x20)) {
      out += json.substr(0, next.bytes);
    } else {
      out += fmt::format("\\u{:04x}", next.valid ? next.code : 0xFFFDU);
    }
    json.remove_prefix(next.bytes);
  }
  return out;
}

}  // namespace vigil::cli
