// Every reason why a registration is not running: each is driven here, is true (taking it away lets the event
// run), says in words what is the matter, and names a time exactly where time alone will end it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

using ::testing::HasSubstr;

const RegistrationKey kPost = Rig::Sync("post");
const RegistrationKey kFeed = Rig::Periodic("feed");
constexpr Duration kNoTime = seconds(-1);

struct Case {
  WaitReason reason;
  RegistrationKey key;
  std::string words;                  // part of the sentence
  Duration left;                      // until its next time; kNoTime: not a matter of time
  std::function<void(Rig&)> arrange;  // brings it about
  std::function<void(Rig&)> end;      // takes the reason away; then it runs
  Parameters parameters = {};
};

Case With(Case one, const std::function<void(Parameters&)>& change) {
  change(one.parameters);
  return one;
}

void RegisterDuePeriodic(Rig& rig) {
  rig.GoOffline();
  rig.Register(kFeed, kShop, hours(12));
  rig.Advance(hours(12));
}

std::vector<Case> OneShotCases() {
  return {
      {WaitReason::kOffline, kPost, "offline: waiting for the network", kNoTime,
       [](Rig& rig) {
         rig.GoOffline();
         rig.Register(kPost);
       },
       [](Rig& rig) { rig.GoOnline(); }},
      {WaitReason::kEmulatedOffline, kPost, "developer tools", kNoTime,
       [](Rig& rig) {
         rig.Step(input::EmulateOffline{1, true});
         rig.Register(kPost);
       },
       [](Rig& rig) {
         rig.Step(input::EmulateOffline{1, false});
       }},
      {WaitReason::kNotAcknowledged, kPost, "has seen that register() succeeded", seconds(10),
       [](Rig& rig) {
         rig.acknowledge = false;
         rig.Register(kPost);
       },
       [](Rig& rig) {
         rig.Step(input::Acknowledge{1, "post"});
       }},
      {WaitReason::kStoring, kPost, "being written to disk", kNoTime,
       [](Rig& rig) {
         rig.write_at_once = false;
         rig.Register(kPost);
       },
       [](Rig& rig) {
         rig.Write();
         rig.Step(input::Acknowledge{1, "post"});
       }},
      {WaitReason::kStoreFailed, kPost, "cannot be stored at present, so nothing fires: disk full",
       seconds(10),
       [](Rig& rig) {
         rig.GoOffline();
         rig.Register(kPost);
         rig.disk_full = true;
         rig.Register(Rig::Sync("other"));
         rig.GoOnline();
       },
       [](Rig& rig) {
         rig.disk_full = false;
         rig.Advance(seconds(10));
       }},
      {WaitReason::kRetry, kPost, "waiting for retry: attempt 2 of 3 at 2024-10-04", minutes(5),
       [](Rig& rig) {
         rig.Register(kPost);
         rig.Finish(kPost, DispatchOutcome::kRejected);
       },
       [](Rig& rig) { rig.Advance(minutes(5)); }},
      {WaitReason::kOwnFailure, kPost, "could not start the event (1 times); attempt 1 of 3", seconds(1),
       [](Rig& rig) {
         rig.Register(kPost);
         rig.Finish(kPost, DispatchOutcome::kNotStarted);
       },
       [](Rig& rig) { rig.Advance(seconds(1)); }},
      With({WaitReason::kPermissionDenied, kPost, "permission denied: background-sync", kNoTime,
            [](Rig& rig) {
              rig.GoOffline();
              rig.Register(kPost);
              rig.policy.denied.insert({kShop, SyncKind::kOneShot});
              rig.Step(input::PermissionChanged{kShop});
              rig.GoOnline();
            },
            [](Rig& rig) {
              rig.policy.denied.clear();
              rig.Step(input::PermissionChanged{kShop});
            }},
           [](Parameters& parameters) { parameters.revocation_erases = false; }),
      With({WaitReason::kQueued, kPost, "max_parallel_events", kNoTime,
            [](Rig& rig) {
              rig.Register(Rig::Sync("first"));
              rig.Register(kPost);
            },
            [](Rig& rig) { rig.Finish(Rig::Sync("first")); }},
           [](Parameters& parameters) { parameters.max_parallel_events = 1; }),
  };
}

