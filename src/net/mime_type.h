// MIME types as the MIME Sniffing standard reads and writes them (sections 4.4 and 4.5). Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigil::net {

struct MimeType {
  std::string type, subtype;  // lower case
  std::vector<std::pair<std::string, std::string>> parameters;

  static std::optional<MimeType> Parse(std::string_view text);
  std::string Serialize() const;
};

}  // namespace vigil::net
