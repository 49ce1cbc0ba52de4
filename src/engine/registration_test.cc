// What a registration is, how it is found, and what takes it away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const RegistrationKey kPost = Rig::Sync("sync-post");
const RegistrationKey kFeed = Rig::Periodic("feed");

std::vector<std::string> Announcements(const Rig& rig) {
  std::vector<std::string> origins;
  for (const auto& record : rig.log) {
    if (record.event_name.rfind("Registered", 0) == 0) origins.push_back(record.origin + " " + record.tag);
  }
  return origins;
}

TEST(Registration, KeepsWhatItWasGiven) {
  Rig rig;
  rig.GoOffline();
  rig.Register(Rig::Sync("a", 4), kNews);
  rig.Register(Rig::Periodic("a", 4), kNews, hours(13));
  const auto one_shot = rig.engine->Find(Rig::Sync("a", 4), rig.now);
  const auto periodic = rig.engine->Find(Rig::Periodic("a", 4), rig.now);
  ASSERT_TRUE(one_shot && periodic);
  EXPECT_EQ(one_shot->key, Rig::Sync("a", 4));
  EXPECT_EQ(one_shot->origin, kNews);
  EXPECT_EQ(one_shot->min_interval_ms, -1);
  EXPECT_EQ(periodic->key, Rig::Periodic("a", 4));
  EXPECT_EQ(periodic->origin, kNews);
  EXPECT_EQ(periodic->min_interval_ms, 13 * 3'600'000);
  EXPECT_EQ(periodic->attempts, 0);
}

TEST(Registration, IsAnotherOneWhenWorkerKindOrTagDiffers) {
  EXPECT_EQ(Rig::Sync("a"), Rig::Sync("a"));
  EXPECT_FALSE(Rig::Sync("a") == Rig::Sync("b"));
  EXPECT_FALSE(Rig::Sync("a") == Rig::Sync("a", 2));
  EXPECT_FALSE(Rig::Sync("a") == Rig::Periodic("a"));
}

TEST(Registration, IsFoundByItsTagAndNothingElseIs) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  rig.Register(kFeed, kShop, hours(12));
  EXPECT_TRUE(rig.engine->Find(kPost, rig.now));
  EXPECT_TRUE(rig.engine->Find(kFeed, rig.now));
  EXPECT_FALSE(rig.engine->Find(Rig::Sync("feed"), rig.now));
  EXPECT_FALSE(rig.engine->Find(Rig::Periodic("sync-post"), rig.now));
  EXPECT_FALSE(rig.engine->Find(Rig::Sync("sync-post", 2), rig.now));
}

TEST(Registration, TheEmptyTagIsFoundUnderEitherKind) {
  Rig rig;
  rig.GoOffline();
  EXPECT_TRUE(rig.Succeeded(rig.Register(Rig::Sync(""))));
  EXPECT_TRUE(rig.Succeeded(rig.Register(Rig::Periodic(""), kShop, hours(12))));
  EXPECT_THAT(rig.Tags(SyncKind::kOneShot), ElementsAre(""));
  EXPECT_THAT(rig.Tags(SyncKind::kPeriodic), ElementsAre(""));
  rig.GoOnline();
  EXPECT_TRUE(rig.Runs(Rig::Sync("")));
}

TEST(Registration, TagListsHoldNoneOneAndTwo) {
  for (const SyncKind kind : {SyncKind::kOneShot, SyncKind::kPeriodic}) {
    Rig rig;
    rig.GoOffline();
    EXPECT_THAT(rig.Tags(kind), IsEmpty());
    rig.Register({1, kind, "b"}, kShop, hours(12));
    EXPECT_THAT(rig.Tags(kind), ElementsAre("b"));
    rig.Register({1, kind, "a"}, kShop, hours(12));
    EXPECT_THAT(rig.Tags(kind), ElementsAre("a", "b"));
  }
}