std::vector<Case> PeriodicCases() {
  return {
      {WaitReason::kPeriod, kFeed, "waiting for its period to end at 2024-10-04", hours(12),
       [](Rig& rig) { rig.Register(kFeed, kShop, hours(12)); }, [](Rig& rig) { rig.Advance(hours(12)); }},
      {WaitReason::kSuspended, kFeed, "suspended: no engagement", kNoTime,
       [](Rig& rig) {
         rig.policy.engagement[kShop] = EngagementLevel::kNone;
         rig.Register(kFeed, kShop, hours(12));
       },
       [](Rig& rig) {
         rig.policy.engagement.clear();
         rig.Step(input::EngagementChanged{kShop});
         rig.Advance(hours(12));
       }},
      {WaitReason::kUnknownNetwork, kFeed, "never used on this network", kNoTime,
       [](Rig& rig) {
         RegisterDuePeriodic(rig);
         rig.network.unknown_to.insert(kShop);
         rig.GoOnline();
       },
       [](Rig& rig) {
         rig.network.unknown_to.clear();
         rig.Step(input::NetworkChanged{});
       }},
      {WaitReason::kNotInstalled, kFeed, "not installed", kNoTime,
       [](Rig& rig) {
         RegisterDuePeriodic(rig);
         rig.policy.uninstalled.insert(kShop);  // nobody told the engine
         rig.GoOnline();
       },
       [](Rig& rig) {
         rig.policy.uninstalled.clear();
         rig.Step(input::AppInstalled{kShop});
       }},
      {WaitReason::kAcrossOrigins, kFeed, "another app's periodic sync ran lately", hours(11),
       [](Rig& rig) {
         rig.Register(Rig::Periodic("news", 2), kNews, hours(12));
         rig.Advance(hours(1));
         rig.Register(kFeed, kShop, hours(12));
         rig.Advance(hours(11));
         rig.Finish(Rig::Periodic("news", 2));
         rig.Advance(hours(1));
       },
       [](Rig& rig) { rig.Advance(hours(11)); }},
  };
}

void Check(const Case& one) {
  SCOPED_TRACE(WaitReasonName(one.reason));
  Rig rig(one.parameters);
  one.arrange(rig);
  const auto explanation = rig.engine->Explain(one.key, rig.now);
  ASSERT_TRUE(explanation);
  EXPECT_STREQ(WaitReasonName(explanation->reason), WaitReasonName(one.reason));
  EXPECT_THAT(explanation->sentence, HasSubstr(one.words));
  EXPECT_EQ(rig.Left(one.key), one.left);
  EXPECT_FALSE(rig.Runs(one.key));
  one.end(rig);
  EXPECT_TRUE(rig.Runs(one.key)) << "it was not the reason: " << rig.Reason(one.key);
}

TEST(Reasons, OfOneShotRegistrationsAreTrueAndEndWithTheirCause) {
  for (const Case& one : OneShotCases()) Check(one);
}

TEST(Reasons, OfPeriodicRegistrationsAreTrueAndEndWithTheirCause) {
  for (const Case& one : PeriodicCases()) Check(one);
}

TEST(Reasons, SayThatItIsRunning) {
  Rig rig;
  rig.Register(kPost);
  const auto explanation = rig.engine->Explain(kPost, rig.now);
  ASSERT_TRUE(explanation);
  EXPECT_EQ(explanation->reason, WaitReason::kRunning);
  EXPECT_EQ(explanation->sentence, "running, attempt 1 of 3");
}

TEST(Reasons, SayThatEverythingIsSwitchedOff) {
  Rig rig;
  rig.GoOffline();
  rig.Register(kPost);
  rig.parameters.disabled = true;
  rig.network.online = true;
  rig.Restart();
  EXPECT_EQ(rig.Reason(kPost), "disabled");
  EXPECT_THAT(rig.engine->Explain(kPost, rig.now)->sentence, HasSubstr("switched off"));
  rig.parameters.disabled = false;
  rig.Restart();
  EXPECT_TRUE(rig.Runs(kPost));
}

// Between two steps only: what is ready is started by the next one.
TEST(Reasons, SayThatItStartsWithTheNextStep) {
  Rig rig;
  rig.Register(kFeed, kShop, hours(12));
  rig.Move(hours(12));
  EXPECT_EQ(rig.Reason(kFeed), "ready");
  rig.Step(input::Tick{});
  EXPECT_TRUE(rig.Runs(kFeed));
}

TEST(Reasons, AreAllDrivenHere) {
  std::set<WaitReason> driven = {WaitReason::kRunning, WaitReason::kDisabled, WaitReason::kReady};
  for (const Case& one : OneShotCases()) driven.insert(one.reason);
  for (const Case& one : PeriodicCases()) driven.insert(one.reason);
  for (int number = 0; number <= static_cast<int>(WaitReason::kQueued); ++number) {
    const auto reason = static_cast<WaitReason>(number);
    EXPECT_EQ(driven.count(reason), 1U) << WaitReasonName(reason);
  }
}

// A denied permission is the better answer even while a retry waits for its time.
TEST(Reasons, WhatLastsLongestComesFirst) {
  Parameters parameters;
  parameters.revocation_erases = false;
  Rig rig(parameters);
  rig.Register(kPost);
  rig.Finish(kPost, DispatchOutcome::kRejected);
  rig.GoOffline();
  EXPECT_EQ(rig.Reason(kPost), "waiting-for-retry");
  rig.policy.denied.insert({kShop, SyncKind::kOneShot});
  rig.Step(input::PermissionChanged{kShop});
  EXPECT_EQ(rig.Reason(kPost), "permission-denied");
}

}  // namespace
}  // namespace vigil::testing
