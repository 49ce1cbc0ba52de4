// Network: the state of the network as tools emulate it, down to the scheduler: a sync of a worker that is
// emulated to be offline waits for it.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "control/devtools/domain.h"

namespace vigil::control::devtools {

class NetworkDomain final : public DomainOf<NetworkDomain> {
 public:
  using DomainOf::DomainOf;
  ~NetworkDomain() override;
  static const Methods& Table();

 private:
  using Params = boost::json::object;
  void EmulateNetworkConditions(const Params& params, const Answer& answer);
  void EmulateNetworkConditionsByRule(const Params& params, const Answer& answer);
  void Nothing(const Params& params, const Answer& answer);

  // Of the worker that the session is at, or of all of the app's.
  void SetOffline(bool offline);

  std::set<std::uint64_t> offline_;  // registrations
};

}  // namespace vigil::control::devtools
