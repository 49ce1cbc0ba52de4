// Times as they are stored: microseconds since the Unix epoch. A damaged row may hold any number; what is
// read is cut to ±36,000 years, so that the difference of two times, or a time and a wait, cannot overflow.
#pragma once

#include <algorithm>
#include <cstdint>

#include "vigil/time.h"

namespace vigil::store {

inline WallTime ToWallTime(std::int64_t us) {
  constexpr std::int64_t kFar = std::int64_t{1} << 60;
  return WallTime(Duration(std::clamp(us, -kFar, kFar)));
}
inline std::int64_t ToMicroseconds(WallTime time) { return time.time_since_epoch().count(); }

}  // namespace vigil::store
