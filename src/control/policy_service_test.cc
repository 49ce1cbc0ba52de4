#include "control/policy_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cmath>
#include <cstdlib>

#include "host/clock.h"
#include "host/storage_thread.h"
#include "store/stores.h"

namespace vigil::control {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kOrigin = "https://shop.example";
constexpr const char* kOther = "https://other.example";
const WallTime kStart{Duration(1'700'000'000'000'000)};  // 2023-11-14 22:13:20 UTC

// A daemon's life: what is not stored is gone with it.
struct Life {
  explicit Life(store::Stores& stores, WallTime start = kStart)
      : stores(stores), clock(loop, Now{start, MonoTime(Duration(1))}) {
    Do(service.Load());
  }

  template <class T>
  Result<T> Do(asio::awaitable<Result<T>> work) {
    std::optional<Result<T>> result;
    asio::co_spawn(loop, std::move(work), [&](std::exception_ptr exception, Result<T> got) {
      EXPECT_FALSE(exception);
      result = std::move(got);
      loop.stop();
    });
    loop.restart();
    loop.run();
    return *result;
  }

  void Pass(Duration time) { ASSERT_TRUE(Do(clock.Advance(time))); }
  void Open(const std::string& page, const std::string& origin = kOrigin) {
    service.PageOpened(page, origin, host::Navigation::kChosen);
  }
  double Score(const std::string& origin = kOrigin) const { return service.Engagement(origin).score; }
  double Today(const std::string& origin = kOrigin) const { return service.Engagement(origin).points_today; }

  store::Stores& stores;
  asio::io_context loop;
  host::StorageThread storage;
  host::VirtualClock clock;
  PolicyService service{Parameters(), clock, storage, stores};
};

struct PolicyServiceTest : ::testing::Test {
  PolicyServiceTest() {
    auto opened = store::Stores::OpenInMemory();
    EXPECT_TRUE(opened) << opened.error().message;
    stores = std::move(*opened);
  }
  std::unique_ptr<store::Stores> stores;
};

host::PermissionState StateOf(const PolicyService& service, const std::string& name) {
  return service.Query(kOrigin, name).value();
}

TEST_F(PolicyServiceTest, GrantsOneShotSyncUnlessItIsDenied) {
  {
    Life life(*stores);
    EXPECT_EQ(StateOf(life.service, "background-sync"), host::PermissionState::kGranted);
    ASSERT_TRUE(life.Do(life.service.SetPermission(kOrigin, "background-sync", false)));
    EXPECT_EQ(StateOf(life.service, "background-sync"), host::PermissionState::kDenied);
  }
  Life life(*stores);
  EXPECT_EQ(StateOf(life.service, "background-sync"), host::PermissionState::kDenied) << "after a restart";
  ASSERT_TRUE(life.Do(life.service.SetPermission(kOrigin, "background-sync", std::nullopt)));
  EXPECT_EQ(StateOf(life.service, "background-sync"), host::PermissionState::kGranted);
}

TEST_F(PolicyServiceTest, GrantsPeriodicSyncToInstalledAppsOnly) {
  Life life(*stores);
  EXPECT_EQ(StateOf(life.service, "periodic-background-sync"), host::PermissionState::kDenied);
  life.service.AppInstalled(kOrigin);
  EXPECT_EQ(StateOf(life.service, "periodic-background-sync"), host::PermissionState::kGranted);
  life.service.AppUninstalled(kOrigin);
  EXPECT_EQ(StateOf(life.service, "periodic-background-sync"), host::PermissionState::kDenied);
}

TEST_F(PolicyServiceTest, NamesThePermissionsWhenOneIsUnknown) {
  Life life(*stores);
  const auto result = life.Do(life.service.SetPermission(kOrigin, "mind-reading", true));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(result.error().message, HasSubstr("periodic-background-sync"));
  EXPECT_FALSE(life.service.Query(kOrigin, "mind-reading"));
}

TEST_F(PolicyServiceTest, RemembersHowMuchAnAppIsUsed) {
  double score = 0;
  {
    Life life(*stores);
    EXPECT_EQ(life.service.Engagement(kOrigin).level, EngagementLevel::kNone);
    life.service.PageOpened("page", kOrigin, host::Navigation::kChosen);
    EXPECT_EQ(life.service.Engagement(kOrigin).level, EngagementLevel::kLow);
    EXPECT_EQ(life.service.Engagement(kOrigin).periodic_gap, std::chrono::hours(24));
    life.service.AppLaunched(kOrigin);
    score = life.service.Engagement(kOrigin).score;
    EXPECT_GE(score, 5.0);
  }
  Life life(*stores);
  EXPECT_DOUBLE_EQ(life.service.Engagement(kOrigin).score, score);
}

TEST_F(PolicyServiceTest, RemembersTheNetworksOnWhichAnAppWasUsed) {
  net::NetworkState home;
  home.online = true;
  home.network_id = "gw:home";
  net::NetworkState away = home;
  away.network_id = "gw:away";
  {
    Life life(*stores);
    life.service.SetNetwork(home);
    EXPECT_FALSE(life.service.state().KnownNetwork(kOrigin));
    life.service.PageOpened("page", kOrigin, host::Navigation::kChosen);
    EXPECT_TRUE(life.service.state().KnownNetwork(kOrigin));
  }
  Life life(*stores);
  life.service.SetNetwork(away);
  EXPECT_FALSE(life.service.state().KnownNetwork(kOrigin));
  life.service.SetNetwork(home);
  EXPECT_TRUE(life.service.state().KnownNetwork(kOrigin));
}

// ---- engagement, as the host reports it

// The machine is in that time zone meanwhile.
class InZone {
 public:
  explicit InZone(const char* zone) {
    if (const char* before = ::getenv("TZ")) before_ = before;
    ::setenv("TZ", zone, 1);
  }
  ~InZone() {
    if (before_) {
      ::setenv("TZ", before_->c_str(), 1);
    } else {
      ::unsetenv("TZ");
    }
    ::tzset();
  }

 private:
  std::optional<std::string> before_;
};

TEST_F(PolicyServiceTest, AFollowedLinkEarnsNothingAndMakesTheNetworkKnown) {
  Life life(*stores);
  net::NetworkState home;
  home.online = true;
  home.network_id = "gw:home";
  life.service.SetNetwork(home);
  life.service.PageOpened("page", kOrigin, host::Navigation::kLink);
  EXPECT_EQ(life.service.Engagement(kOrigin).level, EngagementLevel::kNone);
  EXPECT_TRUE(life.service.state().KnownNetwork(kOrigin));
  life.Open("page");
  EXPECT_DOUBLE_EQ(life.Score(), 1.5 + 1.5) << "the navigation, and the first of the day";
  life.Open("another");
  EXPECT_DOUBLE_EQ(life.Score(), 4.5);
}

TEST_F(PolicyServiceTest, InputEarnsFromTenSecondsAfterTheNavigationAndOnceInTenSeconds) {
  Life life(*stores);
  life.Open("page");
  life.Pass(seconds(9));
  EXPECT_FALSE(life.service.Input("page", kOrigin));
  life.Pass(seconds(1));
  EXPECT_TRUE(life.service.Input("page", kOrigin));
  EXPECT_FALSE(life.service.Input("page", kOrigin));
  EXPECT_DOUBLE_EQ(life.Score(), 3 + 0.6);
  life.Pass(seconds(10));
  EXPECT_TRUE(life.service.Input("page", kOrigin));
  life.service.PageShown("page");
  life.Pass(seconds(4));
  EXPECT_FALSE(life.service.Input("page", kOrigin));
  life.Pass(seconds(1));
  EXPECT_TRUE(life.service.Input("page", kOrigin)) << "five seconds after it was shown";
  EXPECT_DOUBLE_EQ(life.Score(), 3 + 3 * 0.6);
  life.service.PageClosed("page");
  life.Pass(seconds(10));
  EXPECT_FALSE(life.service.Input("page", kOrigin)) << "there is no such page";
}

TEST_F(PolicyServiceTest, PlayingMediaEarnsEveryTenSeconds) {
  Life life(*stores);
  life.Open("page");
  EXPECT_FALSE(life.service.Media("page", kOrigin, true)) << "it only begins";
  life.Pass(seconds(10));
  EXPECT_TRUE(life.service.Media("page", kOrigin, true));
  life.Pass(seconds(5));
  EXPECT_FALSE(life.service.Media("page", kOrigin, true));
  life.Pass(seconds(5));
  EXPECT_TRUE(life.service.Media("page", kOrigin, false));
  EXPECT_DOUBLE_EQ(life.Score(), 3 + 0.06 + 0.01);
  life.Pass(seconds(20));
  EXPECT_FALSE(life.service.Media("page", kOrigin, true)) << "it had stopped";
}

TEST_F(PolicyServiceTest, ClicksAndLaunchesEarn) {
  Life life(*stores);
  life.service.NotificationClicked(kOrigin);
  EXPECT_DOUBLE_EQ(life.Score(), 1 + 1.5);
  life.service.AppLaunched(kOrigin);
  EXPECT_DOUBLE_EQ(life.Score(), 2.5 + 5);
  EXPECT_DOUBLE_EQ(life.Today(), 2.5) << "a launch is a bonus on the total, outside the day's cap";
  life.Pass(hours(11 * 24) - seconds(1));
  EXPECT_GT(life.Score(), 5);
  life.Pass(seconds(1));
  EXPECT_LT(life.Score(), 0.5) << "the bonus ends when eleven whole days have passed";
}

TEST_F(PolicyServiceTest, TellsWhatRaisedAScoreUntilTheOriginIsForgotten) {
  Life life(*stores);
  life.service.NotificationClicked(kOrigin);
  life.service.AppLaunched(kOrigin);
  const auto history = life.service.EngagementHistory(kOrigin);
  ASSERT_EQ(history.size(), 2U);
  EXPECT_STREQ(history[0].cause, "notification");
  EXPECT_DOUBLE_EQ(history[0].points, 1 + 1.5);
  EXPECT_STREQ(history[1].cause, "launch");
  EXPECT_DOUBLE_EQ(history[1].score, 2.5 + 5);
  for (std::size_t i = 0; i < PolicyService::kKeptChanges; ++i) life.service.NotificationClicked(kOrigin);
  EXPECT_EQ(life.service.EngagementHistory(kOrigin).size(), PolicyService::kKeptChanges);
  EXPECT_STREQ(life.service.EngagementHistory(kOrigin).front().cause, "notification");
  life.service.ForgetOrigin(kOrigin);
  EXPECT_TRUE(life.service.EngagementHistory(kOrigin).empty());
}

TEST_F(PolicyServiceTest, ADayGivesFifteenPointsAndEndsAtLocalMidnight) {
  const InZone zone("VIG-3");  // three hours east: kStart is 01:13:20 there
  Life life(*stores);
  life.Open("page");
  for (int i = 0; i < 60; ++i) {
    life.Pass(seconds(10));
    life.service.Input("page", kOrigin);
  }
  EXPECT_DOUBLE_EQ(life.Today(), 15);
  EXPECT_DOUBLE_EQ(life.Score(), 15);
  life.Pass(hours(22) + minutes(36));  // 23:59:20
  life.service.Input("page", kOrigin);
  EXPECT_LT(life.Score(), 15) << "nothing was added";
  life.Pass(seconds(40));
  life.service.Input("page", kOrigin);
  EXPECT_DOUBLE_EQ(life.Today(), 0.6 + 1.5);
}

// In the night when clocks are set back, 23:30 of the evening and the noon after it are two days, and 00:30
// and noon are one.
TEST_F(PolicyServiceTest, DaysAreThoseOfTheCalendarWhenDaylightSavingEnds) {
  const InZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  const WallTime half_past_midnight{seconds(1'698'532'200)};  // 2023-10-29 00:30 CEST
  Life life(*stores, half_past_midnight);
  life.Open("page");
  EXPECT_DOUBLE_EQ(life.Today(), 3);
  life.Pass(hours(12));  // 11:30 CET
  life.Open("page");
  EXPECT_DOUBLE_EQ(life.Today(), 4.5) << "the same day: no second bonus";
  life.Pass(hours(12));  // 23:30 CET
  life.Open("page");
  EXPECT_DOUBLE_EQ(life.Today(), 6);
  life.Pass(minutes(31));
  life.Open("page");
  EXPECT_DOUBLE_EQ(life.Today(), 3);
}

TEST_F(PolicyServiceTest, ScoresDecayEveryTwoHoursAndAreForgottenAtHalfAPoint) {
  Life life(*stores);
  life.Open("page");
  life.Pass(hours(2) - seconds(1));
  EXPECT_DOUBLE_EQ(life.Score(), 3);
  life.Pass(seconds(1));
  EXPECT_DOUBLE_EQ(life.Score(), 3 * 0.984);
  life.Pass(hours(2 * 110));
  EXPECT_EQ(life.service.Engagement(kOrigin).level, EngagementLevel::kMinimal) << life.Score();
  life.Pass(hours(2));
  EXPECT_EQ(life.service.Engagement(kOrigin).level, EngagementLevel::kNone) << life.Score();
}

TEST_F(PolicyServiceTest, ALongPauseCostsAtMostFourPeriodsForEverySite) {
  const InZone zone("UTC0");
  {
    Life life(*stores);
    life.Open("page");
    life.Open("other", kOther);
  }
  Life life(*stores, kStart + hours(24 * 60));
  EXPECT_EQ(life.service.Engagement(kOther).level, EngagementLevel::kNone) << "while nobody uses anything";
  life.Open("page");
  EXPECT_NEAR(life.Score(kOther), 3 * std::pow(0.984, 4), 1e-9);
  EXPECT_NEAR(life.Score(), 3 * std::pow(0.984, 4) + 1.5, 1e-9)
      << "eight hours ago was today: no second bonus";
}

TEST_F(PolicyServiceTest, AClockThatWasSetBackCostsNothingBeyondTheRebasing) {
  {
    Life life(*stores);
    life.Open("page");
    life.Open("other", kOther);
    life.service.AppLaunched(kOrigin);
  }
  Life life(*stores, kStart - hours(24 * 365));
  EXPECT_DOUBLE_EQ(life.Score(kOther), 3) << "no decay from the future";
  life.Open("page");
  EXPECT_EQ(life.service.Engagement(kOrigin).last_launch, kStart - hours(24 * 365))
      << "no launch in the future";
  EXPECT_NEAR(life.Score(kOther), 3 * std::pow(0.984, 4), 1e-9);
}

TEST_F(PolicyServiceTest, WhatIsForgottenIsForgottenOnDiskToo) {
  {
    Life life(*stores);
    life.Open("other", kOther);
    for (int day = 0; day < 20; ++day) {
      life.Pass(hours(8));  // never long enough for a pause
      life.Open("page");
      life.Pass(hours(8));
      life.Open("page");
      life.Pass(hours(8));
      life.Open("page");
    }
    EXPECT_DOUBLE_EQ(life.Score(kOther), 0);
  }
  const auto stored = stores->engagement.All().value();
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored[0].origin, kOrigin);
}

}  // namespace
}  // namespace vigil::control
