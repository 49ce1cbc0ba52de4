// The clocks of a worker: the system's, or the daemon's virtual one, which stands still between two
// ClockState messages. Times in microseconds.
#pragma once

#include <cstdint>

#include "worker/messages.h"

namespace vigil::worker {

// CLOCK_MONOTONIC, always.
std::int64_t RealMonoUs();

class WorkerClock {
 public:
  void Apply(const ClockSetting& setting) { setting_ = setting; }
  bool is_virtual() const { return setting_.is_virtual; }
  std::int64_t WallUs() const;
  std::int64_t MonoUs() const;

 private:
  ClockSetting setting_;
};

}  // namespace vigil::worker
