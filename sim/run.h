// Runs of the simulation: episodes one after the other, and what to do with one that fails.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/world.h"

namespace vigil::sim {

struct Failure {
  std::uint64_t episode = 0;
  std::uint64_t step = 0;  // within the episode; its length: while everything ran to its end
  Violation violation;
};

struct RunResult {
  std::uint64_t steps = 0;
  Figures figures;
  std::optional<Failure> failure;
};

// Called after each episode with the steps done so far.
using Progress = std::function<void(std::uint64_t steps)>;

// Stops at the first violation.
RunResult Run(std::uint64_t seed, std::uint64_t steps, const World::Trace& trace, const Progress& progress);

// One world; `keep` are the numbers of the decisions to take, ascending. Everything is looked at in every
// step. nullopt: nothing is wrong.
std::optional<Failure> Replay(const Scenario& scenario, const std::vector<std::size_t>& keep,
                              const World::Trace& trace = nullptr);

// The numbers of few decisions that still break the same rule: delta debugging, at most `budget` replays.
std::vector<std::size_t> Shrink(const Scenario& scenario, std::vector<std::size_t> failing, int budget);

// "3,5-9,12" and back; nullopt: not such a list.
std::string Ranges(const std::vector<std::size_t>& numbers);
std::optional<std::vector<std::size_t>> ParseRanges(const std::string& text);

}  // namespace vigil::sim
