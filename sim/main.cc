// vigil-sim: runs the simulation. Everything on stdout depends on the arguments only; times go to stderr.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>

#include "sim/describe.h"
#include "sim/run.h"

namespace {

using vigil::sim::Failure;
using vigil::sim::RunResult;
using vigil::sim::Scenario;

constexpr const char* kHelp =
    R"(vigil-sim: drives the engine and the store through seeded worlds and compares them with a simple model.

  vigil-sim [--seed N] [--steps N] [--runs N] [--shrink] [--trace] [--json]
  vigil-sim --seed N --episode N [--keep LIST] [--shrink] [--trace]

  --seed N       which run (default 1); the same seed and steps give the same output
  --steps N      how many steps (default 100000), in episodes of 5000, each a world of its own
  --runs N       so many runs, of this seed and those after it (default 1)
  --episode N    only this episode
  --keep LIST    only these decisions of it, as in 3,5-9,12
  --shrink       on a violation, look for a short list of decisions that still fails
  --trace        print every decision, input and effect
  --json         print the result as one JSON object
  --help         this text

Exit status: 0 nothing is wrong, 1 a violation, 2 wrong arguments.
)";

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t steps = 100'000;
  std::uint64_t runs = 1;
  std::optional<std::uint64_t> episode;
  std::optional<std::vector<std::size_t>> keep;
  bool shrink = false;
  bool trace = false;
  bool json = false;
  bool help = false;
};

bool ReadNumber(std::string_view text, std::uint64_t& value) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && rest == text.data() + text.size();
}

std::optional<Options> ReadOptions(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string_view name = arguments[i];
    if (name == "--shrink" || name == "--trace" || name == "--json" || name == "--help") {
      options.shrink |= name == "--shrink";
      options.trace |= name == "--trace";
      options.json |= name == "--json";
      options.help |= name == "--help";
      continue;
    }
    if (i + 1 == count) return std::nullopt;
    const std::string value = arguments[++i];
    std::uint64_t number = 0;
    const bool is_number = ReadNumber(value, number);
    if (name == "--keep") {
      options.keep = vigil::sim::ParseRanges(value);
      if (!options.keep) return std::nullopt;
    } else if (name == "--seed" && is_number) {
      options.seed = number;
    } else if (name == "--steps" && is_number && number > 0) {
      options.steps = number;
    } else if (name == "--runs" && is_number) {
      options.runs = number;
    } else if (name == "--episode" && is_number) {
      options.episode = number;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

void Print(const std::string& line) { fmt::print("{}\n", line); }

// What went wrong, the decisions that lead there, and how to see it again.
void PrintFailure(const Options& options, const Failure& failure, std::vector<std::size_t> keep) {
  const Scenario scenario =
      vigil::sim::MakeScenario(options.seed, failure.episode, vigil::sim::kEpisodeSteps);
  fmt::print("VIOLATION: {}\n    {}\n    seed {}, episode {}, step {}\n", failure.violation.rule,
             failure.violation.detail, options.seed, failure.episode, failure.step);
  std::erase_if(keep, [&](std::size_t number) { return number > failure.step; });
  if (options.shrink && vigil::sim::Replay(scenario, keep)) {
    keep = vigil::sim::Shrink(scenario, keep, 3000);
    const auto last = vigil::sim::Replay(scenario, keep);
    fmt::print("shrunk to {} decisions, which break: {}\n    {}\nparameters:\n{}", keep.size(),
               last->violation.rule, last->violation.detail, vigil::sim::Describe(scenario.parameters));
    vigil::sim::Replay(scenario, keep, Print);
  } else if (!options.shrink) {
    fmt::print("add --shrink for a short list of decisions that still fails\n");
  }
  fmt::print("replay: vigil-sim --seed {} --episode {} --keep {} --trace\n", options.seed, failure.episode,
             vigil::sim::Ranges(keep));
}

int RunEpisode(const Options& options) {
  const Scenario scenario =
      vigil::sim::MakeScenario(options.seed, *options.episode, vigil::sim::kEpisodeSteps);
  std::vector<std::size_t> keep = options.keep.value_or(std::vector<std::size_t>());
  if (!options.keep) {
    for (std::size_t i = 0; i < scenario.decisions.size(); ++i) keep.push_back(i);
  }
  if (options.trace) fmt::print("parameters:\n{}", vigil::sim::Describe(scenario.parameters));
  auto failure = vigil::sim::Replay(scenario, keep, options.trace ? Print : vigil::sim::World::Trace());
  if (!failure) {
    fmt::print("{} decisions of episode {} of seed {}: nothing is wrong\n", keep.size(), *options.episode,
               options.seed);
    return 0;
  }
  failure->episode = *options.episode;
  PrintFailure(options, *failure, keep);
  return 1;
}

void PrintResult(const Options& options, const RunResult& result) {
  const auto& figures = result.figures;
  if (options.json) {
    fmt::print(
        "{{\"seed\":{},\"steps\":{},\"inputs\":{},\"events\":{},\"registrations\":{},\"transactions\":{},"
        "\"faults\":{},\"restarts\":{},\"hash\":\"{:016x}\",\"violation\":{}}}\n",
        options.seed, result.steps, figures.inputs, figures.events, figures.registrations,
        figures.transactions, figures.faults, figures.restarts, figures.hash,
        result.failure ? "\"" + result.failure->violation.rule + "\"" : "null");
    return;
  }
  fmt::print(
      "seed {}: {} steps, {} inputs, {} registrations, {} events dispatched, {} transactions, {} faults "
      "injected, {} restarts\ntrace hash {:016x}\n",
      options.seed, result.steps, figures.inputs, figures.registrations, figures.events, figures.transactions,
      figures.faults, figures.restarts, figures.hash);
}

int RunAll(const Options& options) {
  const auto begin = std::chrono::steady_clock::now();
  const std::clock_t processor_begin = std::clock();
  const bool terminal = isatty(STDERR_FILENO) == 1;
  const auto progress = [&](std::uint64_t steps) {
    if (terminal && !options.trace) fmt::print(stderr, "\r{} of {} steps", steps, options.steps);
  };
  const RunResult result = vigil::sim::Run(options.seed, options.steps,
                                           options.trace ? Print : vigil::sim::World::Trace(), progress);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  if (terminal) fmt::print(stderr, "\r");
  PrintResult(options, result);
  std::fflush(stdout);
  const double processor = static_cast<double>(std::clock() - processor_begin) / CLOCKS_PER_SEC;
  fmt::print(stderr, "{:.1f} s, {:.1f} s of one processor, {:.0f} steps/s on it\n", took.count(), processor,
             static_cast<double>(result.steps) / std::max(processor, 1e-6));
  if (!result.failure) return 0;
  std::vector<std::size_t> keep;
  for (std::size_t i = 0; i < vigil::sim::kEpisodeSteps; ++i) keep.push_back(i);
  if (!options.json) PrintFailure(options, *result.failure, std::move(keep));
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  const std::optional<Options> options = ReadOptions(count, arguments);
  if (!options || (options->keep && !options->episode)) {
    fmt::print(stderr, "vigil-sim: wrong arguments\n\n{}", kHelp);
    return 2;
  }
  if (options->help) {
    fmt::print("{}", kHelp);
    return 0;
  }
  if (options->episode) return RunEpisode(*options);
  Options one = *options;
  for (std::uint64_t run = 0; run < options->runs; ++run, ++one.seed) {
    if (const int status = RunAll(one); status != 0) return status;
  }
  return 0;
}
