#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const RegistrationKey kPost = Rig::Sync("sync-post");

TEST(StoreFailure, RefusesTheRegistrationThatCouldNotBeStored) {
  Rig rig;
  rig.disk_full = true;
  const auto token = rig.Register(kPost);
  EXPECT_EQ(*rig.replies.at(token).error, (DomError{"UnknownError", "Background Sync is disabled."}));
  EXPECT_EQ(rig.State(kPost), "gone");
  EXPECT_FALSE(rig.engine->store_status().ok);
  EXPECT_EQ(rig.ErrorOf(rig.Register(Rig::Periodic("p"))), "UnknownError");
}

TEST(StoreFailure, LeavesReadingAndTheReasonOpen) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  rig.disk_full = true;
  rig.Register(Rig::Sync("other"));
  EXPECT_THAT(rig.Tags(SyncKind::kOneShot), ElementsAre("sync-post"));
  const auto explanation = rig.engine->Explain(kPost, rig.now);
  EXPECT_EQ(explanation->reason, WaitReason::kStoreFailed);
  EXPECT_THAT(explanation->sentence, HasSubstr("disk full"));
  rig.GoOnline();
  EXPECT_FALSE(rig.Runs(kPost)) << "its end could not be stored";
}

TEST(StoreFailure, RecoversByItselfAndCatchesUp) {
  Rig rig;
  rig.Register(kPost);
  rig.Register(Rig::Sync("kept"));
  rig.disk_full = true;
  rig.Finish(kPost);
  EXPECT_EQ(rig.disk.count(kPost), 1U) << "the disk does not know yet";
  rig.Finish(Rig::Sync("kept"), DispatchOutcome::kRejected);
  rig.Advance(seconds(30));
  EXPECT_FALSE(rig.engine->store_status().ok) << "it has tried and failed again";
  rig.disk_full = false;
  rig.Advance(seconds(10));
  EXPECT_TRUE(rig.engine->store_status().ok);
  EXPECT_EQ(rig.disk.count(kPost), 0U);
  EXPECT_EQ(rig.disk.at(Rig::Sync("kept")).attempts, 1);
  EXPECT_TRUE(rig.Succeeded(rig.Register(kPost)));
}

TEST(StoreFailure, CanBeToldThatTheDiskIsFreeAgain) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  rig.disk_full = true;
  rig.Register(Rig::Sync("other"));
  rig.disk_full = false;
  rig.network.online = true;
  rig.Step(input::StoreRecovered{});
  EXPECT_TRUE(rig.Runs(kPost));
  EXPECT_EQ(rig.disk.count(Rig::Sync("other")), 0U);
}

TEST(StoreFailure, ACrashMeanwhileRunsTheEventAgain) {
  Rig rig;
  rig.Register(kPost);
  rig.disk_full = true;
  rig.Finish(kPost);
  rig.disk_full = false;
  rig.Restart();
  EXPECT_TRUE(rig.Runs(kPost)) << "at least once";
}

TEST(StoreFailure, ChangesDuringTheProbeAreStoredAfterIt) {
  Rig rig;
  rig.Register(kPost);
  rig.Register(Rig::Sync("b"));
  rig.disk_full = true;
  rig.Finish(kPost);
  rig.disk_full = false;
  rig.write_at_once = false;
  rig.Step(input::StoreRecovered{});
  rig.Finish(Rig::Sync("b"), DispatchOutcome::kRejected);
  rig.Write();
  EXPECT_TRUE(rig.engine->store_status().ok);
  EXPECT_EQ(rig.disk.at(Rig::Sync("b")).attempts, 0);
  rig.Write();
  EXPECT_EQ(rig.disk.at(Rig::Sync("b")).attempts, 1);
}

TEST(StoreFailure, UnregisteringWaitsForTheRemovalThatIsUnderWay) {
  Rig rig;
  rig.Register(Rig::Periodic("p"));
  rig.write_at_once = false;
  rig.Unregister("p");
  const auto second = rig.Unregister("p");
  EXPECT_EQ(rig.ErrorOf(second), "no reply yet");
  rig.Write();
  EXPECT_TRUE(rig.Succeeded(second));
}

TEST(StoreFailure, NothingFiresBetweenAChangeAndItsWrite) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.write_at_once = false;
  rig.Register(kPost);  // waiting: fires now, once that is stored
  rig.Step(input::Acknowledge{1, "sync-post"});
  EXPECT_FALSE(rig.Runs(kPost));
  rig.Write();
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(StoreFailure, TellsOfARemovalAlsoWhileTheStoreIsBeingTried) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  rig.disk_full = true;
  rig.Register(Rig::Sync("other"));
  rig.write_at_once = false;
  rig.Step(input::StoreRecovered{});  // the probe is on its way
  rig.policy.denied.insert({kShop, SyncKind::kOneShot});
  rig.Step(input::PermissionChanged{kShop});
  EXPECT_EQ(rig.LogLines().back(), "Registration removed [Reason=permission denied]");
  rig.Step(input::WorkerRegistrationDeleted{77, 1});
  EXPECT_EQ(rig.ErrorOf(77), "UnknownError") << "its removal is not part of the probe";
}

TEST(StoreFailure, ACallerIsNotAnsweredBeforeAWriteThatItsOwnStepCollects) {
  Rig rig;
  rig.write_at_once = false;
  rig.Register(Rig::Periodic("p"));
  rig.now.wall -= hours(5);  // the same step notices that and stores the moved time
  const auto again = rig.Register(Rig::Periodic("p"));
  EXPECT_EQ(rig.ErrorOf(again), "no reply yet");
  rig.Write();
  EXPECT_EQ(rig.ErrorOf(again), "no reply yet");
  rig.Write();
  EXPECT_TRUE(rig.Succeeded(again));
}

}  // namespace
}  // namespace vigil::testing
