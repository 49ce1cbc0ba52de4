#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const RegistrationKey kPost = Rig::Sync("sync-post");

TEST(OneShot, FiresAtOnceWhenOnlineAndIsRemovedOnSuccess) {
  Rig rig;
  EXPECT_TRUE(rig.Succeeded(rig.Register(kPost)));
  ASSERT_TRUE(rig.Runs(kPost));
  EXPECT_THAT(rig.Tags(SyncKind::kOneShot), ElementsAre("sync-post")) << "it stays listed while it runs";
  rig.Finish(kPost);
  EXPECT_THAT(rig.Tags(SyncKind::kOneShot), IsEmpty());
  EXPECT_TRUE(rig.disk.empty());
  EXPECT_THAT(rig.LogLines(), ElementsAre("Registered sync", "Dispatched sync event [Last Chance=No]",
                                          "Sync completed [Status=succeeded]"));
}

TEST(OneShot, RepliesOnlyWhenTheRecordIsDurable) {
  Rig rig;
  rig.write_at_once = false;
  const auto token = rig.Register(kPost);
  EXPECT_EQ(rig.ErrorOf(token), "no reply yet");
  EXPECT_EQ(rig.Reason(kPost), "storing");
  EXPECT_TRUE(rig.log.empty());
  const auto again = rig.Register(kPost);
  EXPECT_EQ(rig.ErrorOf(again), "no reply yet") << "a duplicate waits for the same write";
  rig.Write();
  EXPECT_TRUE(rig.Succeeded(token));
  EXPECT_TRUE(rig.Succeeded(again));
  EXPECT_EQ(rig.disk.count(kPost), 1U);
  EXPECT_FALSE(rig.Runs(kPost));
}

TEST(OneShot, WaitsUntilTheCallerHasSeenThePromiseResolve) {
  Rig rig;
  rig.acknowledge = false;
  rig.Register(kPost);
  EXPECT_EQ(rig.Reason(kPost), "not-acknowledged");
  rig.Step(input::Acknowledge{1, "another tag"});
  EXPECT_FALSE(rig.Runs(kPost));
  rig.Step(input::Acknowledge{1, "sync-post"});
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(OneShot, IsNotHeldForEverByACallerThatDied) {
  Rig rig;
  rig.acknowledge = false;
  rig.Register(kPost);
  rig.Advance(seconds(9));
  EXPECT_FALSE(rig.Runs(kPost));
  rig.Advance(seconds(1));
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(OneShot, WaitsForAnAcknowledgementForEverInChromiumsWay) {
  Parameters parameters;
  parameters.acknowledge_timeout = Duration::zero();
  Rig rig(parameters);
  rig.acknowledge = false;
  rig.Register(kPost);
  rig.Advance(hours(24));
  EXPECT_FALSE(rig.Runs(kPost));
  rig.Restart();
  EXPECT_TRUE(rig.Runs(kPost)) << "what was stored counts as acknowledged";
}

TEST(OneShot, WaitsForTheNetworkAndAllFireInOrderWhenItComes) {
  Rig rig;
  rig.GoOffline();
  rig.Register(Rig::Sync("b", 2));
  rig.Register(Rig::Sync("foo", 1));
  rig.Register(Rig::Sync("bar", 1));
  EXPECT_EQ(rig.Reason(Rig::Sync("foo")), "offline");
  rig.Advance(hours(100));
  EXPECT_TRUE(rig.dispatched.empty());
  rig.GoOnline();
  EXPECT_THAT(rig.DispatchedTags(), ElementsAre("bar", "foo", "b"));
}

TEST(OneShot, RechecksConnectivityAtDispatch) {
  Rig rig;
  rig.acknowledge = false;
  rig.Register(kPost);
  rig.network.online = false;  // nobody told the engine yet
  rig.Step(input::Acknowledge{1, "sync-post"});
  EXPECT_FALSE(rig.Runs(kPost));
  EXPECT_EQ(rig.Reason(kPost), "offline");
}

TEST(OneShot, RetriesAfterFiveAndFifteenMinutesAndThenGivesUp) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.State(kPost), "waiting");
  EXPECT_EQ(rig.Reason(kPost), "waiting-for-retry");
  EXPECT_EQ(rig.Left(kPost), minutes(5));
  rig.Advance(minutes(5) - seconds(1));
  EXPECT_FALSE(rig.Runs(kPost));
  rig.Advance(seconds(1));
  ASSERT_TRUE(rig.Runs(kPost));
  rig.Finish(kPost, DispatchOutcome::kTimeout);
  EXPECT_EQ(rig.Left(kPost), minutes(15));
  rig.Advance(minutes(15));
  ASSERT_TRUE(rig.Runs(kPost));
  rig.Finish(kPost, DispatchOutcome::kFailed);
  EXPECT_EQ(rig.State(kPost), "gone");
  EXPECT_TRUE(rig.disk.empty());
  EXPECT_THAT(
      rig.LogLines(),
      ElementsAre("Registered sync", "Dispatched sync event [Last Chance=No]",
                  "sync event failed [Next Attempt Delay (ms)=300000] [Failure Reason=waitUntil rejected]",
                  "Dispatched sync event [Last Chance=No]",
                  "sync event failed [Next Attempt Delay (ms)=900000] [Failure Reason=timeout]",
                  "Dispatched sync event [Last Chance=Yes]", "Sync completed [Status=failed]"));
}

