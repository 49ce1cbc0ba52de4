// data: URLs (Fetch standard, section 6). Pure.
#pragma once

#include <optional>
#include <string>

#include "net/url.h"

namespace vigil::net {

struct DataUrl {
  std::string mime_type;
  std::string body;
};
// nullopt: not well formed.
std::optional<DataUrl> ParseDataUrl(const Url& url);

}  // namespace vigil::net
