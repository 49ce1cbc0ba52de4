// Is a text well-formed UTF-8? Pure, any thread.
#pragma once

#include <string_view>

namespace vigil {

// As the Unicode standard defines it: no overlong forms, no surrogates, nothing above U+10FFFF. NUL is a
// character.
bool IsUtf8(std::string_view text);

}  // namespace vigil
