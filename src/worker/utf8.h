// UTF-8 checks for TextDecoder's fatal mode.
#pragma once

#include <string_view>

namespace vigil::worker {

// Well-formed UTF-8 in the sense of the Encoding standard's decoder: no surrogates, no overlong forms,
// nothing past U+10FFFF, no truncated sequence at the end.
bool IsValidUtf8(std::string_view bytes);
bool IsAscii(std::string_view bytes);

}  // namespace vigil::worker
