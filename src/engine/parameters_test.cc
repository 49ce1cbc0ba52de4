#include "vigil/parameters.h"

#include <gtest/gtest.h>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

TEST(Parameters, DefaultsAreTheNumbersThatBrowsersUse) {
  const Parameters defaults;
  EXPECT_FALSE(defaults.disabled);
  EXPECT_FALSE(defaults.skip_permission_check);
  EXPECT_EQ(defaults.max_attempts, 3);
  EXPECT_EQ(defaults.max_attempts_with_notifications, 3);
  EXPECT_EQ(defaults.first_retry_delay, minutes(5));
  EXPECT_EQ(defaults.retry_factor, 3);
  EXPECT_EQ(defaults.min_recovery_time, minutes(6));
  EXPECT_EQ(defaults.sync_event_limit, minutes(3));
  EXPECT_EQ(defaults.min_periodic_gap, hours(12));
  EXPECT_EQ(defaults.max_tag_bytes, 10'240);
  EXPECT_EQ(defaults.engagement_factor_max, 1);
  EXPECT_EQ(defaults.engagement_factor_high, 1);
  EXPECT_EQ(defaults.engagement_factor_medium, 2);
  EXPECT_EQ(defaults.engagement_factor_low, 2);
  EXPECT_EQ(defaults.engagement_factor_minimal, 3);
  EXPECT_EQ(defaults.engagement_factor_none, 0);
}

TEST(Parameters, TheEngineGoesByThoseItWasGiven) {
  Parameters parameters;
  parameters.max_attempts = 4;
  parameters.first_retry_delay = seconds(30);
  parameters.retry_factor = 2;
  parameters.min_periodic_gap = hours(1);
  parameters.max_tag_bytes = 3;
  Rig rig(parameters);
  EXPECT_EQ(rig.engine->parameters(), parameters);
  rig.Register(Rig::Sync("abc"));
  EXPECT_EQ(rig.ErrorOf(rig.Register(Rig::Sync("abcd"))), "InvalidAccessError");
  rig.Finish(Rig::Sync("abc"), DispatchOutcome::kRejected);
  EXPECT_EQ(rig.Left(Rig::Sync("abc")), seconds(30));
  rig.Advance(seconds(30));
  rig.Finish(Rig::Sync("abc"), DispatchOutcome::kRejected);
  EXPECT_EQ(rig.Left(Rig::Sync("abc")), seconds(60));
  EXPECT_EQ(rig.engine->Find(Rig::Sync("abc"), rig.now)->max_attempts, 4);
  rig.Register(Rig::Periodic("p"), kShop, minutes(61));
  EXPECT_EQ(rig.Left(Rig::Periodic("p")), hours(2));
}

}  // namespace
}  // namespace vigil::testing
