#include <gtest/gtest.h>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

const RegistrationKey kPost = Rig::Sync("sync-post");
const RegistrationKey kFeed = Rig::Periodic("feed");

void FailOnce(Rig& rig) {
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
}

TEST(Clocks, ACalendarSetBackDoesNotStretchAWait) {
  Rig rig;
  FailOnce(rig);
  rig.Advance(minutes(1));
  rig.now.wall -= hours(24 * 365);
  rig.Step(input::Tick{});
  EXPECT_EQ(rig.Left(kPost), minutes(4));
  rig.Advance(minutes(4));
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(Clocks, NorDoesItOverARestart) {
  Rig rig;
  FailOnce(rig);
  rig.now.wall -= hours(24);
  rig.Step(input::Tick{});
  rig.Restart();
  EXPECT_EQ(rig.Left(kPost), minutes(5));
}

TEST(Clocks, ACalendarSetBackWhileNobodyRanCostsAtMostOneDelay) {
  Rig rig;
  FailOnce(rig);
  rig.now.wall -= hours(24 * 365);
  rig.Restart();
  EXPECT_EQ(rig.Left(kPost), minutes(5));
}

TEST(Clocks, SleepCountsAsWaiting) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.now.wall += hours(8);  // the monotonic clock stood still
  rig.Step(input::Tick{});
  EXPECT_EQ(rig.Left(kFeed), hours(4));
  rig.now.wall += hours(8);
  rig.Step(input::Tick{});
  EXPECT_TRUE(rig.Runs(kFeed));
}

TEST(Clocks, SmallCorrectionsAreNotJumps) {
  Rig rig;
  FailOnce(rig);
  const auto before = rig.disk;
  rig.now.wall -= seconds(1);
  rig.Step(input::Tick{});
  EXPECT_EQ(rig.disk, before);
  rig.Advance(minutes(5));
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(Clocks, AClockThatStartsInThePastAndIsSetLaterKeepsThePeriod) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  const WallTime right = rig.now.wall + hours(5);
  rig.now.wall = WallTime{};  // a board without a battery, after its boot
  rig.now.mono += hours(5);
  rig.Restart();
  EXPECT_EQ(rig.Left(kFeed), hours(12));
  rig.now.wall = right;  // the time server answered
  rig.Step(input::Tick{});
  EXPECT_EQ(rig.Left(kFeed), hours(7));
  EXPECT_TRUE(rig.dispatched.empty());
}

}  // namespace
}  // namespace vigil::testing
