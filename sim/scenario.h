// What a seed means: the parameters of a world and the decisions taken in it.
//
// A decision is a verb and a few raw numbers that are read against whatever exists when its turn comes
// ("the third running event, counted round"). So any subset of a list of decisions is a meaningful list
// itself, which is what shrinking needs.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "vigil/parameters.h"

namespace vigil::sim {

enum class Verb : std::uint8_t {
  kRegister,
  kAcknowledge,
  kUnregister,
  kGetTags,
  kPage,           // a window client opens or closes
  kLink,           // online or offline, told or not yet
  kKnownNetwork,   // known or unknown to an origin
  kPermission,     // denied or allowed
  kInstallation,   // of an app
  kNotifications,  // allowed or not: more attempts
  kEngagement,     // of an origin
  kDeleteWorker,
  kClearOrigin,
  kEmulateOffline,
  kPass,    // time passes
  kFinish,  // an event ends
  kCommit,  // all waiting batches become one transaction
  kReport,  // … and the engine hears of it
  kDiskFault,
  kDiskHeals,
  kSetClock,  // the calendar clock jumps
  kSleep,     // the machine sleeps: the calendar goes on, the monotonic clock stands still
  kRestart,   // in good order
  kCrash,     // of the process
  kPowerCut,  // what was not synced is lost
};
inline constexpr std::size_t kVerbs = 25;
const char* VerbName(Verb verb);

struct Decision {
  Verb verb = Verb::kPass;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t c = 0;
};

// SplitMix64's constants; small, and the same everywhere.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next();
  std::uint32_t Below(std::uint32_t bound) { return static_cast<std::uint32_t>((Next() >> 32) % bound); }
  bool OneIn(std::uint32_t bound) { return Below(bound) == 0; }

 private:
  std::uint64_t state_;
};

struct Scenario {
  std::uint64_t seed = 0;
  Parameters parameters;
  Parameters believed;  // what the model goes by: the same, but in tests of the simulation itself
  std::vector<Decision> decisions;
};

// A run of many steps is cut into episodes, each a world of its own, so that many sets of parameters are
// tried and a failing list is short.
inline constexpr std::uint64_t kEpisodeSteps = 5'000;
Scenario MakeScenario(std::uint64_t run_seed, std::uint64_t episode, std::uint64_t steps);

}  // namespace vigil::sim
