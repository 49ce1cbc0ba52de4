#include "base/duration.h"

#include <fmt/format.h>
#include <time.h>

#include <array>
#include <charconv>

namespace vigil {
namespace {

using std::chrono::microseconds;

struct Unit {
  std::string_view name;
  std::int64_t us;
};
constexpr std::int64_t kSecond = 1'000'000;
constexpr std::array kParsed = {
    Unit{"us", 1},
    Unit{"ms", 1'000},
    Unit{"s", kSecond},
    Unit{"min", 60 * kSecond},
    Unit{"m", 60 * kSecond},
    Unit{"h", 3600 * kSecond},
    Unit{"d", 24 * 3600 * kSecond},
    Unit{"w", 7 * 24 * 3600 * kSecond},
};
constexpr std::array kShown = {
    Unit{"d", 24 * 3600 * kSecond},
    Unit{"h", 3600 * kSecond},
    Unit{"min", 60 * kSecond},
    Unit{"s", kSecond},
    Unit{"ms", 1'000},
    Unit{"us", 1},
};
constexpr double kLongest = 1000.0 * 366 * 24 * 3600 * kSecond;

tl::unexpected<Error> NotADuration(std::string_view text) {
  return Fail(
      ErrorCode::kInvalidArgument,
      fmt::format(
          "\"{}\" is not a duration: write a number and a unit (us ms s min h d w), such as 90s, 5min, "
          "1h30min or 24h",
          text));
}

}  // namespace

Result<microseconds> ParseDuration(std::string_view text) {
  if (text == "0") return microseconds(0);
  double total = 0;
  std::string_view rest = text;
  if (rest.empty()) return NotADuration(text);
  while (!rest.empty()) {
    // std::from_chars would take signs, "inf" and exponents.
    const std::size_t digits = rest.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return NotADuration(text);
    double number = 0;
    const auto parsed = std::from_chars(rest.data(), rest.data() + digits, number, std::chars_format::fixed);
    if (parsed.ec != std::errc() || parsed.ptr != rest.data() + digits) return NotADuration(text);
    rest.remove_prefix(digits);
    const std::string_view name = rest.substr(0, rest.find_first_of("0123456789."));
    rest.remove_prefix(name.size());
    const Unit* unit = nullptr;
    for (const Unit& candidate : kParsed) {
      if (candidate.name == name) unit = &candidate;
    }
    if (unit == nullptr) return NotADuration(text);
    total += number * static_cast<double>(unit->us);
    if (!(total <= kLongest)) {
      return Fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is too long: at most 1000 years", text));
    }
  }
  return microseconds(static_cast<std::int64_t>(total + 0.5));
}

std::string FormatDuration(microseconds duration) {
  std::int64_t us = duration.count();
  const std::string sign = us < 0 ? "-" : "";
  if (us < 0) us = -us;
  for (std::size_t i = 0; i < kShown.size(); ++i) {
    if (us < kShown[i].us) continue;
    const std::int64_t count = us / kShown[i].us;
    std::string text = fmt::format("{}{} {}", sign, count, kShown[i].name);
    if (i + 1 < kShown.size()) {
      const std::int64_t next = us % kShown[i].us / kShown[i + 1].us;
      // Below a second one unit says enough.
      if (next > 0 && kShown[i].us > kSecond) text += fmt::format(" {} {}", next, kShown[i + 1].name);
      if (next > 0 && kShown[i].us == kSecond && count < 10)
        return fmt::format("{}{}.{} s", sign, count, next / 100);
    }
    return text;
  }
  return "0 s";
}

std::string FormatUtc(std::int64_t wall_us) {
  std::int64_t seconds = wall_us / kSecond;
  std::int64_t rest = wall_us % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  const time_t time = seconds;
  tm parts{};
  if (::gmtime_r(&time, &parts) == nullptr) return "unknown time";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, rest / 1000);
}

}  // namespace vigil