TEST(OneShot, TellsTheLastChance) {
  Parameters parameters;
  parameters.max_attempts = 2;
  Rig rig(parameters);
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.Advance(minutes(5));
  ASSERT_EQ(rig.dispatched.size(), 2U);
  EXPECT_FALSE(rig.dispatched[0].last_chance);
  EXPECT_TRUE(rig.dispatched[1].last_chance);
}

TEST(OneShot, OneAttemptMeansRemovedAfterOneFailureAndFreeToRegisterAgain) {
  Parameters parameters;
  parameters.max_attempts = 1;
  Rig rig(parameters);
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.State(kPost), "gone");
  rig.Register(kPost);
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(OneShot, TakesItsMaximumFromTheNotificationPermissionAtRegistration) {
  Parameters parameters;
  parameters.max_attempts_with_notifications = 5;
  Rig rig(parameters);
  rig.policy.notifications.insert(kShop);
  rig.Register(kPost);
  rig.policy.notifications.clear();
  EXPECT_EQ(rig.engine->Find(kPost, rig.now)->max_attempts, 5);
}

TEST(OneShot, FaultsOfOursNeverCount) {
  Rig rig;
  rig.Register(kPost);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(rig.Runs(kPost)) << i;
    rig.Finish(kPost, DispatchOutcome::kNotStarted);
    EXPECT_EQ(rig.Reason(kPost), "not-started");
    EXPECT_LE(rig.Left(kPost), minutes(1));
    EXPECT_GE(rig.Left(kPost), seconds(1));
    rig.Advance(minutes(1));
  }
  EXPECT_EQ(rig.engine->Find(kPost, rig.now)->attempts, 0);
  EXPECT_FALSE(rig.dispatched.back().last_chance);
}

TEST(OneShot, ARunThatIsNeverHeardOfRunsAgainUncounted) {
  Rig rig;
  rig.Register(kPost);
  const auto lost = rig.dispatched.back().token;
  rig.Advance(minutes(6));
  rig.Advance(seconds(1));
  ASSERT_EQ(rig.dispatched.size(), 2U);
  EXPECT_EQ(rig.engine->Find(kPost, rig.now)->attempts, 0);
  rig.Step(input::DispatchFinished{lost, DispatchOutcome::kRejected, ""});
  EXPECT_EQ(rig.State(kPost), "firing") << "its late result is not believed";
}

// ---- registering again

TEST(OneShot, ADuplicateOfAPendingOneFiresOnce) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  rig.Register(kPost);
  rig.GoOnline();
  EXPECT_EQ(rig.dispatched.size(), 1U);
}

TEST(OneShot, RegisteredAgainWhileItRunsFiresOnceMoreEitherWay) {
  for (const auto outcome : {DispatchOutcome::kSucceeded, DispatchOutcome::kRejected}) {
    Rig rig;
    rig.Register(kPost);
    EXPECT_TRUE(rig.Succeeded(rig.Register(kPost)));
    EXPECT_EQ(rig.State(kPost), "reregistered-while-firing");
    rig.Finish(kPost, outcome);
    ASSERT_TRUE(rig.Runs(kPost));
    EXPECT_EQ(rig.engine->Find(kPost, rig.now)->attempts, 0);
    rig.Finish(kPost);
    EXPECT_EQ(rig.State(kPost), "gone");
    EXPECT_EQ(rig.LogLines()[2], "Sync event reregistered");
  }
}

