// RFC 4648 §5 without padding, as JSON Web Keys have it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vigil::worker {

std::string ToBase64Url(std::string_view bytes);
// Empty: another character, padding, or a length that no bytes have.
std::optional<std::string> FromBase64Url(std::string_view text);

}  // namespace vigil::worker
