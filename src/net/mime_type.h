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
  // Fetch section 2.2.2, "extract a MIME type": the last valid one of a Content-Type header's combined
  // values.
  static std::optional<MimeType> Extract(std::string_view combined);
  std::string Essence() const { return type + "/" + subtype; }
  std::string Serialize() const;
};

}  // namespace vigil::net
