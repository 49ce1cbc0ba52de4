// libFuzzer target: any bytes are a web app manifest or are refused with a message, and what is accepted
// stays inside the manifest's origin.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "host/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  constexpr std::string_view kOrigin = "https://shop.example/";
  const auto manifest = vigil::host::ParseManifest(json, "https://shop.example/app/manifest.json",
                                                   "https://shop.example/app/index.html");
  if (!manifest) {
    if (manifest.error().message.empty()) std::abort();
    return 0;
  }
  if (!manifest->start_url.starts_with(kOrigin) || !manifest->scope.starts_with(kOrigin)) std::abort();
  return 0;
}
