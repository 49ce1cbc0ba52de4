#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "capi/test_host.h"
#include "vigil/vigil.h"

namespace vigil::capi {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;

TEST(CApi, CarriesARegistrationThroughRestartFailureAndRetry) {
  TestHost host;
  host.is_online = 0;
  ASSERT_EQ(host.Start(), VIGIL_OK);
  EXPECT_EQ(host.Register("post"), "ok");
  EXPECT_THAT(host.disk, SizeIs(1));
  EXPECT_EQ(host.Reason("post"), "offline");

  ASSERT_EQ(host.Start(), VIGIL_OK);
  EXPECT_THAT(host.loaded, ElementsAre(VIGIL_OK));
  EXPECT_THAT(host.events, IsEmpty());
  host.is_online = 1;
  EXPECT_EQ(vigil_network_changed(host.engine), VIGIL_OK);
  ASSERT_THAT(host.events, SizeIs(1));
  EXPECT_EQ(host.events[0].tag, "post");
  EXPECT_EQ(host.events[0].limit_us, 3 * kMinute);
  EXPECT_FALSE(host.events[0].last_chance);
  EXPECT_EQ(vigil_event_finished(host.engine, host.events[0].token, VIGIL_REJECTED, vigil_text("503")),
            VIGIL_OK);
  EXPECT_EQ(host.Reason("post"), "waiting-for-retry");
  EXPECT_EQ(host.wake_us, host.now.mono_us + 5 * kMinute);

  host.Advance(5 * kMinute);
  ASSERT_THAT(host.events, SizeIs(2));
  EXPECT_EQ(vigil_event_finished(host.engine, host.events[1].token, VIGIL_SUCCEEDED, {}), VIGIL_OK);
  EXPECT_THAT(host.disk, IsEmpty());
  EXPECT_EQ(host.wake_us, VIGIL_NEVER);
  EXPECT_THAT(host.log, ElementsAre("Registered sync", "Dispatched sync event", "sync event failed",
                                    "Dispatched sync event", "Sync completed"));
}

TEST(CApi, AnswersOnlyWhenAWriteThatComesLaterIsFinished) {
  TestHost host;
  ASSERT_EQ(host.Start(), VIGIL_OK);
  host.store_answer = VIGIL_LATER;
  EXPECT_EQ(host.Register("post"), "none yet");
  EXPECT_EQ(vigil_write_finished(host.engine, host.writes.back() + 1, VIGIL_OK, {}), VIGIL_ERROR_NOT_FOUND);
  EXPECT_EQ(vigil_write_finished(host.engine, host.writes.back(), VIGIL_LATER, {}),
            VIGIL_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(vigil_write_finished(host.engine, host.writes.back(), VIGIL_OK, {}), VIGIL_OK);
  EXPECT_EQ(host.AnswerTo(host.last_token), "ok");
  EXPECT_EQ(vigil_write_finished(host.engine, host.writes.back(), VIGIL_OK, {}), VIGIL_ERROR_NOT_FOUND);
}

TEST(CApi, RefusesRegistrationsWhileTheStoreFailsAndSaysWhy) {
  TestHost host;
  char message[64];
  ASSERT_EQ(host.Start(), VIGIL_OK);
  EXPECT_EQ(vigil_store_status(host.engine, message, sizeof message), VIGIL_OK);
  host.store_answer = VIGIL_ERROR_STORE;
  EXPECT_EQ(host.Register("a"), "UnknownError");
  EXPECT_EQ(vigil_store_status(host.engine, message, sizeof message), VIGIL_ERROR_STORE);
  EXPECT_THAT(message, HasSubstr("store-failed"));
  host.store_answer = VIGIL_LATER;
  EXPECT_EQ(vigil_store_recovered(host.engine), VIGIL_OK);
  EXPECT_EQ(vigil_write_finished(host.engine, host.writes.back(), VIGIL_ERROR_STORE, vigil_text("disk full")),
            VIGIL_OK);
  EXPECT_EQ(vigil_store_status(host.engine, message, sizeof message), VIGIL_ERROR_STORE);
  EXPECT_STREQ(message, "disk full");
  host.store_answer = VIGIL_OK;
  EXPECT_EQ(vigil_store_recovered(host.engine), VIGIL_OK);
  EXPECT_EQ(vigil_store_status(host.engine, message, sizeof message), VIGIL_OK);
  EXPECT_STREQ(message, "");
  EXPECT_EQ(host.Register("b"), "ok");
}

TEST(CApi, ListsTagsRegistrationsAndRemovals) {
  TestHost host;
  host.is_online = 0;
  ASSERT_EQ(host.Start(), VIGIL_OK);
  EXPECT_EQ(host.Register("b"), "ok");
  EXPECT_EQ(host.Register("a"), "ok");
  EXPECT_EQ(host.Register("news", VIGIL_PERIODIC), "ok");
  EXPECT_EQ(vigil_get_tags(host.engine, 99, 1, VIGIL_ONE_SHOT), VIGIL_OK);
  EXPECT_THAT(host.tags, ElementsAre("a", "b"));

  std::vector<std::string> seen;
  const auto note = [](void* to, const vigil_view* view) {
    static_cast<std::vector<std::string>*>(to)->push_back(Copy(view->tag) + " " + Copy(view->state) + " " +
                                                          Copy(view->reason));
  };
  EXPECT_EQ(vigil_list(host.engine, note, &seen), VIGIL_OK);
  EXPECT_THAT(seen, ElementsAre("a pending offline", "b pending offline", "news pending waiting-for-period"));

  EXPECT_EQ(vigil_unregister(host.engine, 100, 1, vigil_text("news")), VIGIL_OK);
  EXPECT_EQ(host.AnswerTo(100), "ok");
  EXPECT_EQ(host.Reason("news", VIGIL_PERIODIC), "gone");
  EXPECT_EQ(vigil_worker_deleted(host.engine, 101, 1), VIGIL_OK);
  EXPECT_EQ(host.AnswerTo(101), "ok");
  EXPECT_THAT(host.disk, IsEmpty());
  EXPECT_EQ(vigil_origin_cleared(host.engine, 102, vigil_text("https://shop.example")), VIGIL_OK);
  EXPECT_EQ(host.AnswerTo(102), "ok");
}

TEST(CApi, AsksTheHostForPermissionInstallationAndEngagement) {
  TestHost host;
  ASSERT_EQ(host.Start(), VIGIL_OK);
  host.is_installed = 0;
  EXPECT_EQ(host.Register("news", VIGIL_PERIODIC), "NotAllowedError");
  host.is_installed = 1;
  host.level = VIGIL_ENGAGEMENT_NONE;
  EXPECT_EQ(host.Register("news", VIGIL_PERIODIC), "ok");
  EXPECT_EQ(host.Reason("news", VIGIL_PERIODIC), "suspended-no-engagement");
  host.level = 77;
  vigil_engagement_changed(host.engine, vigil_text("https://shop.example"));
  EXPECT_EQ(host.Reason("news", VIGIL_PERIODIC), "suspended-no-engagement") << "an unknown level is none";
  host.level = VIGIL_ENGAGEMENT_MAX;
  vigil_engagement_changed(host.engine, vigil_text("https://shop.example"));
  EXPECT_EQ(host.Reason("news", VIGIL_PERIODIC), "waiting-for-period");
  host.is_allowed = 0;
  EXPECT_EQ(vigil_permission_changed(host.engine, {}), VIGIL_OK);
  EXPECT_EQ(host.Reason("news", VIGIL_PERIODIC), "gone");
}

TEST(CApi, NeedsNoMoreThanTheNeededCallbacks) {
  TestHost host;
  host.table.known_network = nullptr;
  host.table.installed = nullptr;
  host.table.notifications_allowed = nullptr;
  host.table.engagement = nullptr;
  host.table.random = nullptr;
  host.table.now = nullptr;
  host.table.reply = nullptr;
  host.table.log = nullptr;
  vigil_parameters* parameters = vigil_parameters_create();
  EXPECT_EQ(vigil_parameters_set(parameters, vigil_text("jitter"), vigil_text("0.5"), nullptr, 0), VIGIL_OK);
  ASSERT_EQ(host.Start(parameters), VIGIL_OK);
  vigil_parameters_destroy(parameters);
  EXPECT_EQ(host.Register("post"), "none yet") << "answers are not wanted";
  EXPECT_EQ(vigil_acknowledge(host.engine, 1, vigil_text("post")), VIGIL_OK);
  ASSERT_THAT(host.events, SizeIs(1));
  EXPECT_EQ(vigil_event_finished(host.engine, host.events[0].token, VIGIL_REJECTED, {}), VIGIL_OK);
  EXPECT_EQ(host.Reason("post"), "waiting-for-retry");
  host.Register("news", VIGIL_PERIODIC);
  EXPECT_EQ(host.Reason("news", VIGIL_PERIODIC), "gone") << "nothing is installed";
}

// ---------------------------------------------------------------------------------------- structs that grow

TEST(CApi, TakesStructsThatHaveGrownAndRefusesStumps) {
  TestHost host;
  struct {
    vigil_host known;
    void* (*unknown)(void*);
  } grown{host.table, nullptr};
  grown.known.struct_size = sizeof grown;
  ASSERT_EQ(vigil_engine_create(nullptr, &grown.known, &host.engine), VIGIL_OK);
  vigil_engine_destroy(host.engine);
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof(vigil_host) - 1}) {
    host.table.struct_size = size;
    EXPECT_EQ(vigil_engine_create(nullptr, &host.table, &host.engine), VIGIL_ERROR_INVALID_ARGUMENT) << size;
    EXPECT_EQ(host.engine, nullptr);
  }
  host.table.struct_size = sizeof(vigil_host);
  ASSERT_EQ(host.Start(), VIGIL_OK);
  vigil_registration call = TestHost::Call("post");
  call.struct_size = 8;
  EXPECT_EQ(vigil_register(host.engine, &call), VIGIL_ERROR_INVALID_ARGUMENT);
}

