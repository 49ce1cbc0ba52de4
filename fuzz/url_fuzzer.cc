// libFuzzer target: any text is a URL or is refused, and a URL written out reads as itself.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto base = vigil::net::Url::Parse("https://shop.example:8443/app/page?q#f");
  for (const auto& url : {vigil::net::Url::Parse(text), vigil::net::Url::Parse(text, *base)}) {
    if (!url) continue;
    const auto again = vigil::net::Url::Parse(url->Href());
    if (!again || again->Href() != url->Href() || again->Origin() != url->Origin()) std::abort();
  }
  return 0;
}
