#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

using ::testing::ElementsAre;

const RegistrationKey kFeed = Rig::Periodic("update-feed-content");

TEST(Periodic, FiresAfterEachPeriodAndStaysRegistered) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(13));
  EXPECT_EQ(rig.Reason(kFeed), "waiting-for-period");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(rig.Left(kFeed), hours(24));
    rig.Advance(hours(24) - seconds(1));
    ASSERT_FALSE(rig.Runs(kFeed));
    rig.Advance(seconds(1));
    ASSERT_TRUE(rig.Runs(kFeed));
    rig.Finish(kFeed);
  }
  EXPECT_THAT(rig.Tags(SyncKind::kPeriodic), ElementsAre("update-feed-content"));
}

TEST(Periodic, LogsAsBrowsersDo) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Advance(hours(12));
  rig.Finish(kFeed, DispatchOutcome::kRejected);
  rig.Advance(minutes(5));
  rig.Finish(kFeed);
  rig.Unregister("update-feed-content");
  EXPECT_THAT(
      rig.LogLines(),
      ElementsAre(
          "Got next event delay [Next Attempt Delay (ms)=43200000]",
          "Registered periodicsync [minInterval=43200000]", "Dispatched periodicsync event",
          "periodicsync event failed [Next Attempt Delay (ms)=300000] [Failure Reason=waitUntil rejected]",
          "Dispatched periodicsync event", "periodicsync event completed [Next Attempt Delay (ms)=43200000]",
          "Unregistered periodicsync"));
  EXPECT_EQ(rig.log.front().service, LogService::kPeriodicBackgroundSync);
}

TEST(Periodic, ThePeriodFollowsTheEngagementOfTheMoment) {
  Rig rig;
  rig.policy.engagement[kShop] = EngagementLevel::kLow;
  rig.Register(kFeed, kShop, hours(12));
  EXPECT_EQ(rig.Left(kFeed), hours(24));
  rig.policy.engagement[kShop] = EngagementLevel::kMinimal;
  rig.Advance(hours(24));
  rig.Finish(kFeed);
  EXPECT_EQ(rig.Left(kFeed), hours(36));
}

TEST(Periodic, ThreeDaysAtADayAreThreeRuns) {
  Rig rig;
  rig.policy.engagement[kShop] = EngagementLevel::kLow;
  rig.Register(kFeed, kShop, hours(24));
  int runs = 0;
  for (int hour = 0; hour < 72; ++hour) {
    rig.Advance(hours(1));
    if (!rig.Runs(kFeed)) continue;
    ++runs;
    rig.Finish(kFeed);
  }
  EXPECT_EQ(runs, 3);
}

TEST(Periodic, RetriesWithinAPeriodAndThenWaitsForTheNextOne) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Advance(hours(12));
  rig.Finish(kFeed, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.State(kFeed), "waiting");
  EXPECT_EQ(rig.Left(kFeed), minutes(5));
  rig.Advance(minutes(5));
  rig.Finish(kFeed, DispatchOutcome::kTimeout);
  EXPECT_EQ(rig.Left(kFeed), minutes(15));
  rig.Advance(minutes(15));
  EXPECT_FALSE(rig.dispatched.back().last_chance) << "periodicsync knows no last chance";
  rig.Finish(kFeed, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.Left(kFeed), hours(12));
  EXPECT_EQ(rig.engine->Find(kFeed, rig.now)->attempts, 0);
}

TEST(Periodic, IsSuspendedWithoutEngagementAndRevivedByIt) {
  Rig rig;
  rig.policy.engagement[kShop] = EngagementLevel::kNone;
  rig.Register(kFeed, kShop, hours(12));
  EXPECT_EQ(rig.State(kFeed), "suspended");
  EXPECT_EQ(rig.Reason(kFeed), "suspended-no-engagement");
  EXPECT_THAT(rig.Tags(SyncKind::kPeriodic), ElementsAre("update-feed-content"));
  EXPECT_EQ(rig.LogLines()[0], "Got next event delay [Next Attempt Delay (ms)=infinite]");
  rig.Advance(hours(1000));
  EXPECT_TRUE(rig.dispatched.empty());
  rig.Step(input::EngagementChanged{kShop});
  EXPECT_EQ(rig.State(kFeed), "suspended") << "still no engagement";
  rig.policy.engagement[kShop] = EngagementLevel::kMinimal;
  rig.Step(input::EngagementChanged{kShop});
  EXPECT_EQ(rig.Left(kFeed), hours(36));
  ASSERT_TRUE(rig.disk.at(kFeed).due);
  rig.Advance(hours(36));
  EXPECT_TRUE(rig.Runs(kFeed));
}

