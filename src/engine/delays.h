// How long to wait: pure arithmetic of retries and periods.
#pragma once

#include <cstdint>
#include <optional>

#include "vigil/parameters.h"
#include "vigil/ports.h"
#include "vigil/time.h"

namespace vigil {

// Longer waits than this are cut to it (one hundred years), so that sums of times cannot overflow.
inline constexpr Duration kLongestDelay = std::chrono::hours(24) * 36500;

// After the failed attempt number `attempts` (1, 2 …). unit: a random number in [0, 1) for the jitter.
Duration RetryDelay(const Parameters& parameters, std::int64_t attempts, double unit);
// After the n-th failure of ours in a row (1, 2 …).
Duration OwnFailureDelay(const Parameters& parameters, std::int64_t failures);

std::int64_t EngagementFactor(const Parameters& parameters, EngagementLevel level);
// D: minInterval rounded to what the origin's engagement allows, before spacing. nullopt: suspended.
std::optional<Duration> PeriodicInterval(const Parameters& parameters, std::int64_t min_interval_ms,
                                         EngagementLevel level);
// Moves a wait so that events of one origin share time slots at least min_periodic_gap apart. soonest: time
// to the origin's soonest event under another tag; nullopt: there is none.
Duration SpacePeriodic(const Parameters& parameters, Duration wait, std::optional<Duration> soonest);

}  // namespace vigil