TEST(OneShot, RegisteredAgainWhileItWaitsForARetryFiresNow) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  EXPECT_TRUE(rig.Succeeded(rig.Register(kPost)));
  ASSERT_TRUE(rig.Runs(kPost));
  EXPECT_EQ(rig.engine->Find(kPost, rig.now)->attempts, 0);
  EXPECT_EQ(rig.disk.at(kPost).attempts, 0);
}

TEST(OneShot, RegisteredAgainWhileItWaitsDoesNothingInChromiumsWay) {
  Parameters parameters;
  parameters.reregister_waiting_fires_now = false;
  Rig rig(parameters);
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  EXPECT_TRUE(rig.Succeeded(rig.Register(kPost)));
  EXPECT_EQ(rig.Left(kPost), minutes(5));
  EXPECT_EQ(rig.engine->Find(kPost, rig.now)->attempts, 1);
}

TEST(OneShot, RegisteredAgainBeforeItsLastChanceGetsAllAttemptsAgain) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.GoOffline();
  rig.Advance(hours(1));  // its retry is due, only the network is missing
  rig.Register(kPost);
  rig.GoOnline();
  rig.Finish(kPost, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.engine->Find(kPost, rig.now)->attempts, 1);
}

// ---- the network and retries

TEST(OneShot, ARetryIsHurriedWhenItsRunLostTheNetworkAndItIsBack) {
  Rig rig;
  rig.Register(kPost);
  rig.GoOffline();
  rig.Finish(kPost, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.Reason(kPost), "waiting-for-retry");
  rig.Advance(seconds(30));
  rig.GoOnline();
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(OneShot, ARetryThatWaitsOutOfPolitenessIsHurriedWhenConnectivityReturns) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.Advance(minutes(1));
  rig.GoOnline();
  EXPECT_FALSE(rig.Runs(kPost)) << "another network is no return";
  rig.GoOffline();
  EXPECT_EQ(rig.Left(kPost), minutes(4));
  rig.GoOnline();
  EXPECT_TRUE(rig.Runs(kPost));
  EXPECT_THAT(rig.LogLines(), Contains("Retry hurried [Reason=network returned]"));
  EXPECT_EQ(rig.engine->Find(kPost, rig.now)->attempts, 1);
}

TEST(OneShot, ARetryIsHurriedAfterARestartToo) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.network.online = false;
  rig.Restart();
  EXPECT_FALSE(rig.Runs(kPost));
  rig.GoOnline();
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(OneShot, ARetryWhoseRunLostTheNetworkIsMadeAtOnceByARestartOnline) {
  Rig rig;
  rig.Register(kPost);
  rig.GoOffline();
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.network.online = true;
  rig.Restart();
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(OneShot, ARetryWaitsItsDelayWhateverTheNetworkDoesInChromiumsWay) {
  Parameters parameters;
  parameters.hurry_retry_on_reconnect = false;
  Rig rig(parameters);
  rig.Register(kPost);
  rig.GoOffline();
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.GoOnline();
  EXPECT_FALSE(rig.Runs(kPost));
  EXPECT_EQ(rig.Left(kPost), minutes(5));
}

TEST(OneShot, AWorkerThatCouldNotStartUsesUpAnAttemptInChromiumsWay) {
  Parameters parameters;
  parameters.start_failure_counts_as_attempt = true;
  Rig rig(parameters);
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kNotStarted);
  EXPECT_EQ(rig.engine->Find(kPost, rig.now)->attempts, 1);
  EXPECT_EQ(rig.Left(kPost), minutes(5));
}

