// Emulation: virtual time, as far as the daemon has it. What else there is to emulate is about devices, which
// pages here do not have.
#pragma once

#include "control/devtools/domain.h"
#include "control/devtools/quiet_domain.h"

namespace vigil::control::devtools {

class EmulationDomain final : public Domain {
 public:
  explicit EmulationDomain(SessionView session) : session_(std::move(session)) {}

  bool Call(std::string_view command, const boost::json::object& params, const Answer& answer) override;
  std::vector<std::string_view> Commands() const override;

 private:
  // The clock is the daemon's: time passes for every app. Between two budgets it stands still, whatever the
  // policy. A budget that is used up is told by Emulation.virtualTimeBudgetExpired.
  void SetVirtualTimePolicy(const boost::json::object& params, const Answer& answer);

  const SessionView session_;
  QuietDomain others_;
};

}  // namespace vigil::control::devtools
