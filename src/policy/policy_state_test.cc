#include "policy/policy_state.h"

#include <gtest/gtest.h>

namespace vigil::policy {
namespace {

const std::string kApp = "https://app.example";

TEST(Permissions, BackgroundSyncIsAllowedByDefaultOnSecureOriginsOnly) {
  const PolicyState state{Parameters{}};
  EXPECT_EQ(state.Decide(kApp, "background-sync"), Permission::kGranted);
  EXPECT_EQ(state.Decide("http://app.example", "background-sync"), Permission::kDenied);
  EXPECT_EQ(state.Decide("http://localhost:8080", "background-sync"), Permission::kGranted);
  EXPECT_FALSE(state.Decide(kApp, "camera"));
}

TEST(Permissions, ADenialIsPerOrigin) {
  PolicyState state{Parameters{}};
  EXPECT_TRUE(state.SetPermission(kApp, "background-sync", false));
  EXPECT_FALSE(state.Allowed(kApp, SyncKind::kOneShot));
  EXPECT_TRUE(state.Allowed("https://other.example", SyncKind::kOneShot));
  state.SetPermission(kApp, "background-sync", std::nullopt);
  EXPECT_TRUE(state.Allowed(kApp, SyncKind::kOneShot));
  EXPECT_FALSE(state.SetPermission(kApp, "camera", true));
}

TEST(Permissions, PeriodicNeedsAnInstalledAppAndNeverPrompts) {
  PolicyState state{Parameters{}};
  EXPECT_EQ(state.Decide(kApp, "periodic-background-sync"), Permission::kDenied);
  state.SetPermission(kApp, "periodic-background-sync", true);
  EXPECT_EQ(state.Decide(kApp, "periodic-background-sync"), Permission::kDenied)
      << "a setting does not install";
  state.SetInstalled(kApp, true);
  EXPECT_EQ(state.Decide(kApp, "periodic-background-sync"), Permission::kGranted);
  state.SetInstalled(kApp, false);
  EXPECT_EQ(state.Decide(kApp, "periodic-background-sync"), Permission::kDenied);
}

TEST(Permissions, PeriodicFollowsTheOneShotSettingAndItsOwn) {
  PolicyState state{Parameters{}};
  state.SetInstalled(kApp, true);
  state.SetPermission(kApp, "background-sync", false);
  EXPECT_EQ(state.Decide(kApp, "periodic-background-sync"), Permission::kDenied);
  EXPECT_FALSE(state.Allowed(kApp, SyncKind::kPeriodic));
  state.SetPermission(kApp, "background-sync", true);
  state.SetPermission(kApp, "periodic-background-sync", false);
  EXPECT_EQ(state.Decide(kApp, "periodic-background-sync"), Permission::kDenied);
  EXPECT_TRUE(state.Allowed(kApp, SyncKind::kOneShot));
}

TEST(Permissions, NotificationsPromptUntilTheUserChose) {
  PolicyState state{Parameters{}};
  EXPECT_EQ(state.Decide(kApp, "notifications"), Permission::kPrompt);
  EXPECT_FALSE(state.NotificationsAllowed(kApp));
  state.SetPermission(kApp, "notifications", true);
  EXPECT_TRUE(state.NotificationsAllowed(kApp));
}

TEST(Permissions, TrustworthyOriginsAreHttpsAndLoopback) {
  for (const char* yes :
       {"https://a.example", "http://localhost", "http://localhost:1", "http://x.localhost:80",
        "http://127.0.0.1:8080", "http://127.1.2.3", "http://[::1]:80", "http://[::1]"}) {
    EXPECT_TRUE(IsPotentiallyTrustworthyOrigin(yes)) << yes;
  }
  for (const char* no :
       {"http://a.example", "http://localhost.example", "http://127.0.0.1.example", "http://notlocalhost",
        "http://[::2]", "http://[::1].example", "ftp://localhost", "null", "", "https://"}) {
    EXPECT_FALSE(IsPotentiallyTrustworthyOrigin(no)) << no;
  }
}

TEST(KnownNetworks, AreThoseOnWhichTheAppWasUsed) {
  PolicyState state{Parameters{}};
  EXPECT_FALSE(state.Online()) << "nothing is known yet";
  EXPECT_FALSE(state.NoteUseOnNetwork(kApp)) << "offline there is no network to remember";
  state.SetNetwork(true, "gw:home");
  EXPECT_FALSE(state.KnownNetwork(kApp));
  EXPECT_TRUE(state.NoteUseOnNetwork(kApp));
  EXPECT_FALSE(state.NoteUseOnNetwork(kApp)) << "nothing new to store";
  EXPECT_TRUE(state.KnownNetwork(kApp));
  EXPECT_FALSE(state.KnownNetwork("https://other.example"));
  state.SetNetwork(true, "gw:cafe");
  EXPECT_FALSE(state.KnownNetwork(kApp));
  state.LoadKnownNetwork(kApp, "gw:cafe");
  EXPECT_TRUE(state.KnownNetwork(kApp));
  state.ForgetOrigin(kApp);
  EXPECT_FALSE(state.KnownNetwork(kApp));
}

TEST(PolicyState, AnswersTheEngineFromSiteEngagement) {
  PolicyState state{Parameters{}};
  const WallTime noon(std::chrono::hours(24) * 20000);
  const Now now{noon, MonoTime{}};
  EXPECT_EQ(state.Engagement(kApp, now), EngagementLevel::kNone);
  state.engagement().RecordLaunch(kApp, noon);
  EXPECT_EQ(state.Engagement(kApp, now), EngagementLevel::kLow);
}

TEST(Permissions, OneAppOfTheOriginIsEnoughForAllOfIt) {
  PolicyState state{Parameters{}};
  state.SetInstalled("https://app.example", true);
  EXPECT_EQ(state.Decide("https://app.example", "periodic-background-sync"), Permission::kGranted);
  EXPECT_EQ(state.Decide("https://app.example:8443", "periodic-background-sync"), Permission::kDenied)
      << "another port is another origin";
  state.SetInstalled("http://app.example", true);
  EXPECT_EQ(state.Decide("http://app.example", "periodic-background-sync"), Permission::kDenied)
      << "an insecure origin, whatever is installed";
}

}  // namespace
}  // namespace vigil::policy