TEST(Registration, AgainSucceedsAndLeavesOneOfEachTag) {
  Rig rig;
  rig.GoOffline();
  for (int i = 0; i < 2; ++i) {
    for (const char* tag : {"first", "second"}) {
      EXPECT_TRUE(rig.Succeeded(rig.Register(Rig::Sync(tag))));
      EXPECT_TRUE(rig.Succeeded(rig.Register(Rig::Periodic(tag), kShop, hours(12))));
    }
  }
  EXPECT_THAT(rig.Tags(SyncKind::kOneShot), ElementsAre("first", "second"));
  EXPECT_THAT(rig.Tags(SyncKind::kPeriodic), ElementsAre("first", "second"));
  EXPECT_EQ(rig.disk.size(), 4U);
}

TEST(Registration, IsAnnouncedOnceWithItsOrigin) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  rig.Register(kPost);
  rig.Register(Rig::Periodic("feed", 2), kNews, hours(12));
  rig.Register(Rig::Periodic("feed", 2), kNews, hours(12));
  EXPECT_THAT(Announcements(rig), ElementsAre(kShop + " sync-post", kNews + " feed"));
}

// Notes what it is asked.
class AskedPolicy final : public MemoryPolicy {
 public:
  bool Allowed(const std::string& origin, SyncKind kind) const override {
    asked.insert(origin + " " + SyncKindName(kind));
    return MemoryPolicy::Allowed(origin, kind);
  }
  bool NotificationsAllowed(const std::string& origin) const override {
    asked.insert(origin + " notifications");
    return MemoryPolicy::NotificationsAllowed(origin);
  }
  mutable std::set<std::string> asked;
};

TEST(Registration, AsksForThePermissionOfItsOwnKindAndForNotifications) {
  for (const SyncKind kind : {SyncKind::kOneShot, SyncKind::kPeriodic}) {
    AskedPolicy policy;
    MemoryNetwork network;
    network.online = false;
    SeededRandom random;
    Engine engine(Parameters(), Ports{policy, network, random});
    const Now now{WallTime(hours(24) * 20000), MonoTime(hours(1))};
    engine.Step(input::Restore{}, now);
    engine.Step(input::Register{1, {1, kind, "t"}, kNews, 0}, now);
    EXPECT_THAT(policy.asked, ElementsAre(kNews + " notifications", kNews + " " + SyncKindName(kind)));
  }
}

TEST(Registration, AcknowledgingWhatDoesNotExistDoesNothing) {
  Rig rig;
  rig.Step(input::Acknowledge{1, "never registered"});
  rig.Step(input::Acknowledge{77, "sync-post"});
  EXPECT_EQ(rig.engine->size(), 0U);
  EXPECT_THAT(rig.dispatched, IsEmpty());
  EXPECT_THAT(rig.log, IsEmpty());
  EXPECT_THAT(rig.disk, IsEmpty());
}

TEST(Registration, ANegativeIntervalIsRefused) {
  Rig rig;
  EXPECT_EQ(rig.ErrorOf(rig.Register(kFeed, kShop, -milliseconds(1))), "InvalidAccessError");
  EXPECT_EQ(rig.engine->size(), 0U);
}

TEST(Registration, PeriodicOnesThatAreDueTogetherStartInTheOrderOfTheirTags) {
  Rig rig;
  rig.Register(Rig::Periodic("foo"), kShop, hours(12));
  rig.Register(Rig::Periodic("bar"), kShop, hours(12));
  rig.Advance(hours(12));
  EXPECT_THAT(rig.DispatchedTags(), ElementsAre("bar", "foo"));
}

// ---- removal

TEST(Registration, UnregisteringOneLeavesTheOthers) {
  Rig rig;
  rig.Register(Rig::Periodic("bar"), kShop, hours(12));
  rig.Register(Rig::Periodic("foo"), kShop, hours(12));
  EXPECT_TRUE(rig.Succeeded(rig.Unregister("foo")));
  EXPECT_THAT(rig.Tags(SyncKind::kPeriodic), ElementsAre("bar"));
  rig.Advance(hours(12));
  EXPECT_THAT(rig.DispatchedTags(), ElementsAre("bar"));
}

