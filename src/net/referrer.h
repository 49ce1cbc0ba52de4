// The Referer header by the Referrer Policy specification. Pure.
#pragma once

#include <string>
#include <string_view>

#include "net/url.h"

namespace vigil::net {

inline constexpr std::string_view kDefaultReferrerPolicy = "strict-origin-when-cross-origin";

// Section 8.3: what to send about `source` to `target`; empty: nothing. An unknown policy counts as the
// default.
std::string ReferrerFor(std::string_view policy, const Url& source, const Url& target);
// The last policy of a Referrer-Policy header that is known; empty: none.
std::string ReferrerPolicyFromHeader(std::string_view value);

}  // namespace vigil::net
