#include "sim/arithmetic.h"

#include <algorithm>
#include <cmath>

namespace vigil::sim {

Duration WaitAfterFailure(const Parameters& parameters, std::int64_t failures, double unit) {
  double wait = static_cast<double>(parameters.first_retry_delay.count());
  for (std::int64_t n = 1; n < failures; ++n) wait *= parameters.retry_factor;
  wait = std::round(wait * (1 + parameters.jitter * unit));
  return std::min(kCentury, Duration(static_cast<std::int64_t>(wait)));
}

Duration WaitAfterOwnFault(const Parameters& parameters, std::int64_t faults) {
  Duration wait = parameters.own_failure_delay;
  for (std::int64_t n = 1; n < faults && wait < parameters.own_failure_delay_max; ++n) wait *= 2;
  return std::min(wait, parameters.own_failure_delay_max);
}

std::int64_t Factor(const Parameters& parameters, EngagementLevel level) {
  const std::int64_t factors[] = {parameters.engagement_factor_none, parameters.engagement_factor_minimal,
                                  parameters.engagement_factor_low,  parameters.engagement_factor_medium,
                                  parameters.engagement_factor_high, parameters.engagement_factor_max};
  return factors[static_cast<int>(level)];
}

Duration RoundedInterval(const Parameters& parameters, std::int64_t min_interval_ms, std::int64_t factor) {
  constexpr std::int64_t kCenturyMs = kCentury.count() / 1000;
  const std::int64_t wanted = std::min(min_interval_ms, kCenturyMs) * 1000;
  const std::int64_t slot = parameters.min_periodic_gap.count() * factor;
  if (slot == 0) return Duration(wanted);
  std::int64_t interval = slot;
  if (wanted > slot) {
    const std::int64_t over = wanted % slot;
    interval = over == 0 ? wanted : wanted + (slot - over);
  }
  return std::min(Duration(interval), kCentury);
}

Duration Spaced(Duration interval, Duration gap, std::optional<Duration> until_other) {
  if (!until_other) return interval;
  const Duration other = *until_other;
  const bool well_before = interval + gap <= other;
  const bool well_after = interval > other + gap;
  if (well_before || well_after) return interval;
  return interval <= other ? other : other + gap;
}

}  // namespace vigil::sim
