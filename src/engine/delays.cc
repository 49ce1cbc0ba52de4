#include "engine/delays.h"

#include <algorithm>
#include <cmath>

namespace vigil {
namespace {

Duration FromCount(double microseconds) {
  const double longest = static_cast<double>(kLongestDelay.count());
  if (!(microseconds > 0)) return Duration::zero();
  return Duration(static_cast<Duration::rep>(std::min(microseconds, longest)));
}

}  // namespace

Duration RetryDelay(const Parameters& parameters, std::int64_t attempts, double unit) {
  const double steps = static_cast<double>(std::max<std::int64_t>(attempts - 1, 0));
  const double base =
      static_cast<double>(parameters.first_retry_delay.count()) * std::pow(parameters.retry_factor, steps);
  return FromCount(std::round(base * (1 + parameters.jitter * unit)));
}

Duration OwnFailureDelay(const Parameters& parameters, std::int64_t failures) {
  const double steps = static_cast<double>(std::clamp<std::int64_t>(failures - 1, 0, 60));
  const double base = static_cast<double>(parameters.own_failure_delay.count()) * std::pow(2, steps);
  return std::min(FromCount(base), parameters.own_failure_delay_max);
}

std::int64_t EngagementFactor(const Parameters& parameters, EngagementLevel level) {
  switch (level) {
    case EngagementLevel::kNone:
      return parameters.engagement_factor_none;
    case EngagementLevel::kMinimal:
      return parameters.engagement_factor_minimal;
    case EngagementLevel::kLow:
      return parameters.engagement_factor_low;
    case EngagementLevel::kMedium:
      return parameters.engagement_factor_medium;
    case EngagementLevel::kHigh:
      return parameters.engagement_factor_high;
    case EngagementLevel::kMax:
      return parameters.engagement_factor_max;
  }
  return parameters.engagement_factor_none;
}

std::optional<Duration> PeriodicInterval(const Parameters& parameters, std::int64_t min_interval_ms,
                                         EngagementLevel level) {
  const std::int64_t factor = EngagementFactor(parameters, level);
  if (factor <= 0) return std::nullopt;
  const Duration least =
      FromCount(static_cast<double>(parameters.min_periodic_gap.count()) * static_cast<double>(factor));
  const auto longest_ms = std::chrono::duration_cast<std::chrono::milliseconds>(kLongestDelay).count();
  const Duration wanted = std::chrono::milliseconds(std::clamp<std::int64_t>(min_interval_ms, 0, longest_ms));
  if (wanted < least || least == Duration::zero()) return std::max(least, wanted);
  const auto slots = (wanted.count() + least.count() - 1) / least.count();
  return std::min(least * slots, kLongestDelay);
}

Duration SpacePeriodic(const Parameters& parameters, Duration wait, std::optional<Duration> soonest) {
  if (!soonest) return wait;
  const Duration gap = parameters.min_periodic_gap;
  if (wait <= *soonest - gap) return wait;
  if (wait <= *soonest) return *soonest;
  if (wait <= *soonest + gap) return *soonest + gap;
  return wait;
}

}  // namespace vigil
