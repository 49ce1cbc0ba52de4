// The simulation itself: it repeats itself, it notices, and it shrinks.
#include "sim/run.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

namespace vigil::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

std::string TraceOf(std::uint64_t seed, std::uint64_t steps) {
  std::string text;
  const auto result = Run(
      seed, steps, [&](const std::string& line) { text += line + "\n"; }, nullptr);
  EXPECT_FALSE(result.failure) << result.failure->violation.rule << ": " << result.failure->violation.detail;
  return text + std::to_string(result.figures.hash);
}

std::vector<std::size_t> All(const Scenario& scenario) {
  std::vector<std::size_t> all(scenario.decisions.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

TEST(Run, IsTheSameEveryTimeToTheLastWord) {
  const std::string once = TraceOf(7, 6000);
  EXPECT_GT(once.size(), 100'000U);
  EXPECT_EQ(once, TraceOf(7, 6000));
  EXPECT_NE(once, TraceOf(8, 6000));
}

TEST(Run, AnySubsetOfTheDecisionsIsAWorldInWhichNothingIsWrong) {
  for (std::uint64_t episode = 0; episode < 4; ++episode) {
    const Scenario scenario = MakeScenario(3, episode, 2000);
    for (const std::size_t third : {0U, 1U, 2U}) {
      std::vector<std::size_t> keep = All(scenario);
      std::erase_if(keep, [&](std::size_t number) { return number % 3 == third; });
      const auto failure = Replay(scenario, keep);
      EXPECT_FALSE(failure) << failure->violation.rule << ": " << failure->violation.detail;
    }
  }
}

// A model that believes something else than the engine does must be contradicted.
struct Belief {
  const char* name;
  void (*change)(Parameters&);
};
const Belief kBeliefs[] = {
    {"retry delay", [](Parameters& p) { p.first_retry_delay += seconds(1); }},
    {"retry factor", [](Parameters& p) { p.retry_factor += 1; }},
    {"attempts", [](Parameters& p) { p.max_attempts += 1; }},
    {"attempts with notifications", [](Parameters& p) { p.max_attempts_with_notifications += 1; }},
    {"event limit", [](Parameters& p) { p.sync_event_limit += seconds(1); }},
    {"own failures", [](Parameters& p) { p.own_failure_delay += seconds(1); }},
    {"recovery", [](Parameters& p) { p.min_recovery_time += minutes(10); }},
    {"store retry", [](Parameters& p) { p.store_retry_delay += seconds(1); }},
    {"acknowledgement", [](Parameters& p) { p.acknowledge_timeout += seconds(1); }},
    {"gap", [](Parameters& p) { p.min_periodic_gap += minutes(1); }},
    {"gap across origins", [](Parameters& p) { p.min_periodic_gap_across_origins += minutes(1); }},
    {"batch window", [](Parameters& p) { p.periodic_batch_window += minutes(5); }},
    {"same tags", [](Parameters& p) { p.space_against_same_tag = !p.space_against_same_tag; }},
    {"erasing", [](Parameters& p) { p.revocation_erases = !p.revocation_erases; }},
    {"hurry", [](Parameters& p) { p.hurry_retry_on_reconnect = !p.hurry_retry_on_reconnect; }},
    {"installation", [](Parameters& p) { p.installation_required = !p.installation_required; }},
    {"known network", [](Parameters& p) { p.known_network_required = !p.known_network_required; }},
    {"engagement", [](Parameters& p) { p.engagement_checked_at_fire = !p.engagement_checked_at_fire; }},
    {"anchor", [](Parameters& p) { p.interval_change_keeps_anchor = !p.interval_change_keeps_anchor; }},
    {"reset",
     [](Parameters& p) { p.reregister_waiting_resets_attempts = !p.reregister_waiting_resets_attempts; }},
    {"factor of low", [](Parameters& p) { p.engagement_factor_low += 1; }},
};

TEST(Run, NoticesAModelThatBelievesSomethingElse) {
  for (const Belief& belief : kBeliefs) {
    bool noticed = false;
    for (std::uint64_t episode = 0; episode < 20 && !noticed; ++episode) {
      Scenario scenario = MakeScenario(5, episode, 4000);
      scenario.parameters = scenario.believed = Parameters();
      belief.change(scenario.believed);
      noticed = Replay(scenario, All(scenario)).has_value();
    }
    EXPECT_TRUE(noticed) << belief.name;
  }
}

TEST(Shrink, LeavesFewDecisionsThatBreakTheSameRule) {
  Scenario scenario = MakeScenario(1, 0, 3000);
  scenario.parameters = scenario.believed = Parameters();
  scenario.believed.first_retry_delay += seconds(1);
  const auto whole = Replay(scenario, All(scenario));
  ASSERT_TRUE(whole);
  const auto few = Shrink(scenario, All(scenario), 3000);
  EXPECT_LE(few.size(), 12U) << Ranges(few);
  const auto again = Replay(scenario, few);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->violation.rule, whole->violation.rule);
}

TEST(Ranges, AreReadAsTheyAreWritten) {
  const std::vector<std::size_t> numbers{3, 5, 6, 7, 9, 12, 13};
  EXPECT_EQ(Ranges(numbers), "3,5-7,9,12-13");
  EXPECT_EQ(ParseRanges("3,5-7,9,12-13"), numbers);
  EXPECT_EQ(ParseRanges(""), std::vector<std::size_t>());
  for (const char* wrong : {"a", "3-", "7-5", "1;2", "-4"}) EXPECT_FALSE(ParseRanges(wrong)) << wrong;
}

}  // namespace
}  // namespace vigil::sim
