// Letting the daemon's virtual time pass. Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "base/result.h"
#include "control/services.h"
#include "vigil/time.h"

namespace vigil::control {

// As VirtualClock::Advance(); the new time is stored first: a daemon that dies half-way goes on from the end
// of the jump, never from before its start. kUnavailable: the clock is real, or is being advanced already.
boost::asio::awaitable<Result<>> AdvanceClock(const Services& services, Duration by,
                                              std::function<void(const Now&)> moved = {});

}  // namespace vigil::control
