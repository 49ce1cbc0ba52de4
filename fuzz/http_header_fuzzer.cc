// libFuzzer target: what a server writes into headers that are read here: dates, Cache-Control, MIME types,
// data: URLs, content security policies.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "net/cache_policy.h"
#include "net/content_security_policy.h"
#include "net/data_url.h"
#include "net/mime_type.h"
#include "net/url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string value(text);
  if (const auto mime = vigil::net::MimeType::Parse(text)) {
    const std::string normal = mime->Serialize();
    const auto again = vigil::net::MimeType::Parse(normal);
    if (!again || again->Serialize() != normal) std::abort();
  }
  if (const auto url = vigil::net::Url::Parse("data:" + value)) vigil::net::ParseDataUrl(*url);
  const auto self = *vigil::net::Url::Parse("https://shop.example/app/sw.js");
  const vigil::net::ContentSecurityPolicies policies(text, text, self);
  policies.CheckCode(vigil::net::ContentSecurityPolicies::Code::kString);
  for (const char* address : {"https://shop.example/a%2fb", "ws://[::1]:8080/", "data:,x"}) {
    const auto url = *vigil::net::Url::Parse(address);
    // What is enforced and what is only reported are read alike.
    const auto violations = policies.CheckRequest("script", url, url, false);
    if (violations.size() % 2 != 0) std::abort();
    policies.CheckRequest("", url, self, true);
  }
  vigil::net::HttpClientRequest request;
  vigil::net::HttpClientHead head;
  head.status = 200;
  for (const char* name : {"Cache-Control", "Expires", "Date", "Age", "Last-Modified", "Vary", "Pragma"})
    head.headers.emplace_back(name, value);
  const vigil::WallTime now{std::chrono::hours(480'000)};
  vigil::net::MayStore(request, head);
  auto stored = vigil::net::MakeStored(request, head, now, now);
  vigil::net::IsFresh(stored, now);
  vigil::net::MatchVary(stored, request);
  vigil::net::Freshen(stored, head, now, now);
  return 0;
}
