// libFuzzer target: the rules of InstallEvent.addRoutes(), which come from hostile workers and from the disk,
// and the comparison of URLs with them.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "host/static_routes.h"
#include "net/url_pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  vigil::ipc::HttpRequest request;
  request.set_method("GET");
  request.set_mode("cors");
  request.set_url("https://shop.example/a/b%20c?d=e#f");
  vigil::ipc::RouterRules rules;
  if (rules.ParseFromArray(data, static_cast<int>(size))) {
    vigil::host::StaticRoutes routes;
    if (routes.Add(rules)) {
      routes.Match(request, true);
      if (!vigil::host::StaticRoutes().Add(routes.rules())) std::abort();
    } else if (!routes.empty()) {
      std::abort();
    }
  }
  // The bytes as a pattern, and its halves as pattern and text.
  for (const std::string_view pattern : {text, text.substr(0, size / 2)}) {
    const auto parsed = vigil::net::ComponentPattern::Parse(pattern, {'/', '/', true});
    if (!parsed) continue;
    vigil::net::MatchBudget budget = 100'000;
    parsed->Matches(text.substr(size / 2), budget);
  }
  return 0;
}
