#include "sim/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "sim/describe.h"

namespace vigil::sim {
namespace {

// Looking at everything costs more than everything else together.
constexpr std::uint32_t kLookEvery = 32;

std::optional<Failure> RunWorld(const Scenario& scenario, const std::vector<std::size_t>& keep,
                                std::uint32_t look_every, const World::Trace& trace, Figures* figures) {
  World world(scenario, look_every, trace);
  std::optional<Failure> failure;
  std::uint64_t step = 0;
  for (const std::size_t number : keep) {
    if (number >= scenario.decisions.size()) break;
    step = number;
    if (trace) trace(fmt::format("{:6}  {}", number, Describe(scenario.decisions[number])));
    if (!world.Do(scenario.decisions[number])) break;
  }
  if (!world.violation()) {
    step = scenario.decisions.size();
    if (trace) trace("   end  everything in order: what is left runs to its end");
    world.Finale();
  }
  if (figures != nullptr) *figures = world.figures();
  if (world.violation()) failure = Failure{0, step, *world.violation()};
  return failure;
}

std::vector<std::size_t> AllOf(const Scenario& scenario) {
  std::vector<std::size_t> all(scenario.decisions.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

}  // namespace

RunResult Run(std::uint64_t seed, std::uint64_t steps, const World::Trace& trace, const Progress& progress) {
  RunResult result;
  for (std::uint64_t episode = 0; result.steps < steps; ++episode) {
    const std::uint64_t length = std::min(kEpisodeSteps, steps - result.steps);
    const Scenario scenario = MakeScenario(seed, episode, length);
    if (trace) trace(fmt::format("episode {}, parameters:\n{}", episode, Describe(scenario.parameters)));
    Figures figures;
    result.failure = RunWorld(scenario, AllOf(scenario), kLookEvery, trace, &figures);
    result.figures.Add(figures);
    result.steps += result.failure ? result.failure->step : length;
    if (result.failure) {
      result.failure->episode = episode;
      return result;
    }
    if (progress) progress(result.steps);
  }
  return result;
}

std::optional<Failure> Replay(const Scenario& scenario, const std::vector<std::size_t>& keep,
                              const World::Trace& trace) {
  return RunWorld(scenario, keep, 1, trace, nullptr);
}

std::vector<std::size_t> Shrink(const Scenario& scenario, std::vector<std::size_t> failing, int budget) {
  const auto first = Replay(scenario, failing);
  if (!first) return failing;
  std::size_t chunk = std::max<std::size_t>(1, failing.size() / 2);
  while (budget > 0) {
    bool smaller = false;
    for (std::size_t at = 0; at < failing.size() && budget > 0;) {
      std::vector<std::size_t> fewer(failing.begin(), failing.begin() + static_cast<std::ptrdiff_t>(at));
      const std::size_t after = std::min(failing.size(), at + chunk);
      fewer.insert(fewer.end(), failing.begin() + static_cast<std::ptrdiff_t>(after), failing.end());
      --budget;
      const auto failure = Replay(scenario, fewer);
      if (failure && failure->violation.rule == first->violation.rule) {
        // What comes after the failure is of no use.
        std::erase_if(fewer, [&](std::size_t number) { return number > failure->step; });
        failing = std::move(fewer);
        smaller = true;
      } else {
        at += chunk;
      }
    }
    if (chunk == 1 && !smaller) break;
    if (chunk > 1) chunk /= 2;
  }
  return failing;
}

std::string Ranges(const std::vector<std::size_t>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += last == i ? fmt::format("{}", numbers[i]) : fmt::format("{}-{}", numbers[i], numbers[last]);
    i = last + 1;
  }
  return text;
}

std::optional<std::vector<std::size_t>> ParseRanges(const std::string& text) {
  std::vector<std::size_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto number = [&](std::size_t& value) {
    const auto [rest, error] = std::from_chars(at, end, value);
    if (error != std::errc()) return false;
    at = rest;
    return true;
  };
  while (at < end) {
    std::size_t first = 0;
    if (!number(first)) return std::nullopt;
    std::size_t last = first;
    if (at < end && *at == '-') {
      ++at;
      if (!number(last)) return std::nullopt;
    }
    if (last < first || last - first > 100'000'000) return std::nullopt;
    for (std::size_t n = first; n <= last; ++n) numbers.push_back(n);
    if (at < end && *at++ != ',') return std::nullopt;
  }
  return numbers;
}

}  // namespace vigil::sim
