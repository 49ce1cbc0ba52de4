// The exceptions that callers see, with the words that browsers use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DomError Refused(Rig& rig, const RegistrationKey& key) {
  const auto token = rig.Register(key);
  return rig.replies.at(token).error.value_or(DomError{"", ""});
}

const DomError kNoWindow{"InvalidAccessError",
                         "Attempted to register a sync event without a window or registration tag too long."};

TEST(Refusal, WithoutAnActiveWorker) {
  Rig rig;
  rig.worker_active = false;
  const DomError expected{"InvalidStateError", "Registration failed - no active Service Worker"};
  EXPECT_EQ(Refused(rig, Rig::Sync("t")), expected);
  EXPECT_EQ(Refused(rig, Rig::Periodic("t")), expected);
}

TEST(Refusal, WhenThePermissionIsDeniedForEachKindItsOwn) {
  Rig rig;
  const DomError expected{"NotAllowedError", "Permission denied."};
  rig.policy.denied.insert({kShop, SyncKind::kOneShot});
  EXPECT_EQ(Refused(rig, Rig::Sync("t")), expected);
  EXPECT_EQ(Refused(rig, Rig::Periodic("t")).name, "");
  rig.policy.denied = {{kShop, SyncKind::kPeriodic}};
  EXPECT_EQ(Refused(rig, Rig::Periodic("u")), expected);
  EXPECT_EQ(Refused(rig, Rig::Sync("u")).name, "");
}

TEST(Refusal, OfPeriodicSyncForAnAppThatIsNotInstalled) {
  Rig rig;
  rig.policy.uninstalled.insert(kShop);
  EXPECT_EQ(Refused(rig, Rig::Periodic("t")), (DomError{"NotAllowedError", "Permission denied."}));
  EXPECT_EQ(Refused(rig, Rig::Sync("t")).name, "");
}

TEST(Refusal, WithoutAWindowAlsoOfAnExistingRegistration) {
  Rig rig;
  rig.GoOffline();
  rig.Register(Rig::Sync("t"));
  rig.window_open = false;
  EXPECT_EQ(Refused(rig, Rig::Sync("t")), kNoWindow);
  EXPECT_EQ(Refused(rig, Rig::Sync("new")), kNoWindow);
  EXPECT_EQ(Refused(rig, Rig::Periodic("p")), kNoWindow);
}

TEST(Refusal, OfMoreRegistrationsThanAnOriginMayHave) {
  Parameters parameters;
  parameters.max_registration_bytes_per_origin = 2 * 257;
  Rig rig(parameters);
  rig.GoOffline();
  EXPECT_EQ(Refused(rig, Rig::Sync("a")).name, "");
  EXPECT_EQ(Refused(rig, Rig::Periodic("p")).name, "");
  EXPECT_EQ(Refused(rig, Rig::Sync("b")).name, "QuotaExceededError");
  EXPECT_EQ(Refused(rig, Rig::Periodic("q")).name, "QuotaExceededError");
  EXPECT_EQ(Refused(rig, Rig::Sync("a")).name, "") << "it is there already";
  rig.Unregister("p");
  EXPECT_EQ(Refused(rig, Rig::Sync("bb")).name, "QuotaExceededError") << "a byte longer";
  EXPECT_EQ(Refused(rig, Rig::Sync("b")).name, "");
}

TEST(Refusal, OfTagsOver10240BytesOfUtf8) {
  Rig rig;
  EXPECT_EQ(Refused(rig, Rig::Sync(std::string(10240, 'x'))).name, "");
  EXPECT_EQ(Refused(rig, Rig::Sync(std::string(10241, 'x'))), kNoWindow);
  std::string umlauts;
  for (int i = 0; i < 5120; ++i) umlauts += "ä";
  EXPECT_EQ(Refused(rig, Rig::Periodic(umlauts)).name, "");
  EXPECT_EQ(Refused(rig, Rig::Periodic(umlauts + "ä")), kNoWindow);
}

TEST(Refusal, OfTagsThatAreNoText) {
  Rig rig;
  EXPECT_EQ(rig.ErrorOf(rig.Register(Rig::Sync("\xff"))), "InvalidAccessError");
  EXPECT_EQ(rig.ErrorOf(rig.Register(Rig::Periodic("\xed\xa0\x80"), kShop, hours(12))), "InvalidAccessError");
  EXPECT_TRUE(rig.Succeeded(rig.Register(Rig::Sync(std::string("a\0b", 3)))));
  EXPECT_EQ(rig.dispatched.back().key.tag, std::string("a\0b", 3)) << "NUL is a character";
}

TEST(Refusal, SpecificationAndChromiumDifferInWhatIsCheckedFirst) {
  for (const bool chromium : {false, true}) {
    Parameters parameters;
    parameters.client_checked_before_permission = chromium;
    Rig rig(parameters);
    rig.window_open = false;
    rig.policy.denied.insert({kShop, SyncKind::kOneShot});
    EXPECT_EQ(Refused(rig, Rig::Sync("t")).name, chromium ? "InvalidAccessError" : "NotAllowedError");
  }
}

TEST(Refusal, WhileSwitchedOffKeepsTheRegistrations) {
  Rig rig;
  rig.GoOffline();
  rig.Register(Rig::Sync("t"));
  rig.parameters.disabled = true;
  rig.network.online = true;
  rig.Restart();
  EXPECT_EQ(Refused(rig, Rig::Sync("u")), (DomError{"UnknownError", "Background Sync is disabled."}));
  EXPECT_EQ(Refused(rig, Rig::Periodic("u")), (DomError{"UnknownError", "Unknown error."}));
  rig.Step(input::GetTags{77, 1, SyncKind::kOneShot});
  EXPECT_EQ(rig.ErrorOf(77), "UnknownError");
  EXPECT_EQ(rig.Reason(Rig::Sync("t")), "disabled");
  EXPECT_TRUE(rig.dispatched.empty());
  rig.parameters.disabled = false;
  rig.Restart();
  EXPECT_TRUE(rig.Runs(Rig::Sync("t")));
}

TEST(Refusal, OfAServiceWorkerRegistrationOfAnotherOrigin) {
  Rig rig;
  rig.GoOffline();
  rig.Register(Rig::Sync("t"));
  EXPECT_EQ(rig.ErrorOf(rig.Register(Rig::Sync("u"), kNews)), "UnknownError");
}

TEST(Tags, TheEmptyTagIsATag) {
  Rig rig;
  rig.GoOffline();
  rig.Register(Rig::Sync(""));
  EXPECT_THAT(rig.Tags(SyncKind::kOneShot), ElementsAre(""));
}

TEST(Tags, BothKindsHaveTheirOwnNamesAndEachWorkerItsOwn) {
  Rig rig;
  rig.GoOffline();
  rig.Register(Rig::Sync("t"));
  rig.Register(Rig::Periodic("t"));
  rig.Register(Rig::Sync("s"));
  EXPECT_THAT(rig.Tags(SyncKind::kOneShot), ElementsAre("s", "t"));
  EXPECT_THAT(rig.Tags(SyncKind::kPeriodic), ElementsAre("t"));
  EXPECT_THAT(rig.Tags(SyncKind::kOneShot, 2), IsEmpty());
}

}  // namespace
}  // namespace vigil::testing
