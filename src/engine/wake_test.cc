// When the engine wants to be woken: one timer for everything it holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

using ::testing::ElementsAre;

const RegistrationKey kPost = Rig::Sync("sync-post");
const RegistrationKey kFeed = Rig::Periodic("feed");

std::optional<Duration> ToWake(const Rig& rig) {
  const auto wake = rig.engine->next_wake();
  if (!wake) return std::nullopt;
  return *wake - rig.now.mono;
}

TEST(Wake, ThereIsNoneWhileNothingIsRegistered) {
  Rig rig;
  EXPECT_EQ(ToWake(rig), std::nullopt);
  rig.Register(kPost);
  rig.Finish(kPost);
  EXPECT_EQ(ToWake(rig), std::nullopt);
}

TEST(Wake, IsThePeriodThenTheRecoveryTimeWhileItRunsThenThePeriodAgain) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(13));
  EXPECT_EQ(ToWake(rig), hours(24));
  rig.Advance(hours(24));
  ASSERT_TRUE(rig.Runs(kFeed));
  EXPECT_EQ(ToWake(rig), minutes(6));
  rig.Finish(kFeed);
  EXPECT_EQ(ToWake(rig), hours(24));
}

TEST(Wake, OfOneShotIsNoneOfflineThenTheRecoveryTimeThenTheRetry) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  EXPECT_EQ(ToWake(rig), std::nullopt) << "due, and only the network can help";
  rig.GoOnline();
  EXPECT_EQ(ToWake(rig), minutes(6));
  rig.Finish(kPost, DispatchOutcome::kRejected);
  EXPECT_EQ(ToWake(rig), minutes(5));
}

TEST(Wake, IsTheSoonestOfBothKindsAndEachKeepsItsOwnTime) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  EXPECT_EQ(ToWake(rig), minutes(5));
  EXPECT_EQ(rig.Left(kPost), minutes(5));
  EXPECT_EQ(rig.Left(kFeed), hours(12));
  rig.Advance(minutes(5));
  rig.Finish(kPost);
  EXPECT_EQ(ToWake(rig), hours(12) - minutes(5));
}

TEST(Wake, IsTheSoonestOverAllWorkersAndOrigins) {
  Rig rig;
  rig.Register(Rig::Periodic("a", 1), kShop, hours(36));
  rig.Register(Rig::Periodic("b", 2), kNews, hours(24));
  EXPECT_EQ(ToWake(rig), hours(24));
}

TEST(Wake, MovesToASoonerOneAndBackWhenThatIsUnregistered) {
  Rig rig;
  rig.Register(Rig::Periodic("late"), kShop, hours(48));
  rig.Register(Rig::Periodic("soon"), kShop, hours(12));
  EXPECT_EQ(ToWake(rig), hours(12));
  rig.Unregister("soon");
  EXPECT_EQ(ToWake(rig), hours(48));
  rig.Unregister("late");
  EXPECT_EQ(ToWake(rig), std::nullopt);
}

TEST(Wake, ComesCloserAsTimePasses) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Move(hours(5));
  EXPECT_EQ(ToWake(rig), hours(7));
  rig.Step(input::Tick{});
  EXPECT_EQ(ToWake(rig), hours(7));
}

TEST(Wake, OneSecondTooEarlyItIsSetForThatSecond) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.Move(minutes(5) - seconds(1));
  rig.Step(input::Tick{});
  EXPECT_FALSE(rig.Runs(kPost));
  EXPECT_EQ(ToWake(rig), seconds(1));
  rig.Move(seconds(1));
  rig.Step(input::Tick{});
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(Wake, SuspendedRegistrationsAskForNone) {
  Rig rig;
  rig.policy.engagement[kShop] = EngagementLevel::kNone;
  rig.Register(kFeed, kShop, hours(12));
  EXPECT_EQ(ToWake(rig), std::nullopt);
}

TEST(Wake, TagsOfOneOriginThatCameOneAfterAnotherRunTogetherOrAGapApart) {
  Rig rig;
  rig.Register(Rig::Periodic("a"), kShop, hours(12));
  rig.Advance(hours(1));
  rig.Register(Rig::Periodic("b"), kShop, hours(13));
  rig.Advance(hours(1));
  rig.Register(Rig::Periodic("c"), kShop, hours(30));
  MonoTime last = rig.now.mono - hours(12);
  std::set<std::string> seen;
  while (seen.size() < 3 || rig.dispatched.size() < 30) {
    rig.Advance(hours(1));
    if (rig.open.empty()) continue;
    ASSERT_GE(rig.now.mono, last + hours(12)) << rig.open.begin()->second.tag;
    last = rig.now.mono;
    while (!rig.open.empty()) {
      seen.insert(rig.open.begin()->second.tag);
      rig.Finish(rig.open.begin()->second);
    }
  }
}

}  // namespace
}  // namespace vigil::testing
