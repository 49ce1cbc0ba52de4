// Cookies as text: the parts of a Set-Cookie header (RFC 6265bis section 5.6) and the store's line.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "net/cookie_parser.h"

namespace vigil::net {
namespace {

constexpr std::size_t kMaxNameAndValue = 4096;
constexpr std::size_t kMaxAttribute = 1024;
constexpr Duration kMaxAge = std::chrono::hours(24 * 400);

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; });
}

std::optional<int> Number(std::string_view text, std::size_t min_digits, std::size_t max_digits) {
  std::size_t digits = 0;
  int value = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9' && digits <= max_digits) {
    value = value * 10 + (text[digits++] - '0');
  }
  if (digits < min_digits || digits > max_digits) return std::nullopt;
  return value;
}

bool IsDateDelimiter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x09 || (byte >= 0x20 && byte <= 0x2F) || (byte >= 0x3B && byte <= 0x40) ||
         (byte >= 0x5B && byte <= 0x60) || (byte >= 0x7B && byte <= 0x7E);
}

struct DateParts {
  std::optional<std::array<int, 3>> time;
  std::optional<int> day;
  std::optional<int> month;
  std::optional<int> year;
};

std::optional<std::array<int, 3>> TimeOfDay(std::string_view token) {
  std::array<int, 3> time{};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::optional<int> field = Number(token, 1, 2);
    if (!field) return std::nullopt;
    time[i] = *field;
    if (i == 2) return time;
    const std::size_t colon = token.find(':');
    if (colon == std::string_view::npos || colon > 2) return std::nullopt;
    token.remove_prefix(colon + 1);
  }
  return time;
}

// One token of a date: the first thing it can be and that is still missing.
void TakeDateToken(std::string_view token, DateParts& parts) {
  static constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                               "jul", "aug", "sep", "oct", "nov", "dec"};
  if (!parts.time) {
    if (const auto time = TimeOfDay(token)) {
      parts.time = time;
      return;
    }
  }
  if (!parts.day) {
    if (const auto day = Number(token, 1, 2)) {
      parts.day = day;
      return;
    }
  }
  if (!parts.month && token.size() >= 3) {
    const auto month = std::find(kMonths.begin(), kMonths.end(), Lower(token.substr(0, 3)));
    if (month != kMonths.end()) {
      parts.month = static_cast<int>(month - kMonths.begin()) + 1;
      return;
    }
  }
  if (!parts.year) parts.year = Number(token, 2, 4);
}

}  // namespace

