// libFuzzer target: any text is base64url or is refused, and what it holds reads as itself when it is written
// out.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "worker/base64url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (vigil::worker::FromBase64Url(vigil::worker::ToBase64Url(input)) != input) std::abort();
  const auto bytes = vigil::worker::FromBase64Url(input);
  if (bytes && vigil::worker::FromBase64Url(vigil::worker::ToBase64Url(*bytes)) != *bytes) std::abort();
  return 0;
}
