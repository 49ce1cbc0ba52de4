// Forgetting an origin, wherever something of it is kept. Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "base/result.h"
#include "control/services.h"

namespace vigil::control {

// Registrations, what scripts stored, cookies, scores, networks and recorded events. Apps stay installed.
boost::asio::awaitable<Result<>> ClearOrigin(const Services& services, std::string origin);

}  // namespace vigil::control
