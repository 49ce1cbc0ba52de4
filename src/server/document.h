// What the loopback listeners hand out besides the API: the files of the panel, as they were built in.
#pragma once

#include <string_view>
#include <vector>

namespace vigil::server {

// Holds no secret: who reaches the port may read it without the token. Views of memory that lives as long as
// the process.
struct Document {
  std::string_view path;  // "/", "/assets/index.js"
  std::string_view content_type;
  std::string_view body;
};
using Documents = std::vector<Document>;

}  // namespace vigil::server
