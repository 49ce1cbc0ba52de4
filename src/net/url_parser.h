// Private to url*.cc: percent-encoding and host parsing of the URL standard.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vigil::net {

// Percent-encode sets of the URL standard (section 1.3), each larger than the one before it in the standard's
// order.
enum class EncodeSet { kC0Control, kFragment, kSpecialQuery, kPath, kUserinfo };
void AppendEncoded(std::string& out, unsigned char byte, EncodeSet set);
std::string PercentDecode(std::string_view text);

// Host parsing for special schemes (section 3.5): domains to lower-case ASCII, addresses normalised. nullopt:
// failure.
std::optional<std::string> ParseHost(std::string_view input);

}  // namespace vigil::net
