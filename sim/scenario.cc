#include "sim/scenario.h"

#include <numeric>

namespace vigil::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct VerbWeight {
  const char* name;
  std::uint32_t weight;
};
// In the order of Verb; how often each is taken, out of their sum.
constexpr std::array<VerbWeight, kVerbs> kTable = {{
    {"register", 1400},   {"acknowledge", 900},    {"unregister", 150},    {"get-tags", 100},
    {"page", 100},        {"link", 300},           {"known-network", 100}, {"permission", 80},
    {"installation", 60}, {"notifications", 50},   {"engagement", 150},    {"delete-worker", 25},
    {"clear-origin", 15}, {"emulate-offline", 60}, {"pass", 1900},         {"finish", 1600},
    {"commit", 1700},     {"report", 700},         {"disk-fault", 30},     {"disk-heals", 60},
    {"set-clock", 50},    {"sleep", 50},           {"restart", 8},         {"crash", 9},
    {"power-cut", 9},
}};

template <class T, std::size_t N>
T Pick(Numbers& numbers, const T (&choices)[N]) {
  return choices[numbers.Below(N)];
}

void ChooseBoth(Numbers& numbers, Parameters& p) {
  p.disabled = numbers.OneIn(40);
  p.skip_permission_check = numbers.OneIn(20);
  p.max_tag_bytes = Pick<std::int64_t>(numbers, {10'240, 8});
  p.max_attempts = 1 + numbers.Below(4);
  p.max_attempts_with_notifications = 1 + numbers.Below(5);
  p.first_retry_delay = Pick<Duration>(numbers, {minutes(5), seconds(30)});
  p.retry_factor = Pick<double>(numbers, {3, 3, 2, 1.5, 1});
  p.jitter = Pick<double>(numbers, {0, 0, 0.3, 1});
  p.sync_event_limit = Pick<Duration>(numbers, {minutes(3), minutes(1)});
  p.min_recovery_time = Pick<Duration>(numbers, {minutes(6), seconds(30)});
  p.max_parallel_events = Pick<std::int64_t>(numbers, {0, 0, 1, 2});
  p.max_parallel_events_per_origin = Pick<std::int64_t>(numbers, {100, 0, 1, 3});
  p.own_failure_delay = Pick<Duration>(numbers, {seconds(1), seconds(7)});
  p.own_failure_delay_max = Pick<Duration>(numbers, {minutes(1), seconds(20)});
  p.store_retry_delay = Pick<Duration>(numbers, {seconds(10), minutes(2)});
  p.clock_jump_tolerance = Pick<Duration>(numbers, {seconds(2), seconds(0)});
  p.revocation_erases = !numbers.OneIn(4);
  p.permission_checked_at_fire = !numbers.OneIn(5);
  p.start_failure_counts_as_attempt = numbers.OneIn(4);
  p.hurry_retry_on_reconnect = !numbers.OneIn(3);
  p.client_checked_before_permission = numbers.OneIn(2);
  p.window_client_required = !numbers.OneIn(4);
}

void ChooseOneShot(Numbers& numbers, Parameters& p) {
  p.reregister_waiting_fires_now = !numbers.OneIn(3);
  p.reregister_waiting_resets_attempts = !numbers.OneIn(3);
  p.acknowledge_timeout = Pick<Duration>(numbers, {seconds(10), minutes(1), seconds(0)});
}

void ChoosePeriodic(Numbers& numbers, Parameters& p) {
  p.min_periodic_gap = Pick<Duration>(numbers, {hours(12), hours(12), hours(1), seconds(0)});
  p.space_against_same_tag = !numbers.OneIn(3);
  p.min_periodic_gap_across_origins = Pick<Duration>(numbers, {seconds(0), hours(12), hours(1)});
  p.periodic_batch_window = Pick<Duration>(numbers, {minutes(10), minutes(10), minutes(1), seconds(0)});
  p.engagement_factor_none = numbers.OneIn(8) ? 4 : 0;
  p.engagement_factor_minimal = numbers.OneIn(8) ? 0 : 3;
  p.engagement_checked_at_fire = !numbers.OneIn(4);
  p.known_network_required = !numbers.OneIn(3);
  p.installation_required = !numbers.OneIn(3);
  p.interval_change_keeps_anchor = !numbers.OneIn(3);
  p.periodic_reregistered_fires_again = numbers.OneIn(3);
}

Parameters ChromiumsWay() {
  Parameters p;
  p.client_checked_before_permission = true;
  p.reregister_waiting_fires_now = false;
  p.hurry_retry_on_reconnect = false;
  p.permission_checked_at_fire = false;
  p.start_failure_counts_as_attempt = true;
  p.max_parallel_events_per_origin = 0;
  p.space_against_same_tag = false;
  p.acknowledge_timeout = Duration::zero();
  p.min_periodic_gap_across_origins = Duration::zero();
  p.engagement_checked_at_fire = false;
  p.known_network_required = false;
  p.interval_change_keeps_anchor = false;
  p.periodic_reregistered_fires_again = true;
  return p;
}

Parameters ChooseParameters(Numbers& numbers) {
  const std::uint32_t style = numbers.Below(8);
  if (style == 0) return Parameters();
  if (style == 1) return ChromiumsWay();
  Parameters p;
  ChooseBoth(numbers, p);
  ChooseOneShot(numbers, p);
  ChoosePeriodic(numbers, p);
  return p;
}

// Each world has its own habits: some verbs are left out, some come more often.
std::array<std::uint32_t, kVerbs> ChooseWeights(Numbers& numbers) {
  std::array<std::uint32_t, kVerbs> weights{};
  for (std::size_t i = 0; i < kVerbs; ++i) {
    weights[i] = kTable[i].weight;
    const std::uint32_t habit = numbers.Below(10);
    const Verb verb = static_cast<Verb>(i);
    const bool vital = verb == Verb::kRegister || verb == Verb::kPass || verb == Verb::kCommit ||
                       verb == Verb::kFinish || verb == Verb::kReport || verb == Verb::kDiskHeals;
    if (habit == 0 && !vital) weights[i] = 0;
    if (habit == 9) weights[i] *= 2;
  }
  return weights;
}

}  // namespace

const char* VerbName(Verb verb) { return kTable[static_cast<std::size_t>(verb)].name; }

std::uint64_t Numbers::Next() {
  state_ += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

Scenario MakeScenario(std::uint64_t run_seed, std::uint64_t episode, std::uint64_t steps) {
  Scenario scenario;
  Numbers mixed(run_seed * 0x9E3779B97F4A7C15ULL + episode);
  scenario.seed = mixed.Next();
  Numbers numbers(scenario.seed);
  scenario.parameters = ChooseParameters(numbers);
  scenario.believed = scenario.parameters;
  const auto weights = ChooseWeights(numbers);
  const std::uint32_t total = std::accumulate(weights.begin(), weights.end(), 0U);
  scenario.decisions.reserve(steps);
  for (std::uint64_t i = 0; i < steps; ++i) {
    std::uint32_t at = numbers.Below(total);
    std::size_t verb = 0;
    while (at >= weights[verb]) at -= weights[verb++];
    const std::uint64_t ab = numbers.Next();
    scenario.decisions.push_back({static_cast<Verb>(verb), static_cast<std::uint32_t>(ab >> 32),
                                  static_cast<std::uint32_t>(ab),
                                  static_cast<std::uint32_t>(numbers.Next() >> 32)});
  }
  return scenario;
}

}  // namespace vigil::sim