TEST(OneShot, PermissionIsNotLookedAtAgainInChromiumsWay) {
  Parameters parameters;
  parameters.permission_checked_at_fire = false;
  Rig rig(parameters);
  rig.GoOffline();
  rig.Register(kPost);
  rig.policy.denied.insert({kShop, SyncKind::kOneShot});  // nobody told the engine
  rig.GoOnline();
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(OneShot, TheLastChanceIsNeverSpentOnAFlappingNetwork) {
  Rig rig;
  rig.Register(kPost);
  for (int i = 0; i < 5; ++i) {
    if (rig.Runs(kPost)) {
      rig.GoOffline();
      rig.Finish(kPost, DispatchOutcome::kRejected);
    }
    rig.GoOffline();
    rig.GoOnline();
  }
  EXPECT_EQ(rig.dispatched.size(), 2U);
  EXPECT_EQ(rig.Left(kPost), minutes(15));
}

TEST(OneShot, EmulatedOfflineHoldsOneWorkerUntilEverySessionEnds) {
  Rig rig;
  rig.Step(input::EmulateOffline{1, true});
  rig.Step(input::EmulateOffline{1, true});
  rig.Register(kPost);
  rig.Register(Rig::Sync("other", 2));
  EXPECT_EQ(rig.Reason(kPost), "emulated-offline");
  EXPECT_TRUE(rig.Runs(Rig::Sync("other", 2)));
  rig.Step(input::EmulateOffline{1, false});
  EXPECT_FALSE(rig.Runs(kPost));
  rig.Step(input::EmulateOffline{1, false});
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(OneShot, RunsAtMostTheAllowedNumberAtATime) {
  Parameters parameters;
  parameters.max_parallel_events = 2;
  Rig rig(parameters);
  for (const char* tag : {"a", "b", "c", "d"}) rig.Register(Rig::Sync(tag));
  EXPECT_EQ(rig.open.size(), 2U);
  EXPECT_EQ(rig.Reason(Rig::Sync("c")), "queued");
  rig.Finish(Rig::Sync("a"));
  EXPECT_TRUE(rig.Runs(Rig::Sync("c")));
  EXPECT_FALSE(rig.Runs(Rig::Sync("d")));
}

Rig RigWithTwoPlacesForEachOrigin() {
  Parameters parameters;
  parameters.max_parallel_events_per_origin = 2;
  return Rig(parameters);
}

TEST(OneShot, AnOriginWithManyEventsDoesNotDelayAnother) {
  Rig rig = RigWithTwoPlacesForEachOrigin();
  for (const char* tag : {"a", "b", "c", "d"}) rig.Register(Rig::Sync(tag));
  rig.Register(Rig::Sync("post", 2), kNews);
  EXPECT_THAT(rig.DispatchedTags(), ElementsAre("a", "b", "post"));
  EXPECT_EQ(rig.Reason(Rig::Sync("c")), "queued");
  rig.Finish(Rig::Sync("b"));
  EXPECT_TRUE(rig.Runs(Rig::Sync("c")));
  EXPECT_FALSE(rig.Runs(Rig::Sync("d")));
}

TEST(OneShot, WhoDoesNotTakeItsPlaceLeavesItToTheNext) {
  Rig rig = RigWithTwoPlacesForEachOrigin();
  for (const char* tag : {"a", "b", "c", "d"}) rig.Register(Rig::Sync(tag, std::string(tag) == "c" ? 5 : 1));
  rig.GoOffline();
  rig.Finish(Rig::Sync("a"));
  rig.Finish(Rig::Sync("b"));
  EXPECT_EQ(rig.Reason(Rig::Sync("c", 5)), "offline");
  EXPECT_EQ(rig.Reason(Rig::Sync("d")), "offline");
  rig.Step(input::WorkerRegistrationDeleted{0, 5});
  rig.GoOnline();
  EXPECT_TRUE(rig.Runs(Rig::Sync("d")));
}

TEST(OneShot, ARunOfARemovedRegistrationThatIsNeverHeardOfGivesItsPlaceBack) {
  Rig rig = RigWithTwoPlacesForEachOrigin();
  for (const char* tag : {"a", "b"}) rig.Register(Rig::Sync(tag, 1));
  rig.Register(Rig::Sync("c", 2));
  rig.Step(input::WorkerRegistrationDeleted{0, 1});
  EXPECT_EQ(rig.Reason(Rig::Sync("c", 2)), "queued") << "both events may still be running";
  rig.Advance(minutes(6));
  EXPECT_TRUE(rig.Runs(Rig::Sync("c", 2)));
}

// ---- restarts

TEST(OneShot, SurvivesARestartAndFiresThen) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  rig.Restart();
  EXPECT_THAT(rig.Tags(SyncKind::kOneShot), ElementsAre("sync-post"));
  EXPECT_TRUE(rig.dispatched.empty());
  rig.network.online = true;
  rig.Restart();
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(OneShot, NothingFiresBeforeTheLastPartOfWhatIsStored) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  rig.Register(Rig::Sync("other"));
  rig.network.online = true;
  rig.engine = std::make_unique<Engine>(rig.parameters, Ports{rig.policy, rig.network, rig.random});
  rig.Step(input::Restore{{rig.disk.at(Rig::Sync("other"))}, true});
  rig.Step(input::Tick{});
  EXPECT_TRUE(rig.dispatched.empty());
  rig.Step(input::Restore{{rig.disk.at(kPost)}});
  EXPECT_THAT(rig.DispatchedTags(), ElementsAre("other", "sync-post"));
}

TEST(OneShot, AnEventLostInACrashRunsAgainAndTheLostRunIsNotCounted) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.Advance(minutes(5));
  ASSERT_TRUE(rig.Runs(kPost));
  rig.Restart();
  ASSERT_TRUE(rig.Runs(kPost));
  EXPECT_EQ(rig.engine->Find(kPost, rig.now)->attempts, 1);
}

