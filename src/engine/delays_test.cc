#include "engine/delays.h"

#include <gtest/gtest.h>

namespace vigil {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr auto kHigh = EngagementLevel::kHigh;

std::int64_t Ms(Duration duration) { return std::chrono::duration_cast<milliseconds>(duration).count(); }
std::int64_t Ms(hours duration) { return milliseconds(duration).count(); }

TEST(Delays, RetriesGrowByTheFactor) {
  const Parameters parameters;
  EXPECT_EQ(RetryDelay(parameters, 1, 0), minutes(5));
  EXPECT_EQ(RetryDelay(parameters, 2, 0), minutes(15));
  EXPECT_EQ(RetryDelay(parameters, 3, 0), minutes(45));
  EXPECT_EQ(RetryDelay(parameters, 4, 0), minutes(135));
}

TEST(Delays, JitterOnlyEverAdds) {
  Parameters parameters;
  parameters.jitter = 0.2;
  EXPECT_EQ(RetryDelay(parameters, 1, 0), minutes(5));
  EXPECT_EQ(RetryDelay(parameters, 1, 0.5), std::chrono::seconds(330));
}

TEST(Delays, HugeNumbersAreCutAndDoNotOverflow) {
  const Parameters parameters;
  EXPECT_EQ(RetryDelay(parameters, 1'000'000, 0), kLongestDelay);
  const auto longest = PeriodicInterval(parameters, (std::int64_t{1} << 53) - 1, kHigh);
  EXPECT_LE(*longest, kLongestDelay);
  EXPECT_GE(*longest, kLongestDelay - hours(12));
}

TEST(Delays, FailuresOfOursAreRetriedSoonButNotInATightLoop) {
  const Parameters parameters;
  EXPECT_EQ(OwnFailureDelay(parameters, 1), std::chrono::seconds(1));
  EXPECT_EQ(OwnFailureDelay(parameters, 3), std::chrono::seconds(4));
  EXPECT_EQ(OwnFailureDelay(parameters, 255), minutes(1));
}

struct Rounding {
  hours min_interval;
  EngagementLevel level;
  hours expected;
};

TEST(Delays, IntervalsAreRoundedUpToWhatTheEngagementAllows) {
  const Parameters parameters;
  const Rounding table[] = {
      {hours(0), kHigh, hours(12)},
      {hours(11), kHigh, hours(12)},
      {hours(12), kHigh, hours(12)},
      {hours(13), kHigh, hours(24)},
      {hours(24), kHigh, hours(24)},
      {hours(48), kHigh, hours(48)},
      {hours(0), EngagementLevel::kMax, hours(12)},
      {hours(0), EngagementLevel::kMedium, hours(24)},
      {hours(0), EngagementLevel::kLow, hours(24)},
      {hours(25), EngagementLevel::kLow, hours(48)},
      {hours(0), EngagementLevel::kMinimal, hours(36)},
      {hours(37), EngagementLevel::kMinimal, hours(72)},
  };
  for (const Rounding& row : table) {
    const auto interval = PeriodicInterval(parameters, Ms(row.min_interval), row.level);
    ASSERT_TRUE(interval);
    EXPECT_EQ(Ms(*interval), Ms(row.expected)) << row.min_interval.count() << " h";
  }
  EXPECT_FALSE(PeriodicInterval(parameters, Ms(hours(13)), EngagementLevel::kNone)) << "suspended";
}

struct Spacing {
  hours min_interval;
  hours other;
  hours expected;
};

TEST(Delays, EventsOfOneOriginShareSlots) {
  const Parameters parameters;
  const Spacing table[] = {
      {hours(11), hours(0), hours(12)},  {hours(11), hours(1), hours(13)},  {hours(11), hours(13), hours(13)},
      {hours(11), hours(24), hours(12)}, {hours(13), hours(1), hours(24)},  {hours(13), hours(12), hours(24)},
      {hours(13), hours(24), hours(24)}, {hours(13), hours(30), hours(30)},
  };
  for (const Spacing& row : table) {
    const auto interval = PeriodicInterval(parameters, Ms(row.min_interval), kHigh);
    EXPECT_EQ(Ms(SpacePeriodic(parameters, *interval, row.other)), Ms(row.expected))
        << "I = " << row.min_interval.count() << " h, T = " << row.other.count() << " h";
  }
  EXPECT_EQ(SpacePeriodic(parameters, hours(12), std::nullopt), hours(12));
}

}  // namespace
}  // namespace vigil
