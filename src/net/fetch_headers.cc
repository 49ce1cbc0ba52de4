#include "net/fetch_headers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <initializer_list>

namespace vigil::net {
namespace {

constexpr std::size_t kMaxSafelistedValue = 128;
constexpr std::size_t kMaxSafelistedTotal = 1024;
constexpr int kMaxPreflightAge = 7200;

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

bool HasCorsUnsafeByte(std::string_view value) {
  return std::any_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && byte != 0x09) || byte == 0x7F ||
           std::string_view("\"():<>?@[\\]{}").find(c) != std::string_view::npos;
  });
}

bool IsLanguageValue(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view(" *,-.;=").find(c) != std::string_view::npos;
  });
}

bool IsSimpleContentType(std::string_view value) {
  if (HasCorsUnsafeByte(value)) return false;
  const std::string essence = LowerCase(Trim(value.substr(0, value.find(';'))));
  return IsOneOf(essence, {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"});
}

// "bytes=100-200", "bytes=100-"
bool IsSimpleRange(std::string_view value) {
  if (!value.starts_with("bytes=")) return false;
  value.remove_prefix(6);
  const std::size_t dash = value.find('-');
  const auto digits = [](std::string_view text) {
    return text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (dash == std::string_view::npos || dash == 0) return false;
  std::string_view first = value.substr(0, dash);
  std::string_view last = value.substr(dash + 1);
  if (!digits(first) || !digits(last)) return false;
  // As numbers of any length: the last byte does not come before the first.
  first.remove_prefix(std::min(first.find_first_not_of('0'), first.size()));
  if (last.empty()) return true;
  last.remove_prefix(std::min(last.find_first_not_of('0'), last.size()));
  return first.size() < last.size() || (first.size() == last.size() && first <= last);
}

}  // namespace

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && LowerCase(a) == LowerCase(b);
}

std::string CombinedValue(const Headers& headers, std::string_view name, bool* found) {
  std::string combined;
  bool any = false;
  for (const auto& [header, value] : headers) {
    if (!SameName(header, name)) continue;
    if (any) combined += ", ";
    combined += value;
    any = true;
  }
  if (found != nullptr) *found = any;
  return combined;
}

bool HasHeader(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return SameName(header.first, name); });
}

void RemoveHeader(Headers& headers, std::string_view name) {
  std::erase_if(headers, [&](const auto& header) { return SameName(header.first, name); });
}

void AddIfAbsent(Headers& headers, std::string_view name, std::string_view value) {
  if (!HasHeader(headers, name)) headers.emplace_back(name, value);
}

std::vector<std::string> SplitList(std::string_view list) {
  std::vector<std::string> elements;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = Trim(list.substr(0, comma));
    if (!element.empty()) elements.emplace_back(element);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return elements;
}

std::string IsomorphicToUtf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xC0U | byte >> 6U);
      text += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
  return text;
}

std::string Utf8ToIsomorphic(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      bytes += text[i];
    } else if ((byte == 0xC2 || byte == 0xC3) && i + 1 < text.size()) {
      bytes += static_cast<char>((byte & 3U) << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU));
    } else if (byte >= 0xC0) {
      bytes += '?';
    }
  }
  return bytes;
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool IsForbiddenMethod(std::string_view method) {
  return IsOneOf(LowerCase(method), {"connect", "trace", "track"});
}

