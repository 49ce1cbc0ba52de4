#include "control/policy_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "host/clock.h"
#include "host/storage_thread.h"
#include "store/stores.h"

namespace vigil::control {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;

constexpr const char* kOrigin = "https://shop.example";

// A daemon's life: what is not stored is gone with it.
struct Life {
  explicit Life(store::Stores& stores) : stores(stores) { Do(service.Load()); }

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

  store::Stores& stores;
  asio::io_context loop;
  host::StorageThread storage;
  host::VirtualClock clock{loop, Now{WallTime(Duration(1'700'000'000'000'000)), MonoTime(Duration(1))}};
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
    life.service.PageOpened(kOrigin);
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
    life.service.PageOpened(kOrigin);
    EXPECT_TRUE(life.service.state().KnownNetwork(kOrigin));
  }
  Life life(*stores);
  life.service.SetNetwork(away);
  EXPECT_FALSE(life.service.state().KnownNetwork(kOrigin));
  life.service.SetNetwork(home);
  EXPECT_TRUE(life.service.state().KnownNetwork(kOrigin));
}

}  // namespace
}  // namespace vigil::control
