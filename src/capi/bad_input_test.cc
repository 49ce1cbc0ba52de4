// Whatever a caller hands over: an error code, never a crash, and an engine that goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "capi/test_host.h"
#include "vigil/vigil.h"

namespace vigil::capi {
namespace {

using testing::HasSubstr;

constexpr vigil_bytes kOrigin{"https://shop.example", 20};
// Lengths that cannot be true, and a pointer that is missing.
const vigil_bytes kBadBytes[] = {{"x", std::numeric_limits<std::size_t>::max()},
                                 {"x", std::numeric_limits<std::size_t>::max() / 2},
                                 {"x", VIGIL_MAX_BYTES + 1},
                                 {nullptr, 1}};

TEST(CApiBadInput, HandlesThatAreNone) {
  alignas(16) char zeros[256] = {};
  auto* wrong = reinterpret_cast<vigil_engine*>(zeros);
  vigil_parameters* parameters = vigil_parameters_create();
  const vigil_registration call = TestHost::Call("post");
  const auto visit = [](void*, const vigil_view*) {};
  for (vigil_engine* engine :
       {static_cast<vigil_engine*>(nullptr), wrong, reinterpret_cast<vigil_engine*>(parameters)}) {
    const std::vector<vigil_status> statuses{vigil_engine_start(engine, nullptr, 0),
                                             vigil_register(engine, &call),
                                             vigil_acknowledge(engine, 1, {}),
                                             vigil_unregister(engine, 0, 1, {}),
                                             vigil_get_tags(engine, 0, 1, VIGIL_ONE_SHOT),
                                             vigil_tick(engine),
                                             vigil_event_finished(engine, 1, VIGIL_SUCCEEDED, {}),
                                             vigil_write_finished(engine, 1, VIGIL_OK, {}),
                                             vigil_network_changed(engine),
                                             vigil_permission_changed(engine, {}),
                                             vigil_engagement_changed(engine, kOrigin),
                                             vigil_store_recovered(engine),
                                             vigil_worker_deleted(engine, 0, 1),
                                             vigil_origin_cleared(engine, 0, kOrigin),
                                             vigil_explain(engine, 1, VIGIL_ONE_SHOT, {}, visit, nullptr),
                                             vigil_list(engine, visit, nullptr),
                                             vigil_store_status(engine, nullptr, 0)};
    EXPECT_THAT(statuses, testing::Each(VIGIL_ERROR_INVALID_HANDLE));
  }
  EXPECT_EQ(vigil_engine_destroy(wrong), VIGIL_ERROR_INVALID_HANDLE);
  EXPECT_EQ(vigil_engine_destroy(nullptr), VIGIL_OK);
  EXPECT_EQ(vigil_parameters_set(nullptr, {}, {}, nullptr, 0), VIGIL_ERROR_INVALID_HANDLE);
  EXPECT_EQ(vigil_load_record(nullptr, {}), VIGIL_ERROR_INVALID_HANDLE);
  vigil_parameters_destroy(nullptr);
  vigil_parameters_destroy(reinterpret_cast<vigil_parameters*>(zeros));
  vigil_parameters_destroy(parameters);
}

TEST(CApiBadInput, ALoaderAfterItsTime) {
  TestHost host;
  static vigil_loader* kept = nullptr;
  host.table.load = [](void*, vigil_loader* loader) -> vigil_status {
    kept = loader;
    return VIGIL_OK;
  };
  ASSERT_EQ(host.Start(), VIGIL_OK);
  EXPECT_EQ(vigil_load_record(kept, {}), VIGIL_ERROR_INVALID_HANDLE);
}

TEST(CApiBadInput, CallbacksThatAreMissing) {
  const auto without = [](auto remove) {
    TestHost host;
    remove(host.table);
    return host.Start();
  };
  EXPECT_EQ(without([](vigil_host& table) { table.online = nullptr; }), VIGIL_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(without([](vigil_host& table) { table.allowed = nullptr; }), VIGIL_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(without([](vigil_host& table) { table.wake_at = nullptr; }), VIGIL_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(without([](vigil_host& table) { table.load = nullptr; }), VIGIL_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(without([](vigil_host& table) { table.write = nullptr; }), VIGIL_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(without([](vigil_host& table) { table.run = nullptr; }), VIGIL_ERROR_INVALID_ARGUMENT);
  TestHost host;
  EXPECT_EQ(vigil_engine_create(nullptr, &host.table, nullptr), VIGIL_ERROR_INVALID_ARGUMENT);
  EXPECT_EQ(vigil_engine_create(nullptr, nullptr, &host.engine), VIGIL_ERROR_INVALID_ARGUMENT);
}

TEST(CApiBadInput, CallsBeforeTheStart) {
  TestHost host;
  ASSERT_EQ(vigil_engine_create(nullptr, &host.table, &host.engine), VIGIL_OK);
  EXPECT_EQ(host.Register("post"), "not-started");
  EXPECT_EQ(vigil_tick(host.engine), VIGIL_ERROR_NOT_STARTED);
  EXPECT_EQ(vigil_store_status(host.engine, nullptr, 0), VIGIL_ERROR_NOT_STARTED);
}

TEST(CApiBadInput, LengthsThatCannotBeTrue) {
  TestHost host;
  ASSERT_EQ(host.Start(), VIGIL_OK);
  const auto visit = [](void*, const vigil_view*) {};
  for (const vigil_bytes& bad : kBadBytes) {
    vigil_registration call = TestHost::Call("post");
    call.tag = bad;
    EXPECT_EQ(vigil_register(host.engine, &call), VIGIL_ERROR_INVALID_ARGUMENT);
    call = TestHost::Call("post");
    call.origin = bad;
    EXPECT_EQ(vigil_register(host.engine, &call), VIGIL_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vigil_acknowledge(host.engine, 1, bad), VIGIL_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vigil_unregister(host.engine, 0, 1, bad), VIGIL_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vigil_permission_changed(host.engine, bad), VIGIL_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vigil_engagement_changed(host.engine, bad), VIGIL_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vigil_origin_cleared(host.engine, 0, bad), VIGIL_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vigil_explain(host.engine, 1, VIGIL_ONE_SHOT, bad, visit, nullptr),
              VIGIL_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vigil_event_finished(host.engine, 1, VIGIL_SUCCEEDED, bad), VIGIL_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vigil_write_finished(host.engine, 1, VIGIL_ERROR_STORE, bad), VIGIL_ERROR_INVALID_ARGUMENT);
  }
  for (const vigil_bytes& bad : {kBadBytes[0], kBadBytes[1], kBadBytes[3]}) {
    EXPECT_EQ(vigil_check_record(bad, nullptr, 0), VIGIL_ERROR_INVALID_ARGUMENT);
  }
  EXPECT_EQ(host.Register("post"), "ok");
}

TEST(CApiBadInput, NumbersOutsideTheirEnumerations) {
  TestHost host;
  ASSERT_EQ(host.Start(), VIGIL_OK);
  const auto visit = [](void*, const vigil_view*) {};
  for (const std::int32_t bad :
       {-1, 2, 7, std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()}) {
    vigil_registration call = TestHost::Call("post");
    call.kind = bad;
    EXPECT_EQ(vigil_register(host.engine, &call), VIGIL_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vigil_get_tags(host.engine, 0, 1, bad), VIGIL_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vigil_explain(host.engine, 1, bad, {}, visit, nullptr), VIGIL_ERROR_INVALID_ARGUMENT);
  }
  EXPECT_EQ(host.Register("post"), "ok");
  const std::uint64_t token = host.events.at(0).token;
  for (const std::int32_t bad : {-1, 7, std::numeric_limits<std::int32_t>::max()}) {
    EXPECT_EQ(vigil_event_finished(host.engine, token, bad, {}), VIGIL_ERROR_INVALID_ARGUMENT);
  }
  EXPECT_EQ(host.Reason("post"), "running");
  EXPECT_STREQ(vigil_status_name(12345), "unknown");
}

TEST(CApiBadInput, TokensThatWereNeverGivenOut) {
  TestHost host;
  ASSERT_EQ(host.Start(), VIGIL_OK);
  for (const std::uint64_t token : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    EXPECT_EQ(vigil_event_finished(host.engine, token, VIGIL_SUCCEEDED, {}), VIGIL_ERROR_NOT_FOUND);
    EXPECT_EQ(vigil_write_finished(host.engine, token, VIGIL_OK, {}), VIGIL_ERROR_NOT_FOUND);
  }
}

TEST(CApiBadInput, TagsAndIntervalsThatTheScriptHasToAnswerFor) {
  TestHost host;
  ASSERT_EQ(host.Start(), VIGIL_OK);
  EXPECT_EQ(host.Register(std::string(10'240, 't')), "ok");
  EXPECT_EQ(host.Register(std::string(10'241, 't')), "InvalidAccessError");
  EXPECT_EQ(host.Register("\xC3\x28"), "InvalidAccessError");
  EXPECT_EQ(host.Register(std::string("a\0b", 3)), "ok");
  EXPECT_EQ(host.Register(""), "ok");
  for (const auto& [interval, answer] : std::vector<std::pair<std::int64_t, std::string>>{
           {0, "ok"},
           {-1, "InvalidAccessError"},
           {std::numeric_limits<std::int64_t>::min(), "InvalidAccessError"},
           {std::numeric_limits<std::int64_t>::max(), "ok"}}) {
    vigil_registration call = TestHost::Call("news", VIGIL_PERIODIC);
    call.min_interval_ms = interval;
    call.reply_token = ++host.last_token;
    EXPECT_EQ(vigil_register(host.engine, &call), VIGIL_OK);
    EXPECT_EQ(host.AnswerTo(host.last_token), answer) << interval;
  }
  vigil_registration call = TestHost::Call("post");
  call.no_active_worker = 1;
  call.reply_token = 1000;
  EXPECT_EQ(vigil_register(host.engine, &call), VIGIL_OK);
  EXPECT_EQ(host.AnswerTo(1000), "InvalidStateError");
  call.no_active_worker = 0;
  call.no_window_client = 1;
  EXPECT_EQ(vigil_register(host.engine, &call), VIGIL_OK);
  EXPECT_EQ(host.AnswerTo(1000), "InvalidAccessError");
  call.origin = {};
  EXPECT_EQ(vigil_register(host.engine, &call), VIGIL_ERROR_INVALID_ARGUMENT) << "an origin is never empty";
}

TEST(CApiBadInput, ClocksThatLie) {
  TestHost host;
  ASSERT_EQ(host.Start(), VIGIL_OK);
  EXPECT_EQ(host.Register("post"), "ok");
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  for (const vigil_time& time : {vigil_time{kMost, 0}, vigil_time{kLeast, kLeast}, vigil_time{0, -5}}) {
    host.now = time;
    EXPECT_EQ(vigil_tick(host.engine), VIGIL_OK);
    EXPECT_EQ(host.Reason("post"), "running") << "a clock that goes back is taken to stand still";
  }
  host.now = {kMost, kMost};
  EXPECT_EQ(vigil_tick(host.engine), VIGIL_OK);
  EXPECT_EQ(vigil_event_finished(host.engine, host.events.at(0).token, VIGIL_REJECTED, {}), VIGIL_OK);
  host.now = {0, 0};
  EXPECT_EQ(vigil_tick(host.engine), VIGIL_OK);
}

TEST(CApiBadInput, RandomNumbersThatAreNone) {
  vigil_parameters* parameters = vigil_parameters_create();
  ASSERT_EQ(vigil_parameters_set(parameters, vigil_text("jitter"), vigil_text("1"), nullptr, 0), VIGIL_OK);
  for (double (*random)(void*) :
       {+[](void*) { return std::nan(""); }, +[](void*) { return -1.0; }, +[](void*) { return 1e300; }}) {
    TestHost host;
    host.table.random = random;
    ASSERT_EQ(host.Start(parameters), VIGIL_OK);
    EXPECT_EQ(host.Register("post"), "ok");
    EXPECT_EQ(vigil_event_finished(host.engine, host.events.at(0).token, VIGIL_REJECTED, {}), VIGIL_OK);
    EXPECT_EQ(host.wake_us - host.now.mono_us, 300'000'000) << "counts as zero";
  }
  vigil_parameters_destroy(parameters);
}

TEST(CApiBadInput, ParametersThatDoNotExistOrDoNotParse) {
  vigil_parameters* parameters = vigil_parameters_create();
  char message[128];
  EXPECT_EQ(
      vigil_parameters_set(parameters, vigil_text("max_attempts"), vigil_text("5"), message, sizeof message),
      VIGIL_OK);
  EXPECT_STREQ(message, "");
  EXPECT_EQ(vigil_parameters_set(parameters, vigil_text("max_attempts"), vigil_text("many"), message,
                                 sizeof message),
            VIGIL_ERROR_INVALID_ARGUMENT);
  EXPECT_THAT(message, HasSubstr("needs a whole number"));
  EXPECT_EQ(
      vigil_parameters_set(parameters, vigil_text("colour"), vigil_text("red"), message, sizeof message),
      VIGIL_ERROR_NOT_FOUND);
  EXPECT_THAT(message, HasSubstr("no parameter is called \"colour\""));
  for (const vigil_bytes& bad : kBadBytes) {
    EXPECT_EQ(vigil_parameters_set(parameters, bad, vigil_text("1"), message, sizeof message),
              VIGIL_ERROR_INVALID_ARGUMENT);
    EXPECT_EQ(vigil_parameters_set(parameters, vigil_text("jitter"), bad, message, sizeof message),
              VIGIL_ERROR_INVALID_ARGUMENT);
  }
  std::string all;
  const auto note = [](void* to, vigil_bytes name, vigil_bytes value) {
    *static_cast<std::string*>(to) += Copy(name) + "=" + Copy(value) + "\n";
  };
  EXPECT_EQ(vigil_parameters_list(parameters, note, &all), VIGIL_OK);
  EXPECT_THAT(all, HasSubstr("max_attempts=5\n"));
  EXPECT_THAT(all, HasSubstr("first_retry_delay=5min\n"));
  EXPECT_EQ(vigil_parameters_list(parameters, nullptr, nullptr), VIGIL_ERROR_INVALID_ARGUMENT);
  vigil_parameters_destroy(parameters);
}

TEST(CApiBadInput, MessagesThatDoNotFitAreCutAtTheEndOfACharacter) {
  vigil_parameters* parameters = vigil_parameters_create();
  const std::string whole = "no parameter is called \"\u20ac\"";
  for (std::size_t capacity = 0; capacity <= whole.size() + 1; ++capacity) {
    std::string message(capacity + 1, '#');
    vigil_parameters_set(parameters, vigil_text("\u20ac"), {}, message.data(), capacity);
    EXPECT_EQ(message[capacity], '#') << "nothing is written behind the end";
    if (capacity == 0) continue;
    const std::string cut = message.c_str();
    EXPECT_LT(cut.size(), capacity);
    EXPECT_EQ(cut, whole.substr(0, cut.size()));
    if (capacity == 26) {
      EXPECT_EQ(cut.size(), 24u) << "not in the middle of the euro sign";
    }
  }
  vigil_parameters_destroy(parameters);
}

}  // namespace
}  // namespace vigil::capi