TEST(OneShot, ARetryKeepsItsRemainingTimeOverARestart) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.Move(minutes(2));
  rig.Restart();
  EXPECT_EQ(rig.Left(kPost), minutes(3));
  rig.Move(minutes(10));
  rig.Restart();
  EXPECT_TRUE(rig.Runs(kPost));
}

// ---- removal

TEST(OneShot, VanishesWithItsServiceWorkerRegistration) {
  Rig rig;
  rig.Register(kPost);
  rig.GoOffline();
  rig.Register(Rig::Sync("waits"));
  rig.Register(Rig::Sync("other", 2));
  const auto running = rig.dispatched.back().token;
  rig.Step(input::WorkerRegistrationDeleted{99, 1});
  EXPECT_TRUE(rig.Succeeded(99));
  EXPECT_EQ(rig.engine->size(), 1U);
  rig.Step(input::DispatchFinished{running, DispatchOutcome::kRejected, ""});
  EXPECT_EQ(rig.engine->size(), 1U);
  EXPECT_EQ(rig.engine->firing(), 0U);
  EXPECT_EQ(rig.disk.size(), 1U);
}

TEST(OneShot, VanishesWhenItsOriginIsClearedEvenWhileItRuns) {
  Rig rig;
  rig.Register(kPost);
  rig.Register(Rig::Sync("second worker", 2));
  rig.Register(Rig::Sync("x", 3), kNews);
  rig.Step(input::OriginCleared{98, kShop});
  EXPECT_TRUE(rig.Succeeded(98));
  EXPECT_EQ(rig.disk.size(), 1U);
  EXPECT_EQ(rig.engine->size(), 1U);
}

TEST(OneShot, RevokedPermissionErasesFromDiskToo) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  rig.policy.denied.insert({kShop, SyncKind::kOneShot});
  rig.Step(input::PermissionChanged{kShop});
  EXPECT_TRUE(rig.disk.empty());
  rig.policy.denied.clear();
  rig.network.online = true;
  rig.Restart();
  EXPECT_TRUE(rig.dispatched.empty());
}

TEST(OneShot, RevokedPermissionCanAlsoOnlyHold) {
  Parameters parameters;
  parameters.revocation_erases = false;
  Rig rig(parameters);
  rig.GoOffline();
  rig.Register(kPost);
  rig.policy.denied.insert({kShop, SyncKind::kOneShot});
  rig.Step(input::PermissionChanged{""});
  rig.GoOnline();
  EXPECT_EQ(rig.Reason(kPost), "permission-denied");
  EXPECT_TRUE(rig.dispatched.empty());
  rig.policy.denied.clear();
  rig.Step(input::PermissionChanged{kShop});
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(OneShot, PermissionIsCheckedAgainAtFireTime) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  rig.policy.denied.insert({kShop, SyncKind::kOneShot});  // nobody told the engine
  rig.GoOnline();
  EXPECT_TRUE(rig.dispatched.empty());
}

TEST(OneShot, RegisteredAgainItsCallersTimeBeginsWithTheReply) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.acknowledge = false;
  rig.write_at_once = false;
  rig.Register(kPost);
  rig.Advance(minutes(1));  // a slow disk
  rig.Write();
  EXPECT_FALSE(rig.Runs(kPost)) << "its caller has not even seen the reply";
  EXPECT_EQ(rig.Reason(kPost), "not-acknowledged");
  rig.Advance(seconds(10));
  EXPECT_TRUE(rig.Runs(kPost));
}

}  // namespace
}  // namespace vigil::testing