TEST(CApi, KnowsItsVersion) {
  EXPECT_EQ(vigil_abi_version(), VIGIL_ABI_VERSION);
  EXPECT_THAT(vigil_version(), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

// -------------------------------------------------------------------------------------------------- loading

TEST(CApi, RefusesToStartFromADamagedStoreAndNamesTheTrouble) {
  TestHost host;
  host.is_online = 0;
  ASSERT_EQ(host.Start(), VIGIL_OK);
  EXPECT_EQ(host.Register("a"), "ok");
  EXPECT_EQ(host.Register("b"), "ok");
  const auto good = host.disk;

  host.disk.begin()->second[5] ^= 1;
  EXPECT_EQ(host.Start(), VIGIL_ERROR_CORRUPT);
  EXPECT_THAT(host.loaded, ElementsAre(VIGIL_ERROR_CORRUPT, VIGIL_OK));
  EXPECT_THAT(host.message, HasSubstr("checksum"));
  EXPECT_EQ(host.Register("c"), "not-started");
  EXPECT_EQ(vigil_check_record(Give(host.disk.begin()->second), nullptr, 0), VIGIL_ERROR_CORRUPT);

  host.disk = good;
  host.disk["another key"] = good.begin()->second;
  EXPECT_EQ(host.Start(), VIGIL_ERROR_CORRUPT);
  EXPECT_THAT(host.message, HasSubstr("twice"));

  host.disk = good;
  host.load_answer = VIGIL_ERROR_STORE;
  EXPECT_EQ(host.Start(), VIGIL_ERROR_STORE);
  EXPECT_THAT(host.message, HasSubstr("store could not be read"));

  host.load_answer = VIGIL_OK;
  EXPECT_EQ(vigil_engine_start(host.engine, host.message, sizeof host.message), VIGIL_OK)
      << "it may be tried again";
  EXPECT_STREQ(host.message, "");
  EXPECT_EQ(host.Reason("a"), "offline");
  EXPECT_EQ(vigil_check_record(Give(good.begin()->second), nullptr, 0), VIGIL_OK);
}

// ---------------------------------------------------------------------------------------------- re-entrance

TEST(CApi, QueuesWhatCallbacksSayAndLetsNoneDestroyTheEngine) {
  TestHost host;
  host.table.run = [](void* self, const vigil_event* event) {
    TestHost& of = *static_cast<TestHost*>(self);
    of.events.push_back({event->token, Copy(event->tag), false, 0});
    EXPECT_EQ(vigil_engine_destroy(of.engine), VIGIL_ERROR_BUSY);
    EXPECT_EQ(vigil_engine_start(of.engine, nullptr, 0), VIGIL_ERROR_BUSY);
    EXPECT_EQ(vigil_event_finished(of.engine, event->token, VIGIL_SUCCEEDED, {}), VIGIL_OK);
    EXPECT_EQ(of.Reason(Copy(event->tag)), "running") << "the end waits for the work under way";
    if (of.events.size() < 5) {
      EXPECT_EQ(of.Register("again"), "none yet");
    }
  };
  host.table.reply = [](void* self, const vigil_reply*) {
    vigil_acknowledge(static_cast<TestHost*>(self)->engine, 1, vigil_text("again"));
  };
  ASSERT_EQ(host.Start(), VIGIL_OK);
  host.Register("again");
  EXPECT_THAT(host.events, SizeIs(5));
  EXPECT_THAT(host.disk, IsEmpty());
}

TEST(CApi, RefusesCallsFromInsideAQuestion) {
  TestHost host;
  static TestHost* asked = nullptr;
  static std::vector<vigil_status> statuses;
  asked = &host;
  statuses.clear();
  host.table.allowed = [](void*, vigil_bytes, vigil_kind) -> std::int32_t {
    statuses.push_back(vigil_tick(asked->engine));
    statuses.push_back(vigil_list(
        asked->engine, [](void*, const vigil_view*) {}, nullptr));
    statuses.push_back(vigil_engine_destroy(asked->engine));
    return 1;
  };
  ASSERT_EQ(host.Start(), VIGIL_OK);
  EXPECT_EQ(host.Register("post"), "ok");
  EXPECT_THAT(statuses, testing::SizeIs(testing::Ge(3)));
  EXPECT_THAT(statuses, testing::Each(VIGIL_ERROR_BUSY));
}

}  // namespace
}  // namespace vigil::capi