bool IsHeaderValue(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

bool IsForbiddenRequestHeader(std::string_view name, std::string_view value) {
  const std::string lower = LowerCase(name);
  if (IsOneOf(lower, {"accept-charset",
                      "accept-encoding",
                      "access-control-request-headers",
                      "access-control-request-method",
                      "access-control-request-private-network",
                      "connection",
                      "content-length",
                      "cookie",
                      "cookie2",
                      "date",
                      "dnt",
                      "expect",
                      "host",
                      "keep-alive",
                      "origin",
                      "referer",
                      "set-cookie",
                      "te",
                      "trailer",
                      "transfer-encoding",
                      "upgrade",
                      "via"})) {
    return true;
  }
  if (lower.starts_with("proxy-") || lower.starts_with("sec-")) return true;
  if (IsOneOf(lower, {"x-http-method", "x-http-method-override", "x-method-override"})) {
    const std::vector<std::string> methods = SplitList(value);
    return std::any_of(methods.begin(), methods.end(),
                       [](const std::string& method) { return IsForbiddenMethod(method); });
  }
  return false;
}

std::string NormalizedMethod(std::string_view method) {
  std::string upper(method);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return IsOneOf(upper, {"DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"}) ? upper : std::string(method);
}

bool IsCorsSafelistedMethod(std::string_view method) { return IsOneOf(method, {"GET", "HEAD", "POST"}); }

bool IsCorsSafelistedHeader(std::string_view name, std::string_view value) {
  if (value.size() > kMaxSafelistedValue) return false;
  const std::string lower = LowerCase(name);
  if (lower == "accept") return !HasCorsUnsafeByte(value);
  if (lower == "accept-language" || lower == "content-language") return IsLanguageValue(value);
  if (lower == "content-type") return IsSimpleContentType(value);
  if (lower == "range") return IsSimpleRange(value);
  return false;
}

bool IsNoCorsSafelistedHeader(std::string_view name, std::string_view value) {
  return !SameName(name, "range") && IsCorsSafelistedHeader(name, value);
}

std::vector<std::string> CorsUnsafeHeaderNames(const Headers& headers) {
  std::vector<std::string> unsafe;
  std::vector<std::string> safelisted;
  std::size_t total = 0;
  for (const auto& [name, value] : headers) {
    const bool safe = IsCorsSafelistedHeader(name, value);
    (safe ? safelisted : unsafe).push_back(LowerCase(name));
    if (safe) total += value.size();
  }
  if (total > kMaxSafelistedTotal) unsafe.insert(unsafe.end(), safelisted.begin(), safelisted.end());
  std::sort(unsafe.begin(), unsafe.end());
  unsafe.erase(std::unique(unsafe.begin(), unsafe.end()), unsafe.end());
  return unsafe;
}

bool IsCorsSafelistedResponseHeader(std::string_view name) {
  return IsOneOf(LowerCase(name), {"cache-control", "content-language", "content-length", "content-type",
                                   "expires", "last-modified", "pragma"});
}

std::string CorsProblem(const Headers& response, std::string_view origin, bool with_credentials) {
  bool found = false;
  const std::string allowed = CombinedValue(response, "access-control-allow-origin", &found);
  if (!found) return "the response has no Access-Control-Allow-Origin header";
  if (!with_credentials && allowed == "*") return "";
  if (allowed != origin) {
    return fmt::format("the response's Access-Control-Allow-Origin is \"{}\", the request's origin is \"{}\"",
                       allowed, origin);
  }
  if (!with_credentials || CombinedValue(response, "access-control-allow-credentials") == "true") return "";
  return "the response lacks \"Access-Control-Allow-Credentials: true\", which a request with credentials "
         "needs";
}

std::string_view DefaultAccept(std::string_view destination) {
  if (destination == "document" || destination == "iframe" || destination == "frame") {
    return "text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,image/webp,image/apng,"
           "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7";
  }
  if (destination == "image") {
    return "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
  }
  if (destination == "json") return "application/json,*/*;q=0.5";
  if (destination == "text") return "text/plain,*/*;q=0.5";
  return destination == "style" ? "text/css,*/*;q=0.1" : "*/*";
}

PreflightResult ReadPreflight(const Headers& response, bool with_credentials) {
  PreflightResult result;
  result.with_credentials = with_credentials;
  result.methods = SplitList(CombinedValue(response, "access-control-allow-methods"));
  for (const std::string& name : SplitList(CombinedValue(response, "access-control-allow-headers"))) {
    result.headers.push_back(LowerCase(name));
  }
  bool found = false;
  const std::string age = CombinedValue(response, "access-control-max-age", &found);
  if (found && !age.empty() && age.find_first_not_of("0123456789") == std::string::npos) {
    result.max_age_seconds =
        age.size() > 5 ? kMaxPreflightAge : std::min(std::atoi(age.c_str()), kMaxPreflightAge);
  }
  return result;
}

std::string PreflightProblem(const PreflightResult& result, std::string_view method,
                             const std::vector<std::string>& unsafe_headers) {
  const auto has = [](const std::vector<std::string>& list, std::string_view wanted) {
    return std::find(list.begin(), list.end(), wanted) != list.end();
  };
  const bool any_method = !result.with_credentials && has(result.methods, "*");
  if (!IsCorsSafelistedMethod(method) && !any_method && !has(result.methods, method)) {
    return fmt::format("the method {} is not allowed by the preflight's Access-Control-Allow-Methods",
                       method);
  }
  const bool any_header = !result.with_credentials && has(result.headers, "*");
  for (const std::string& name : unsafe_headers) {
    // Authorization must be named; the asterisk does not cover it.
    if (has(result.headers, name) || (any_header && name != "authorization")) continue;
    return fmt::format("the header {} is not allowed by the preflight's Access-Control-Allow-Headers", name);
  }
  return "";
}

}  // namespace vigil::net
