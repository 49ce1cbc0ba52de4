#include "net/connectivity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vigil::net {
namespace {

using ::testing::ElementsAre;

TEST(ManualConnectivity, TellsEachChangeOnce) {
  ManualConnectivity network(false);
  std::vector<std::string> seen;
  const auto subscription = network.OnChange([&](const NetworkState& state) {
    EXPECT_EQ(state, network.current());
    seen.push_back(state.online ? "on " + state.network_id : "off " + state.type);
  });
  network.Set(true, "home");
  network.Set(true, "home");
  network.Set(true, "work");
  network.Set(false);
  EXPECT_THAT(seen, ElementsAre("on home", "on work", "off none"));
}

TEST(ManualConnectivity, HandlersMayComeAndGoWhileOthersAreTold) {
  ManualConnectivity network(false);
  int first = 0;
  int second = 0;
  int late = 0;
  std::optional<ConnectivityObserver::Subscription> dropped;
  std::optional<ConnectivityObserver::Subscription> added;
  const auto subscription = network.OnChange([&](const NetworkState&) {
    ++first;
    dropped.reset();
    if (!added) added = network.OnChange([&](const NetworkState&) { ++late; });
  });
  dropped = network.OnChange([&](const NetworkState&) { ++second; });
  network.Set(true);
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 0);
  EXPECT_EQ(late, 0);
  network.Set(false);
  EXPECT_EQ(late, 1);
}

TEST(ManualConnectivity, ASubscriptionMayOutliveIt) {
  auto network = std::make_unique<ManualConnectivity>();
  auto subscription = network->OnChange([](const NetworkState&) {});
  network.reset();
  subscription = {};
}

TEST(SwitchableConnectivity, FollowsItsSourceUntilToldOtherwise) {
  auto owned = std::make_unique<ManualConnectivity>(true);
  ManualConnectivity& source = *owned;
  SwitchableConnectivity network(std::move(owned));
  std::vector<bool> seen;
  const auto subscription =
      network.OnChange([&](const NetworkState& state) { seen.push_back(state.online); });
  network.SetMode(SwitchableConnectivity::Mode::kOffline);
  source.Set(true, "other");
  EXPECT_FALSE(network.current().online);
  network.SetMode(SwitchableConnectivity::Mode::kAuto);
  EXPECT_EQ(network.current().network_id, "other");
  source.Set(false);
  network.SetMode(SwitchableConnectivity::Mode::kOnline);
  EXPECT_EQ(network.current().network_id, "manual");
  EXPECT_THAT(seen, ElementsAre(false, true, false, true));
}

}  // namespace
}  // namespace vigil::net
