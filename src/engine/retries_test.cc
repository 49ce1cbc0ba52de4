// How many runs a registration gets, and how far apart.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

using ::testing::ElementsAre;

const RegistrationKey kPost = Rig::Sync("sync-post");
const RegistrationKey kFeed = Rig::Periodic("feed");

// Fails every run until the registration is gone; the waits between the runs.
std::vector<Duration> FailToTheEnd(Rig& rig, const RegistrationKey& key) {
  std::vector<Duration> waits;
  rig.Finish(key, DispatchOutcome::kRejected);
  while (rig.State(key) != "gone") {
    waits.push_back(rig.Left(key));
    rig.Advance(waits.back());
    rig.Finish(key, DispatchOutcome::kRejected);
  }
  return waits;
}

TEST(Retries, OneTwoAndThreeAttemptsAreThatManyRunsAndTheWaitsGrow) {
  for (const std::size_t attempts : {1U, 2U, 3U, 4U}) {
    Parameters parameters;
    parameters.max_attempts = static_cast<std::int64_t>(attempts);
    Rig rig(parameters);
    rig.Register(kPost);
    const std::vector<Duration> waits = FailToTheEnd(rig, kPost);
    EXPECT_EQ(rig.dispatched.size(), attempts);
    ASSERT_EQ(waits.size(), attempts - 1);
    for (std::size_t i = 0; i < waits.size(); ++i) {
      EXPECT_GE(waits[i], minutes(1));
      EXPECT_LE(waits[i], hours(1));
      EXPECT_GT(waits[i], i == 0 ? Duration::zero() : waits[i - 1]);
    }
    for (std::size_t i = 0; i < attempts; ++i)
      EXPECT_EQ(rig.dispatched[i].last_chance, i + 1 == attempts) << i;
    EXPECT_TRUE(rig.disk.empty());
  }
}

TEST(Retries, TwoThatFailAtDifferentTimesBothRunOut) {
  Parameters parameters;
  parameters.max_attempts = 2;
  Rig rig(parameters);
  const RegistrationKey other = Rig::Sync("other", 2);
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.Advance(minutes(2));
  rig.Register(other);
  rig.Finish(other, DispatchOutcome::kRejected);
  rig.Advance(minutes(3));
  EXPECT_TRUE(rig.Runs(kPost));
  EXPECT_FALSE(rig.Runs(other));
  rig.Finish(kPost, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.State(kPost), "gone");
  rig.Advance(minutes(2));
  rig.Finish(other, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.State(other), "gone");
  EXPECT_EQ(rig.dispatched.size(), 4U);
}

TEST(Retries, APeriodicOneWithTwoAttemptsIsRetriedOnceAndThenWaitsForItsPeriod) {
  Parameters parameters;
  parameters.max_attempts = 2;
  Rig rig(parameters);
  rig.Register(kFeed, kShop, hours(13));
  rig.Advance(hours(24));
  rig.Finish(kFeed, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.Left(kFeed), minutes(5));
  rig.Advance(minutes(5));
  rig.Finish(kFeed, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.Left(kFeed), hours(24));
  EXPECT_THAT(rig.Tags(SyncKind::kPeriodic), ElementsAre("feed"));
}

TEST(Retries, OfTheTwoKindsKnowNothingOfEachOther) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Advance(hours(12));
  rig.Finish(kFeed, DispatchOutcome::kRejected);
  rig.Register(Rig::Sync("feed"));
  EXPECT_TRUE(rig.Runs(Rig::Sync("feed"))) << "at once, although its namesake waits";
  rig.Finish(Rig::Sync("feed"));
  EXPECT_EQ(rig.Left(kFeed), minutes(5));
}

}  // namespace
}  // namespace vigil::testing