TEST(Periodic, StaysSuspendedOverARestart) {
  Rig rig;
  rig.policy.engagement[kShop] = EngagementLevel::kNone;
  rig.Register(kFeed, kShop, hours(12));
  rig.Restart();
  EXPECT_EQ(rig.State(kFeed), "suspended");
}

TEST(Periodic, EngagementThatIsGoneWhenItIsDueSuspendsIt) {
  for (const bool checked : {true, false}) {
    Parameters parameters;
    parameters.engagement_checked_at_fire = checked;
    Rig rig(parameters);
    rig.Register(kFeed, kShop, hours(12));
    rig.policy.engagement[kShop] = EngagementLevel::kNone;
    rig.Advance(hours(12));
    EXPECT_EQ(rig.Runs(kFeed), !checked);
    EXPECT_EQ(rig.State(kFeed), checked ? "suspended" : "firing");
    EXPECT_EQ(rig.disk.at(kFeed).due.has_value(), !checked);
  }
}

TEST(Periodic, FiresWhenTheNetworkComesIfItWasDueBefore) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.GoOffline();
  rig.Advance(hours(30));
  EXPECT_EQ(rig.Reason(kFeed), "offline");
  rig.GoOnline();
  EXPECT_TRUE(rig.Runs(kFeed));
}

TEST(Periodic, FiresOnlyOnAKnownNetwork) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.network.unknown_to.insert(kShop);
  rig.Advance(hours(12));
  EXPECT_EQ(rig.Reason(kFeed), "unknown-network");
  rig.network.unknown_to.clear();
  rig.Step(input::NetworkChanged{});
  EXPECT_TRUE(rig.Runs(kFeed));
}

TEST(Periodic, FiresOnAnyNetworkInChromiumsWay) {
  Parameters parameters;
  parameters.known_network_required = false;
  Rig rig(parameters);
  rig.Register(kFeed, kShop, hours(12));
  rig.network.unknown_to.insert(kShop);
  rig.Advance(hours(12));
  EXPECT_TRUE(rig.Runs(kFeed));
}

TEST(Periodic, UninstallingTheAppErasesItAndLeavesOneShotAlone) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kFeed, kShop, hours(12));
  rig.Register(Rig::Sync("post"));
  rig.policy.uninstalled.insert(kShop);
  rig.Step(input::AppUninstalled{kShop});
  EXPECT_EQ(rig.State(kFeed), "gone");
  EXPECT_EQ(rig.disk.count(kFeed), 0U);
  EXPECT_EQ(rig.disk.count(Rig::Sync("post")), 1U);
}

TEST(Periodic, InstallationIsCheckedAgainAtFireTime) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.policy.uninstalled.insert(kShop);  // nobody told the engine
  rig.Advance(hours(12));
  EXPECT_TRUE(rig.dispatched.empty());
  EXPECT_EQ(rig.Reason(kFeed), "not-installed");
}

// ---- several tags of one origin

TEST(Periodic, TagsOfOneOriginShareASlotInOrder) {
  Rig rig;
  rig.Register(Rig::Periodic("foo"), kShop, hours(12));
  rig.Advance(hours(1));
  rig.Register(Rig::Periodic("bar"), kShop, hours(0));
  EXPECT_EQ(rig.Left(Rig::Periodic("bar")), hours(23)) << "12 h after foo";
  rig.Register(Rig::Periodic("late", 2), kShop, hours(13));
  EXPECT_EQ(rig.Left(Rig::Periodic("late", 2)), hours(24));
  rig.Register(Rig::Periodic("elsewhere", 3), kNews, hours(0));
  EXPECT_EQ(rig.Left(Rig::Periodic("elsewhere", 3)), hours(12)) << "another origin is not spaced against";
}

TEST(Periodic, TheSameTagUnderAnotherWorkerIsSpacedAgainstLikeAnyOther) {
  Rig rig;
  rig.Register(Rig::Periodic("t", 1), kShop, hours(0));
  rig.Advance(hours(1));
  rig.Register(Rig::Periodic("t", 2), kShop, hours(0));
  EXPECT_EQ(rig.Left(Rig::Periodic("t", 2)), hours(23));
}

TEST(Periodic, TheSameTagUnderAnotherWorkerIsNotSpacedAgainstInChromiumsWay) {
  Parameters parameters;
  parameters.space_against_same_tag = false;
  Rig rig(parameters);
  rig.Register(Rig::Periodic("t", 1), kShop, hours(0));
  rig.Advance(hours(1));
  rig.Register(Rig::Periodic("t", 2), kShop, hours(0));
  EXPECT_EQ(rig.Left(Rig::Periodic("t", 2)), hours(12));
}

