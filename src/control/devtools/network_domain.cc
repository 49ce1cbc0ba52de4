#include "control/devtools/network_domain.h"

#include <boost/json/array.hpp>

#include "host/host.h"
#include "host/sync_driver.h"

namespace vigil::control::devtools {
namespace json = boost::json;

NetworkDomain::~NetworkDomain() {
  for (const std::uint64_t registration : offline_)
    session_.services.syncs.EmulateOffline(registration, false);
}

const NetworkDomain::Methods& NetworkDomain::Table() {
  static const Methods table = {
      {"clearAcceptedEncodingsOverride", &NetworkDomain::Nothing},
      {"configureDurableMessages", &NetworkDomain::Nothing},
      {"disable", &NetworkDomain::Nothing},
      {"emulateNetworkConditions", &NetworkDomain::EmulateNetworkConditions},
      {"emulateNetworkConditionsByRule", &NetworkDomain::EmulateNetworkConditionsByRule},
      {"enable", &NetworkDomain::Nothing},
      {"enableDeviceBoundSessions", &NetworkDomain::Nothing},
      {"overrideNetworkState", &NetworkDomain::Nothing},
      {"setAttachDebugStack", &NetworkDomain::Nothing},
      {"setBlockedURLs", &NetworkDomain::Nothing},
  };
  return table;
}

void NetworkDomain::Nothing(const Params&, const Answer& answer) { answer(json::object()); }

void NetworkDomain::SetOffline(bool offline) {
  for (const auto& view : session_.services.host.Registrations()) {
    const bool ours = session_.target.registration_id != 0 ? view.id == session_.target.registration_id
                                                           : view.origin == session_.target.origin;
    if (!ours) continue;
    const bool changed = offline ? offline_.insert(view.id).second : offline_.erase(view.id) > 0;
    if (changed) session_.services.syncs.EmulateOffline(view.id, offline);
  }
}

// As in Chromium: what is emulated for a page leaves its service workers alone, unless the rule says
// otherwise.
void NetworkDomain::EmulateNetworkConditions(const Params& params, const Answer& answer) {
  const auto offline = BoolParam(params, "offline");
  if (!offline) return answer(tl::make_unexpected(offline.error()));
  if (session_.target.type == Target::Type::kServiceWorker) SetOffline(*offline);
  answer(json::object());
}

void NetworkDomain::EmulateNetworkConditionsByRule(const Params& params, const Answer& answer) {
  const auto offline = OptionalBoolParam(params, "offline");
  const auto workers = OptionalBoolParam(params, "emulateOfflineServiceWorker");
  if (!offline) return answer(tl::make_unexpected(offline.error()));
  if (!workers) return answer(tl::make_unexpected(workers.error()));
  const bool off = *offline && (*workers || session_.target.type == Target::Type::kServiceWorker);
  SetOffline(off);
  answer(json::object{{"ruleIds", json::array()}});
}

}  // namespace vigil::control::devtools
