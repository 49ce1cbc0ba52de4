// The web app manifest: the fields that installing an app needs, checked and resolved (Web Application
// Manifest, "processing the manifest"). Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace vigil::host {

struct Manifest {
  std::string id;  // absolute URL
  std::string name;
  std::string short_name;
  std::string start_url;
  std::string scope;
  std::string display;  // browser when absent or unknown
};

// document_url: the page that links the manifest, or empty when the manifest was named directly (then a
// start_url of the manifest's own origin is required). kInvalidArgument: it is not a manifest, or lacks what
// an app needs.
Result<Manifest> ParseManifest(std::string_view json, std::string_view manifest_url,
                               std::string_view document_url);

}  // namespace vigil::host
