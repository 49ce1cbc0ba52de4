// UTF-8 at the edges: what came from a disk or another process need not be what it says it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vigil {

// What stands at the beginning of some bytes.
struct Utf8Char {
  std::uint32_t code = 0;
  std::size_t bytes = 1;  // 1 to 4
  bool valid = false;     // false: `bytes` is 1 and that byte begins no well-formed sequence
};
// `text` is not empty. Surrogates, overlong forms and what lies past U+10FFFF are not well-formed.
Utf8Char FirstUtf8Char(std::string_view text);

// A surrogate, or what lies past U+10FFFF, becomes U+FFFD.
void AppendUtf8(std::uint32_t code, std::string& text);

bool IsUtf8(std::string_view text);
// Each byte that is no part of a well-formed sequence becomes U+FFFD.
std::string ToUtf8(std::string_view text);
// At most so many bytes of well-formed text, up to the end of a character; "…" follows what was cut.
std::string CutUtf8(std::string_view text, std::size_t most);

}  // namespace vigil
