// The numbers of the behaviour, written a second time for the model: integers, straight from the rules, no
// code shared with the engine. Durations in microseconds.
#pragma once

#include <cstdint>
#include <optional>

#include "vigil/parameters.h"
#include "vigil/ports.h"
#include "vigil/time.h"

namespace vigil::sim {

// No wait is longer than one hundred years of 365 days.
inline constexpr Duration kCentury = std::chrono::hours(24 * 365 * 100);

// The wait before the run that follows the n-th failed one (n = 1, 2 …). `unit` in [0, 1) draws the jitter.
Duration WaitAfterFailure(const Parameters& parameters, std::int64_t failures, double unit);
// The wait after the n-th fault of ours in a row.
Duration WaitAfterOwnFault(const Parameters& parameters, std::int64_t faults);
// F. 0: suspended.
std::int64_t Factor(const Parameters& parameters, EngagementLevel level);
// D: min_interval_ms rounded up to a multiple of F × G. `factor` > 0.
Duration RoundedInterval(const Parameters& parameters, std::int64_t min_interval_ms, std::int64_t factor);
// D, moved to a slot of the origin. until_other = T: nullopt if the origin has no other scheduled event.
Duration Spaced(Duration interval, Duration gap, std::optional<Duration> until_other);

}  // namespace vigil::sim
