// Browser: the daemon itself, and permissions.
#pragma once

#include "control/devtools/domain.h"

namespace vigil::control::devtools {

class BrowserDomain final : public DomainOf<BrowserDomain> {
 public:
  using DomainOf::DomainOf;
  static const Methods& Table();

 private:
  using Params = boost::json::object;
  void GetVersion(const Params& params, const Answer& answer);
  void GetWindowForTarget(const Params& params, const Answer& answer);
  void GrantPermissions(const Params& params, const Answer& answer);
  void ResetPermissions(const Params& params, const Answer& answer);
  void SetDownloadBehavior(const Params& params, const Answer& answer);
  void SetPermission(const Params& params, const Answer& answer);
};

}  // namespace vigil::control::devtools
