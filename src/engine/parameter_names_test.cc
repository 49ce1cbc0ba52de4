#include "engine/parameter_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigil {
namespace {

using ::testing::HasSubstr;

TEST(ParameterNames, SetEveryKindOfField) {
  Parameters parameters;
  EXPECT_TRUE(SetParameter(parameters, "first_retry_delay=30s"));
  EXPECT_EQ(parameters.first_retry_delay, std::chrono::seconds(30));
  EXPECT_TRUE(SetParameter(parameters, "min_periodic_gap", "250ms"));
  EXPECT_EQ(parameters.min_periodic_gap, std::chrono::milliseconds(250));
  EXPECT_TRUE(SetParameter(parameters, "max_attempts=5"));
  EXPECT_EQ(parameters.max_attempts, 5);
  EXPECT_TRUE(SetParameter(parameters, "retry_factor=1.5"));
  EXPECT_EQ(parameters.retry_factor, 1.5);
  EXPECT_TRUE(SetParameter(parameters, "known_network_required=false"));
  EXPECT_FALSE(parameters.known_network_required);
}

TEST(ParameterNames, AnUnknownNameListsTheKnownOnes) {
  Parameters parameters;
  const auto result = SetParameter(parameters, "no_such=1");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(result.error().message, HasSubstr("max_attempts"));
  EXPECT_EQ(parameters, Parameters());
}

TEST(ParameterNames, ValuesThatMakeNoSenseAreRefusedAndChangeNothing) {
  Parameters parameters;
  for (const char* bad :
       {"max_attempts=0", "max_attempts=three", "max_attempts=-1", "first_retry_delay=5",
        "first_retry_delay=-5s", "retry_factor=0.5", "jitter=nan", "disabled=yes",
        "engagement_decay_period=0s", "max_attempts", "max_attempts=", "max_attempts=99999999999999"}) {
    const auto result = SetParameter(parameters, bad);
    EXPECT_FALSE(result) << bad;
    EXPECT_EQ(parameters, Parameters()) << bad;
  }
}

TEST(ParameterNames, WhatIsListedCanBeSetAgain) {
  const Parameters defaults;
  Parameters copy;
  for (const NamedParameter& parameter : ListParameters(defaults)) {
    EXPECT_TRUE(SetParameter(copy, parameter.name, parameter.value))
        << parameter.name << "=" << parameter.value;
  }
  EXPECT_EQ(copy, defaults);
}

TEST(ParameterNames, NumbersThatCannotBeMeantAreBroughtWithinReason) {
  Parameters parameters;
  parameters.sync_event_limit = Duration::max();
  parameters.first_retry_delay = -std::chrono::hours(1);
  parameters.max_parallel_events = -1;
  parameters.retry_factor = std::numeric_limits<double>::quiet_NaN();
  parameters.jitter = std::numeric_limits<double>::infinity();
  const Parameters sane = WithinReason(parameters);
  EXPECT_EQ(sane.sync_event_limit, std::chrono::hours(24) * 36500);
  EXPECT_EQ(sane.first_retry_delay, Duration::zero());
  EXPECT_EQ(sane.max_parallel_events, 0);
  EXPECT_EQ(sane.retry_factor, 3);
  EXPECT_EQ(sane.jitter, 0);
  EXPECT_EQ(WithinReason(Parameters{}), Parameters{});
}

TEST(ParameterNames, EveryFieldHasAName) {
  // Each name changes a field of its own, and together they are as many as the struct has room for.
  std::size_t bytes = 0;
  for (const NamedParameter& parameter : ListParameters(Parameters())) {
    Parameters changed;
    const bool flag = parameter.value == "true" || parameter.value == "false";
    std::string other = parameter.value == "false" ? "true" : "false";
    if (!flag) other = SetParameter(changed, parameter.name, "7s") ? "7s" : "7";
    EXPECT_TRUE(SetParameter(changed, parameter.name, other)) << parameter.name;
    EXPECT_FALSE(changed == Parameters()) << parameter.name;
    bytes += flag ? sizeof(bool) : sizeof(std::int64_t);
  }
  EXPECT_LE(bytes, sizeof(Parameters));
  // Flags stand in runs; padding is less than one number per run.
  EXPECT_GT(bytes + 6 * sizeof(std::int64_t), sizeof(Parameters)) << "a field of Parameters has no name";
}

}  // namespace
}  // namespace vigil