std::optional<WallTime> ParseCookieDate(std::string_view text) {
  DateParts parts;
  while (!text.empty()) {
    const auto begin = std::find_if_not(text.begin(), text.end(), IsDateDelimiter);
    text.remove_prefix(static_cast<std::size_t>(begin - text.begin()));
    const auto end = std::find_if(text.begin(), text.end(), IsDateDelimiter);
    const auto length = static_cast<std::size_t>(end - text.begin());
    if (length > 0) TakeDateToken(text.substr(0, length), parts);
    text.remove_prefix(length);
  }
  if (!parts.time || !parts.day || !parts.month || !parts.year) return std::nullopt;
  int year = *parts.year;
  if (year >= 70 && year <= 99) year += 1900;
  if (year >= 0 && year <= 69) year += 2000;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(*parts.month)),
                                         std::chrono::day(static_cast<unsigned>(*parts.day))};
  const auto& [hour, minute, second] = *parts.time;
  if (!date.ok() || year < 1601 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

namespace {

// Attributes that decide the expiry are kept apart: Max-Age wins whatever the order.
struct Expiry {
  std::optional<WallTime> expires;
  std::optional<WallTime> max_age;
};

void TakeAttribute(const std::string& name, std::string_view value, WallTime now, ParsedCookie& parsed,
                   Expiry& expiry) {
  Cookie& cookie = parsed.cookie;
  if (value.size() > kMaxAttribute) return;
  if (name == "expires") {
    if (const auto date = ParseCookieDate(value)) expiry.expires = std::min(*date, now + kMaxAge);
  } else if (name == "max-age") {
    const std::string_view digits = value.starts_with('-') ? value.substr(1) : value;
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return;
    const bool past = value.starts_with('-') || digits.find_first_not_of('0') == std::string_view::npos;
    const bool huge = digits.size() > 9;
    expiry.max_age =
        past ? WallTime::min()
        : huge
            ? now + kMaxAge
            : now + std::min<Duration>(std::chrono::seconds(std::atol(std::string(digits).c_str())), kMaxAge);
  } else if (name == "domain") {
    if (value.starts_with('.')) value.remove_prefix(1);
    cookie.domain = Lower(value);
  } else if (name == "path") {
    parsed.has_path = value.starts_with('/') && value.find('\t') == std::string_view::npos;
    cookie.path = parsed.has_path ? std::string(value) : "/";
  } else if (name == "secure") {
    cookie.secure = true;
  } else if (name == "httponly") {
    cookie.http_only = true;
  } else if (name == "samesite") {
    const std::string kind = Lower(value);
    cookie.same_site = kind == "none"     ? Cookie::SameSite::kNone
                       : kind == "lax"    ? Cookie::SameSite::kLax
                       : kind == "strict" ? Cookie::SameSite::kStrict
                                          : Cookie::SameSite::kUnspecified;
  }
}

}  // namespace

std::optional<ParsedCookie> ParseSetCookie(std::string_view line, WallTime now) {
  if (HasControl(line)) return std::nullopt;
  ParsedCookie parsed;
  const std::size_t end = std::min(line.find(';'), line.size());
  const std::string_view pair = line.substr(0, end);
  const std::size_t equals = pair.find('=');
  // "abc" without "=" is a value without a name.
  parsed.cookie.name =
      std::string(Trim(equals == std::string_view::npos ? std::string_view() : pair.substr(0, equals)));
  parsed.cookie.value = std::string(Trim(equals == std::string_view::npos ? pair : pair.substr(equals + 1)));
  if (parsed.cookie.name.size() + parsed.cookie.value.size() > kMaxNameAndValue) return std::nullopt;
  if (parsed.cookie.name.empty() && parsed.cookie.value.empty()) return std::nullopt;
  // A tab inside is allowed by the grammar and used by nobody; it separates the fields of the store's line.
  if ((parsed.cookie.name + parsed.cookie.value).find('\t') != std::string::npos) return std::nullopt;
  Expiry expiry;
  std::string_view rest = line.substr(end);
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t length = std::min(rest.find(';'), rest.size());
    const std::string_view attribute = rest.substr(0, length);
    const std::size_t sign = std::min(attribute.find('='), attribute.size());
    const std::string_view value = sign < attribute.size() ? attribute.substr(sign + 1) : std::string_view();
    TakeAttribute(Lower(Trim(attribute.substr(0, sign))), Trim(value), now, parsed, expiry);
    rest.remove_prefix(length);
  }
  parsed.cookie.expires = expiry.max_age ? expiry.max_age : expiry.expires;
  return parsed;
}

std::string Cookie::Key() const { return fmt::format("{};{};{}", domain, path, name); }

// Fields with tabs between them; neither names, values nor paths can hold one by the time they are stored.
std::string Cookie::Serialize() const {
  return fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}", name, value, domain, path, int{host_only},
                     int{secure}, int{http_only}, static_cast<int>(same_site),
                     expires ? expires->time_since_epoch().count() : 0, created.time_since_epoch().count());
}

std::optional<Cookie> Cookie::Deserialize(std::string_view line) {
  std::vector<std::string> fields;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = line.find('\t');
    fields.emplace_back(line.substr(0, end));
    if (end != std::string_view::npos) line.remove_prefix(end + 1);
  }
  if (fields.size() != 10) return std::nullopt;
  Cookie cookie;
  cookie.name = fields[0];
  cookie.value = fields[1];
  cookie.domain = fields[2];
  cookie.path = fields[3];
  cookie.host_only = fields[4] == "1";
  cookie.secure = fields[5] == "1";
  cookie.http_only = fields[6] == "1";
  cookie.same_site = static_cast<SameSite>(std::clamp(std::atoi(fields[7].c_str()), 0, 3));
  if (fields[8] != "0") cookie.expires = WallTime(Duration(std::atoll(fields[8].c_str())));
  cookie.created = WallTime(Duration(std::atoll(fields[9].c_str())));
  return cookie;
}

}  // namespace vigil::net
