// The model's numbers against the worked values of the behaviour sheet, not against the engine.
#include "sim/arithmetic.h"

#include <gtest/gtest.h>

namespace vigil::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kGap = hours(12);

Duration Period(int interval_hours, std::optional<int> other_hours = std::nullopt, std::int64_t factor = 1) {
  const Duration rounded = RoundedInterval(Parameters(), std::int64_t{interval_hours} * 3'600'000, factor);
  std::optional<Duration> other;
  if (other_hours) other = hours(*other_hours);
  return Spaced(rounded, kGap, other);
}

TEST(Arithmetic, WorkedIntervals) {
  EXPECT_EQ(Period(0), hours(12));
  EXPECT_EQ(Period(11), hours(12));
  EXPECT_EQ(Period(12), hours(12));
  EXPECT_EQ(Period(13), hours(24));
  EXPECT_EQ(Period(48), hours(48));
}

TEST(Arithmetic, WorkedSpacing) {
  EXPECT_EQ(Period(11, 0), hours(12));
  EXPECT_EQ(Period(11, 1), hours(13));
  EXPECT_EQ(Period(11, 13), hours(13));
  EXPECT_EQ(Period(11, 24), hours(12));
  EXPECT_EQ(Period(13, 1), hours(24));
}

TEST(Arithmetic, SpacingAtItsBoundaries) {
  const auto us = [](std::int64_t count) { return Duration(count); };
  EXPECT_EQ(Spaced(hours(12), kGap, hours(24)), hours(12)) << "exactly a gap before";
  EXPECT_EQ(Spaced(hours(12), kGap, Duration(hours(24)) - us(1)), Duration(hours(24)) - us(1)) << "joins";
  EXPECT_EQ(Spaced(hours(24), kGap, hours(24)), hours(24)) << "the same moment";
  EXPECT_EQ(Spaced(hours(24), kGap, Duration(hours(24)) - us(1)), Duration(hours(36)) - us(1));
  EXPECT_EQ(Spaced(hours(36), kGap, hours(24)), hours(36)) << "exactly a gap after";
  EXPECT_EQ(Spaced(Duration(hours(36)) + us(1), kGap, hours(24)), Duration(hours(36)) + us(1));
}

TEST(Arithmetic, MinimumPeriodsByEngagement) {
  const Parameters parameters;
  const auto least = [&](EngagementLevel level) {
    return Period(0, std::nullopt, Factor(parameters, level));
  };
  EXPECT_EQ(least(EngagementLevel::kMax), hours(12));
  EXPECT_EQ(least(EngagementLevel::kHigh), hours(12));
  EXPECT_EQ(least(EngagementLevel::kMedium), hours(24));
  EXPECT_EQ(least(EngagementLevel::kLow), hours(24));
  EXPECT_EQ(least(EngagementLevel::kMinimal), hours(36));
  EXPECT_EQ(Factor(parameters, EngagementLevel::kNone), 0);
}

TEST(Arithmetic, RetriesAndFaults) {
  Parameters parameters;
  EXPECT_EQ(WaitAfterFailure(parameters, 1, 0), minutes(5));
  EXPECT_EQ(WaitAfterFailure(parameters, 2, 0), minutes(15));
  EXPECT_EQ(WaitAfterFailure(parameters, 3, 0), minutes(45));
  parameters.jitter = 0.5;
  EXPECT_EQ(WaitAfterFailure(parameters, 1, 0.5), seconds(375));
  EXPECT_EQ(WaitAfterOwnFault(parameters, 1), seconds(1));
  EXPECT_EQ(WaitAfterOwnFault(parameters, 4), seconds(8));
  EXPECT_EQ(WaitAfterOwnFault(parameters, 100), minutes(1));
}

TEST(Arithmetic, ALongIntervalIsACentury) {
  EXPECT_EQ(RoundedInterval(Parameters(), (std::int64_t{1} << 53) - 1, 1), kCentury);
}

}  // namespace
}  // namespace vigil::sim
