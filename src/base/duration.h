// Durations and calendar times as users write and read them: "5min", "12h", "1h30min"; "2026-11-23 14:05:07".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigil {

// One or more numbers with a unit, no sign: us, ms, s, min (or m), h, d, w. A plain "0" needs no unit.
// Numbers may have a fraction. Fails with kInvalidArgument (one line, with examples), also when it is longer
// than 1,000 years.
Result<std::chrono::microseconds> ParseDuration(std::string_view text);

// The two largest units, to be read by people: "3 min 20 s", "2 d", "250 ms", "0 s". Negative durations get a
// "-".
std::string FormatDuration(std::chrono::microseconds duration);

// RFC 3339 in UTC with milliseconds, for machines: "2026-11-23T14:05:07.250Z". Counts from the Unix epoch.
std::string FormatUtc(std::int64_t wall_us);

}  // namespace vigil