const RegistrationKey kFirst = Rig::Periodic("a", 1);
const RegistrationKey kSoon = Rig::Periodic("b", 2);
const RegistrationKey kLate = Rig::Periodic("c", 3);
const std::string kThird = "https://third.example";

// Three origins whose first periods end at 12 h, 12 h 5 min and 13 h; moves to 12 h 5 min.
void PlayThreeOrigins(Rig& rig) {
  rig.Register(kFirst, kShop);
  rig.Advance(minutes(5));
  rig.Register(kSoon, kNews);
  rig.Advance(minutes(55));
  rig.Register(kLate, kThird);
  rig.Advance(hours(11) + minutes(5));
  EXPECT_TRUE(rig.Runs(kFirst));
  EXPECT_TRUE(rig.Runs(kSoon)) << "a slot stays open for a few minutes";
}

TEST(Periodic, OriginsShareSlotsTwelveHoursApart) {
  Rig rig;
  PlayThreeOrigins(rig);
  rig.Finish(kFirst, DispatchOutcome::kRejected);
  rig.Finish(kSoon);
  rig.Advance(minutes(5));
  EXPECT_TRUE(rig.Runs(kFirst)) << "a retry is free";
  rig.Finish(kFirst);
  rig.Advance(minutes(50));
  EXPECT_EQ(rig.Reason(kLate), "other-origin-ran");
  EXPECT_EQ(rig.Left(kLate), hours(11)) << "the next slot";
  rig.Advance(hours(11));
  EXPECT_TRUE(rig.Runs(kLate));
}

TEST(Periodic, TheSlotIsRememberedOverARestart) {
  Rig rig;
  PlayThreeOrigins(rig);
  rig.Finish(kFirst);
  rig.Finish(kSoon);
  rig.Advance(minutes(55));
  rig.Restart();
  EXPECT_EQ(rig.Reason(kLate), "other-origin-ran");
  EXPECT_EQ(rig.Left(kLate), hours(11) + minutes(5)) << "counted from the slot's last event";
}

TEST(Periodic, AFaultOfOursDoesNotCostARunItsSlot) {
  Rig rig;
  rig.Register(kFirst, kShop);
  rig.Advance(hours(12));
  for (int i = 0; i < 15; ++i) {
    ASSERT_TRUE(rig.Runs(kFirst)) << i;
    rig.Finish(kFirst, DispatchOutcome::kNotStarted);
    rig.Advance(minutes(1));
  }
}

TEST(Periodic, TimeAsleepCountsTowardsTheNextSlot) {
  Rig rig;
  PlayThreeOrigins(rig);
  rig.Finish(kFirst);
  rig.Finish(kSoon);
  rig.Advance(minutes(55));
  ASSERT_FALSE(rig.Runs(kLate));
  rig.now.wall += hours(11);  // the monotonic clock stood still
  rig.Step(input::Tick{});
  EXPECT_TRUE(rig.Runs(kLate));
}

TEST(Periodic, OriginsDoNotMindEachOtherInTheDesktopsWay) {
  Parameters parameters;
  parameters.min_periodic_gap_across_origins = Duration::zero();
  Rig rig(parameters);
  PlayThreeOrigins(rig);
  rig.Advance(minutes(55));
  EXPECT_TRUE(rig.Runs(kLate));
}

TEST(Periodic, ARetryIsHurriedWhenConnectivityReturns) {
  Rig rig;
  rig.Register(kFeed, kShop);
  rig.Advance(hours(12));
  rig.Finish(kFeed, DispatchOutcome::kTimeout);
  rig.GoOffline();
  rig.GoOnline();
  ASSERT_TRUE(rig.Runs(kFeed));
  rig.Finish(kFeed, DispatchOutcome::kTimeout);
  rig.GoOffline();
  rig.GoOnline();
  EXPECT_FALSE(rig.Runs(kFeed)) << "the last attempt of the period waits";
  EXPECT_EQ(rig.Left(kFeed), minutes(15));
}

// ---- registering again, unregistering

TEST(Periodic, RegisteredAgainWithTheSameIntervalChangesNothing) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(13));
  rig.Advance(hours(5));
  rig.Register(kFeed, kShop, hours(13));
  EXPECT_EQ(rig.Left(kFeed), hours(19));
  EXPECT_EQ(rig.log.size(), 2U);
}

TEST(Periodic, AnotherIntervalCountsFromTheLastPeriod) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(48));
  rig.Advance(hours(5));
  rig.Register(kFeed, kShop, hours(24));
  EXPECT_EQ(rig.Left(kFeed), hours(19));
  EXPECT_EQ(rig.engine->Find(kFeed, rig.now)->min_interval_ms, 24 * 3600 * 1000);
}

