// Time as the engine sees it: two clocks that never mix.
//
// WallTime is calendar time (what users see, what is written to disk, what may jump when somebody sets the
// clock). MonoTime only counts forwards, stands still for no one and means nothing after a restart. Both
// count microseconds. Nothing in the engine reads either clock: the present is an argument (Now).
#pragma once

#include <chrono>

namespace vigil {

using Duration = std::chrono::microseconds;
using WallTime = std::chrono::sys_time<Duration>;

// Tag of the monotonic time line; it has no now() on purpose.
struct MonotonicTimeline {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicTimeline, Duration>;
  static constexpr bool is_steady = true;
};
using MonoTime = MonotonicTimeline::time_point;

// The present, on both time lines, read at one moment by whoever drives the engine.
struct Now {
  WallTime wall{};
  MonoTime mono{};
};

}  // namespace vigil
