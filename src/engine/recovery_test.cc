// After a crash, a restart, a store that failed: what is still there and what goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const RegistrationKey kPost = Rig::Sync("sync-post");

TEST(Recovery, TwoWorkersKeepTheirOwnRegistrationsAndOrigins) {
  Rig rig;
  rig.GoOffline();
  rig.Register(Rig::Sync("shared tag", 1));
  rig.Register(Rig::Sync("shared tag", 2), kNews);
  rig.Register(Rig::Periodic("feed", 2), kNews, hours(12));
  rig.Restart();
  EXPECT_THAT(rig.Tags(SyncKind::kOneShot, 1), ElementsAre("shared tag"));
  EXPECT_THAT(rig.Tags(SyncKind::kPeriodic, 1), IsEmpty());
  EXPECT_THAT(rig.Tags(SyncKind::kPeriodic, 2), ElementsAre("feed"));
  EXPECT_EQ(rig.engine->Find(Rig::Sync("shared tag", 1), rig.now)->origin, kShop);
  EXPECT_EQ(rig.engine->Find(Rig::Sync("shared tag", 2), rig.now)->origin, kNews);
}

TEST(Recovery, ARunThatWasCutOffRunsAgainAndThenFailsForGood) {
  Parameters parameters;
  parameters.max_attempts = 1;
  Rig rig(parameters);
  rig.Register(kPost);
  ASSERT_TRUE(rig.Runs(kPost));
  rig.Restart();
  ASSERT_TRUE(rig.Runs(kPost));
  EXPECT_TRUE(rig.dispatched.back().last_chance);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  EXPECT_EQ(rig.State(kPost), "gone");
  EXPECT_THAT(rig.disk, IsEmpty());
}

TEST(Recovery, ARetryThatFellDueMeanwhileRunsAtTheStart) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.Move(minutes(6));
  rig.Restart();
  ASSERT_TRUE(rig.Runs(kPost));
  EXPECT_EQ(rig.engine->Find(kPost, rig.now)->attempts, 1);
}

TEST(Recovery, ARetryThatIsNotYetDueIsArmedForWhatIsLeft) {
  Rig rig;
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.Move(minutes(2));
  rig.Restart();
  EXPECT_FALSE(rig.Runs(kPost));
  EXPECT_EQ(rig.engine->next_wake(), rig.now.mono + minutes(3));
  rig.Advance(minutes(3));
  EXPECT_TRUE(rig.Runs(kPost));
}

// ---- a store that fails

TEST(Recovery, AStoreFailureIsOverAfterARestart) {
  Rig rig;
  rig.disk_full = true;
  EXPECT_EQ(rig.ErrorOf(rig.Register(kPost)), "UnknownError");
  rig.disk_full = false;
  EXPECT_EQ(rig.ErrorOf(rig.Register(kPost)), "UnknownError") << "until the store is tried again";
  rig.Restart();
  EXPECT_TRUE(rig.Succeeded(rig.Register(kPost)));
  EXPECT_TRUE(rig.Runs(kPost));
}

TEST(Recovery, UnregisteringFailsWithTheDiskAndWorksAfterARestart) {
  Rig rig;
  rig.Register(Rig::Periodic("feed"), kShop, hours(12));
  rig.disk_full = true;
  EXPECT_EQ(rig.ErrorOf(rig.Unregister("feed")), "UnknownError");
  rig.disk_full = false;
  rig.Restart();
  EXPECT_THAT(rig.Tags(SyncKind::kPeriodic), ElementsAre("feed")) << "the caller was told that it failed";
  EXPECT_TRUE(rig.Succeeded(rig.Unregister("feed")));
  EXPECT_THAT(rig.disk, IsEmpty());
}

TEST(Recovery, AnEndThatCannotBeStoredHoldsEveryWorkerUntilTheDiskIsBack) {
  Rig rig;
  rig.Register(kPost);
  rig.GoOffline();
  rig.Register(Rig::Sync("other", 2));
  rig.disk_full = true;
  rig.Finish(kPost);
  rig.GoOnline();
  EXPECT_FALSE(rig.Runs(Rig::Sync("other", 2)));
  EXPECT_EQ(rig.ErrorOf(rig.Register(Rig::Sync("third", 3))), "UnknownError");
  rig.disk_full = false;
  rig.Advance(seconds(10));
  EXPECT_TRUE(rig.Runs(Rig::Sync("other", 2)));
  EXPECT_TRUE(rig.Succeeded(rig.Register(Rig::Sync("third", 3))));
}

// ---- switched off

TEST(Recovery, SwitchedOffStaysSoWhenAnOriginIsCleared) {
  Parameters parameters;
  parameters.disabled = true;
  Rig rig(parameters);
  rig.Step(input::OriginCleared{0, kShop});
  EXPECT_EQ(rig.ErrorOf(rig.Register(kPost)), "UnknownError");
  rig.Restart();
  EXPECT_EQ(rig.ErrorOf(rig.Register(kPost)), "UnknownError");
}

}  // namespace
}  // namespace vigil::testing
