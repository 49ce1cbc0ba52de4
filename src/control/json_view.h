// The daemon's views as JSON. Times come twice: "…_at" for people and tools (RFC 3339, UTC), "…_at_us" for
// sums.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "control/policy_service.h"
#include "host/host.h"
#include "vigil/registration.h"

namespace vigil::control {

boost::json::object ToJson(const host::AppView& app);
boost::json::object ToJson(const host::PageView& page);
boost::json::object ToJson(const host::RegistrationView& registration);
boost::json::object ToJson(const host::NotificationView& notification);
boost::json::object ToJson(const host::DispatchOutcome& outcome);
boost::json::object ToJson(const host::ConsoleLine& line);
// scope: of its service worker registration; empty when that is gone. last_failure: see SyncDriver.
boost::json::object ToJson(const vigil::RegistrationView& sync, const std::string& scope,
                           const std::string& last_failure);
boost::json::object ToJson(const PermissionView& permission);
boost::json::object ToJson(const EngagementView& engagement);
boost::json::object ToJson(const EngagementChange& change);

// Sets name (RFC 3339) and name_us; both null when there is no such time.
void SetTime(boost::json::object& object, std::string_view name, std::optional<WallTime> time);

}  // namespace vigil::control