TEST(Registration, GoesWithABlockedOriginUnderEveryWorkerAndLeavesOtherOrigins) {
  Rig rig;
  rig.GoOffline();
  rig.Register(Rig::Sync("a", 1));
  rig.Register(Rig::Periodic("a", 1), kShop, hours(12));
  rig.Register(Rig::Periodic("b", 2), kShop, hours(12));
  rig.Register(Rig::Periodic("c", 3), kNews, hours(12));
  rig.policy.denied = {{kShop, SyncKind::kOneShot}, {kShop, SyncKind::kPeriodic}};
  rig.Step(input::PermissionChanged{kShop});
  EXPECT_EQ(rig.engine->size(), 1U);
  EXPECT_EQ(rig.disk.count(Rig::Periodic("c", 3)), 1U);
  EXPECT_EQ(rig.disk.size(), 1U) << "not only in memory";
}

TEST(Registration, OfAnotherWorkerGoesOnWhenAWorkerIsDeletedMidSync) {
  Rig rig;
  rig.Register(kPost);
  const auto running = rig.dispatched.back().token;
  rig.Step(input::WorkerRegistrationDeleted{0, 1});
  rig.Step(input::DispatchFinished{running, DispatchOutcome::kSucceeded, ""});
  EXPECT_EQ(rig.engine->size(), 0U);
  EXPECT_TRUE(rig.Succeeded(rig.Register(Rig::Sync("other", 2))));
  EXPECT_TRUE(rig.Runs(Rig::Sync("other", 2)));
}

TEST(Registration, UnderWayWhenItsWorkerIsDeletedLeavesNothingBehind) {
  Rig rig;
  rig.GoOffline();
  rig.Register(Rig::Sync("older"));
  rig.write_at_once = false;
  const auto token = rig.Register(kPost);
  rig.Step(input::WorkerRegistrationDeleted{0, 1});
  EXPECT_EQ(rig.engine->size(), 0U);
  EXPECT_EQ(rig.ErrorOf(token), "no reply yet");
  rig.Write();
  EXPECT_TRUE(rig.Succeeded(token)) << "it was made, and then it went with its worker";
  rig.Write();
  EXPECT_THAT(rig.disk, IsEmpty());
  rig.GoOnline();
  rig.Restart();
  EXPECT_THAT(rig.dispatched, IsEmpty());
}

TEST(Registration, NothingIsLeftWhenEveryOriginIsCleared) {
  Rig rig;
  rig.Register(kPost);  // runs
  rig.GoOffline();
  rig.Register(Rig::Sync("waits"));
  rig.Register(Rig::Periodic("feed", 2), kNews, hours(12));
  rig.Step(input::OriginCleared{0, kShop});
  rig.Step(input::OriginCleared{0, kNews});
  EXPECT_EQ(rig.engine->size(), 0U);
  EXPECT_THAT(rig.disk, IsEmpty());
  rig.GoOnline();
  rig.Advance(hours(100));
  EXPECT_EQ(rig.dispatched.size(), 1U);
  EXPECT_TRUE(rig.Succeeded(rig.Register(kPost))) << "and the engine is of use at once";
}

TEST(Registration, DeletingAWorkerWithoutAnyIsAnsweredAtOnceWhateverElseTheStepWrites) {
  Rig rig;
  rig.Register(Rig::Periodic("feed", 1), kShop, hours(12));
  rig.policy.engagement[kShop] = EngagementLevel::kNone;
  rig.Move(hours(12));
  rig.write_at_once = false;
  rig.Step(input::WorkerRegistrationDeleted{77, 2});
  EXPECT_EQ(rig.State(Rig::Periodic("feed", 1)), "suspended");
  EXPECT_FALSE(rig.waiting.empty());
  EXPECT_EQ(rig.ErrorOf(77), "");
}

}  // namespace
}  // namespace vigil::testing
