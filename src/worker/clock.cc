#include "worker/clock.h"

#include <ctime>

namespace vigil::worker {
namespace {

std::int64_t Read(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace

std::int64_t RealMonoUs() { return Read(CLOCK_MONOTONIC); }

std::int64_t WorkerClock::WallUs() const {
  return setting_.is_virtual ? setting_.wall_us : Read(CLOCK_REALTIME);
}
std::int64_t WorkerClock::MonoUs() const { return setting_.is_virtual ? setting_.mono_us : RealMonoUs(); }

}  // namespace vigil::worker
