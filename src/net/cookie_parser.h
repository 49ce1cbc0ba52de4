// Private to the cookie jar: reading Set-Cookie.
#pragma once

#include <optional>
#include <string_view>

#include "net/cookie_jar.h"
#include "vigil/time.h"

namespace vigil::net {

struct ParsedCookie {
  Cookie cookie;          // domain is empty when the header has none
  bool has_path = false;  // else the default path of the request's URL holds
};
// nullopt: to be ignored.
std::optional<ParsedCookie> ParseSetCookie(std::string_view line, WallTime now);
// The forgiving date format of RFC 6265bis section 5.1.1.
std::optional<WallTime> ParseCookieDate(std::string_view text);

}  // namespace vigil::net
