// Looks at the machine and says what stands in Vigil's way and what to do about it. Needs no daemon, but
// talks to one if it is told what that one says.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vigil::daemon {

struct Check {
  enum class State { kGood, kWarning, kBad };
  std::string name;  // "landlock", stable
  State state = State::kGood;
  std::string detail;  // what was found
  std::string advice;  // what to do; empty when good
};

// Kernel features, user, worker executable (started once), data directory, network. Blocks, a few seconds at
// most.
std::vector<Check> Diagnose(const std::filesystem::path& data_directory);

}  // namespace vigil::daemon