TEST(Periodic, AnotherIntervalStartsAfreshInChromiumsWay) {
  Parameters parameters;
  parameters.interval_change_keeps_anchor = false;
  Rig rig(parameters);
  rig.Register(kFeed, kShop, hours(48));
  rig.Advance(hours(5));
  rig.Register(kFeed, kShop, hours(24));
  EXPECT_EQ(rig.Left(kFeed), hours(24));
}

TEST(Periodic, RegisteredAgainWhileItRunsGetsAFreshPeriod) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Advance(hours(12));
  rig.Register(kFeed, kShop, hours(12));
  EXPECT_EQ(rig.State(kFeed), "reregistered-while-firing");
  rig.Finish(kFeed, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.Left(kFeed), hours(12));
  EXPECT_EQ(rig.engine->Find(kFeed, rig.now)->attempts, 0);
}

TEST(Periodic, RegisteredAgainWhileItRunsFiresAgainInChromiumsWay) {
  Parameters parameters;
  parameters.periodic_reregistered_fires_again = true;
  Rig rig(parameters);
  rig.Register(kFeed, kShop, hours(12));
  rig.Advance(hours(12));
  rig.Register(kFeed, kShop, hours(12));
  rig.Finish(kFeed);
  EXPECT_TRUE(rig.Runs(kFeed));
}

TEST(Periodic, AnotherIntervalWhileItRunsCountsFromItsEnd) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Advance(hours(12));
  rig.Register(kFeed, kShop, hours(48));
  rig.Advance(minutes(1));
  rig.Finish(kFeed);
  EXPECT_EQ(rig.Left(kFeed), hours(48));
}

TEST(Periodic, UnregisteringStopsItAndAnUnknownTagIsFine) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Register(Rig::Sync("update-feed-content"));
  EXPECT_TRUE(rig.Succeeded(rig.Unregister("update-feed-content")));
  EXPECT_TRUE(rig.Succeeded(rig.Unregister("never seen")));
  EXPECT_EQ(rig.disk.count(kFeed), 0U);
  EXPECT_EQ(rig.State(Rig::Sync("update-feed-content")), "firing") << "unregister is not for one-shot";
  rig.Advance(hours(100));
  EXPECT_FALSE(rig.Runs(kFeed));
}

TEST(Periodic, TheEndOfAnUnregisteredRunDoesNotTouchItsSuccessor) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Advance(hours(12));
  const auto old = rig.dispatched.back().token;
  rig.Unregister("update-feed-content");
  rig.Register(kFeed, kShop, hours(12));
  EXPECT_EQ(rig.engine->firing(), 1U);
  rig.Step(input::DispatchFinished{old, DispatchOutcome::kRejected, ""});
  EXPECT_EQ(rig.engine->firing(), 0U);
  EXPECT_EQ(rig.engine->Find(kFeed, rig.now)->attempts, 0);
  EXPECT_EQ(rig.Left(kFeed), hours(12));
}

TEST(Periodic, KeepsItsValuesOverARestart) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(13));
  const auto before = rig.disk.at(kFeed);
  EXPECT_EQ(before.min_interval_ms, 13 * 3600 * 1000);
  EXPECT_EQ(before.origin, kShop);
  rig.Move(hours(4));
  rig.Restart();
  EXPECT_EQ(rig.Left(kFeed), hours(20));
  EXPECT_EQ(rig.disk.at(kFeed), before);
}

TEST(Periodic, ManyDueAfterALongPauseFireOnceEach) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Move(hours(24 * 30));
  rig.Restart();
  EXPECT_EQ(rig.dispatched.size(), 1U);
  rig.Finish(kFeed);
  EXPECT_EQ(rig.Left(kFeed), hours(12));
}

TEST(Periodic, SuspendedBeforeARetryItStartsAPeriodWhenItIsRevived) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Advance(hours(12));
  rig.Finish(kFeed, DispatchOutcome::kRejected);
  rig.policy.engagement[kShop] = EngagementLevel::kNone;
  rig.Advance(minutes(5));
  EXPECT_EQ(rig.State(kFeed), "suspended");
  rig.policy.engagement[kShop] = EngagementLevel::kHigh;
  rig.Step(input::EngagementChanged{kShop});
  EXPECT_EQ(rig.Reason(kFeed), "waiting-for-period");
  EXPECT_EQ(rig.engine->Find(kFeed, rig.now)->attempts, 0);
  rig.GoOffline();
  rig.GoOnline();
  EXPECT_EQ(rig.Left(kFeed), hours(12)) << "a period is not hurried";
}

}  // namespace
}  // namespace vigil::testing
