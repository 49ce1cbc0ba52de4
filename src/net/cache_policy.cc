#include "net/cache_policy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <utility>

#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

using std::chrono::seconds;

constexpr seconds kMaxDelta{std::int64_t{1} << 31};
// Section 4.2.2 proposes a tenth of the time since the last change.
constexpr int kHeuristicShare = 10;

// Section 1.2.2: too large means the largest there is; anything else than digits is invalid.
std::optional<seconds> ParseDelta(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return kMaxDelta;
  return std::min(seconds(value), kMaxDelta);
}

std::optional<WallTime> DateHeader(const Headers& headers, std::string_view name) {
  return ParseHttpDate(CombinedValue(headers, name));
}

// RFC 9110 section 15.1, without 206: parts are not kept.
bool IsHeuristicallyCacheable(int status) {
  static constexpr std::array<int, 11> kStatuses = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};
  return std::find(kStatuses.begin(), kStatuses.end(), status) != kStatuses.end();
}

// Section 4.2.1 and 4.2.2.
seconds FreshnessLifetime(const StoredHead& stored) {
  const Headers& headers = stored.head.headers;
  if (const auto age = ReadCacheControl(headers).max_age) return *age;
  const WallTime date = DateHeader(headers, "date").value_or(stored.received_at);
  bool has_expires = false;
  const std::string expires = CombinedValue(headers, "expires", &has_expires);
  if (has_expires) {
    const std::optional<WallTime> until = ParseHttpDate(expires);
    return until ? std::chrono::floor<seconds>(*until - date) : seconds(0);
  }
  const std::optional<WallTime> changed = DateHeader(headers, "last-modified");
  if (!changed || *changed >= date || !IsHeuristicallyCacheable(stored.head.status)) return seconds(0);
  return std::chrono::floor<seconds>(date - *changed) / kHeuristicShare;
}

// Section 4.2.3.
seconds CurrentAge(const StoredHead& stored, WallTime now) {
  const Headers& headers = stored.head.headers;
  const WallTime date = DateHeader(headers, "date").value_or(stored.received_at);
  const seconds apparent = std::max(seconds(0), std::chrono::floor<seconds>(stored.received_at - date));
  const seconds told = ParseDelta(CombinedValue(headers, "age")).value_or(seconds(0));
  const seconds delay = std::chrono::floor<seconds>(stored.received_at - stored.requested_at);
  const seconds initial = std::max(apparent, told + delay);
  return initial + std::max(seconds(0), std::chrono::floor<seconds>(now - stored.received_at));
}

}  // namespace

CacheControl ReadCacheControl(const Headers& headers) {
  CacheControl control;
  bool present = false;
  for (const std::string& directive : SplitList(CombinedValue(headers, "cache-control", &present))) {
    const std::size_t equals = std::min(directive.find('='), directive.size());
    const std::string name = LowerCase(directive.substr(0, equals));
    if (name == "no-store") control.no_store = true;
    // With field names it forbids only these headers; asking first is the careful reading of it.
    if (name == "no-cache") control.no_cache = true;
    // The first of several counts; one that cannot be read makes the response stale (section 4.2.1).
    if (name == "max-age" && !control.max_age) {
      control.max_age = ParseDelta(std::string_view(directive).substr(std::min(equals + 1, directive.size())))
                            .value_or(seconds(0));
    }
  }
  // Section 5.4.
  if (!present && LowerCase(CombinedValue(headers, "pragma")).find("no-cache") != std::string::npos)
    control.no_cache = true;
  return control;
}

std::optional<WallTime> ParseHttpDate(std::string_view text) {
  static constexpr std::array<const char*, 3> kForms = {"%a, %d %b %Y %H:%M:%S GMT",
                                                        "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};
  const std::string date(text);
  for (const char* form : kForms) {
    std::tm fields{};
    const char* end = strptime(date.c_str(), form, &fields);
    if (end == nullptr || *end != '\0') continue;
    return WallTime(seconds(timegm(&fields)));
  }
  return std::nullopt;
}

bool MayStore(const HttpClientRequest& request, const HttpClientHead& head) {
  if (request.method != "GET" || HasHeader(request.headers, "range")) return false;
  if (ReadCacheControl(request.headers).no_store) return false;
  const CacheControl control = ReadCacheControl(head.headers);
  if (control.no_store || head.status < 200 || head.status == 206 || head.status == 304) return false;
  return control.max_age || HasHeader(head.headers, "expires") || IsHeuristicallyCacheable(head.status);
}

StoredHead MakeStored(const HttpClientRequest& request, HttpClientHead head, WallTime requested_at,
                      WallTime received_at) {
  StoredHead stored;
  for (const std::string& name : SplitList(LowerCase(CombinedValue(head.headers, "vary")))) {
    stored.vary.emplace_back(name, CombinedValue(request.headers, name));
  }
  // Cookies belong to the answer that brought them.
  RemoveHeader(head.headers, "set-cookie");
  stored.head = std::move(head);
  stored.requested_at = requested_at;
  stored.received_at = received_at;
  return stored;
}

VaryMatch MatchVary(const StoredHead& stored, const HttpClientRequest& request) {
  VaryMatch match = VaryMatch::kSame;
  for (const auto& [name, value] : stored.vary) {
    if (name == "*") {
      match = VaryMatch::kUnknown;
    } else if (CombinedValue(request.headers, name) != value) {
      return VaryMatch::kDiffers;
    }
  }
  return match;
}

bool IsFresh(const StoredHead& stored, WallTime now) {
  return !ReadCacheControl(stored.head.headers).no_cache &&
         CurrentAge(stored, now) < FreshnessLifetime(stored);
}

Headers ValidationHeaders(const StoredHead& stored, bool with_date) {
  Headers headers;
  const std::string tag = CombinedValue(stored.head.headers, "etag");
  const std::string changed = CombinedValue(stored.head.headers, "last-modified");
  if (!tag.empty()) headers.emplace_back("If-None-Match", tag);
  if (with_date && !changed.empty()) headers.emplace_back("If-Modified-Since", changed);
  return headers;
}

void Freshen(StoredHead& stored, const HttpClientHead& not_modified, WallTime requested_at,
             WallTime received_at) {
  // Section 3.2, and what describes a body that did not come.
  static constexpr std::array<std::string_view, 8> kKept = {
      "connection",        "content-encoding", "content-length", "content-range",
      "transfer-encoding", "content-type",     "set-cookie",     "content-md5"};
  Headers& headers = stored.head.headers;
  for (const auto& [name, value] : not_modified.headers) {
    if (std::find(kKept.begin(), kKept.end(), LowerCase(name)) == kKept.end()) RemoveHeader(headers, name);
  }
  for (const auto& [name, value] : not_modified.headers) {
    if (std::find(kKept.begin(), kKept.end(), LowerCase(name)) == kKept.end())
      headers.emplace_back(name, value);
  }
  stored.requested_at = requested_at;
  stored.received_at = received_at;
}

bool Invalidates(std::string_view method, int status) {
  const bool safe = method == "GET" || method == "HEAD" || method == "OPTIONS";
  return !safe && status >= 200 && status < 400;
}

bool IsConditional(const Headers& headers) {
  static constexpr std::array<std::string_view, 5> kNames = {"if-modified-since", "if-none-match",
                                                             "if-unmodified-since", "if-match", "if-range"};
  return std::any_of(kNames.begin(), kNames.end(),
                     [&](std::string_view name) { return HasHeader(headers, name); });
}

}  // namespace vigil::net
