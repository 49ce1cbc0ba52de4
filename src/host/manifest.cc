#include "host/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "net/url.h"

namespace vigil::host {
namespace json = boost::json;
namespace {

std::string TextMember(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return {};
  std::string text(value->get_string().c_str(), value->get_string().size());
  auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string Display(const json::object& object) {
  static constexpr std::array<std::string_view, 4> kModes{"fullscreen", "standalone", "minimal-ui",
                                                          "browser"};
  std::string display = TextMember(object, "display");
  bool known = std::find(kModes.begin(), kModes.end(), display) != kModes.end();
  return known ? display : "browser";
}

// An absent or unusable scope is the start URL's directory.
std::string Scope(const json::object& object, const net::Url& base, const net::Url& start) {
  std::string fallback = start.Origin() + start.path().substr(0, start.path().rfind('/') + 1);
  std::string text = TextMember(object, "scope");
  if (text.empty()) return fallback;
  auto scope = net::Url::Parse(text, base);
  if (!scope || scope->Origin() != start.Origin() || !start.path().starts_with(scope->path()))
    return fallback;
  return scope->Origin() + scope->path();
}

std::string Id(const json::object& object, const net::Url& start) {
  std::string text = TextMember(object, "id");
  auto origin = net::Url::Parse(start.Origin() + "/");
  if (!text.empty() && origin) {
    auto id = net::Url::Parse(text, *origin);
    if (id && id->Origin() == start.Origin()) return id->HrefWithoutFragment();
  }
  return start.HrefWithoutFragment();
}
}  // namespace

Result<Manifest> ParseManifest(std::string_view text, std::string_view manifest_url,
                               std::string_view document_url) {
  auto refuse = [&](std::string_view why) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is not a usable web app manifest: {}", manifest_url, why));
  };
  boost::system::error_code error;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error) return refuse("it is not JSON (" + error.message() + ")");
  if (!value.is_object()) return refuse("it is JSON, but not an object");
  const json::object& object = value.get_object();
  auto base = net::Url::Parse(manifest_url);
  if (!base) return refuse("its address is not a URL");

  Manifest manifest;
  manifest.name = TextMember(object, "name");
  manifest.short_name = TextMember(object, "short_name");
  if (manifest.name.empty()) manifest.name = manifest.short_name;
  if (manifest.name.empty()) return refuse("it has neither name nor short_name");

  std::string start_text = TextMember(object, "start_url");
  if (start_text.empty() && document_url.empty()) return refuse("it has no start_url");
  auto start = start_text.empty() ? net::Url::Parse(document_url) : net::Url::Parse(start_text, *base);
  if (!start) return refuse(fmt::format("its start_url '{}' is not a URL", start_text));
  std::string origin = base->Origin();
  if (!document_url.empty()) {
    auto document = net::Url::Parse(document_url);
    if (document) origin = document->Origin();
  }
  if (start->Origin() != origin) {
    return refuse(fmt::format("its start_url {} lies at another origin than {}", start->Href(), origin));
  }
  manifest.start_url = start->Href();
  manifest.scope = Scope(object, *base, *start);
  manifest.id = Id(object, *start);
  manifest.display = Display(object);
  return manifest;
}

}  // namespace vigil::host
