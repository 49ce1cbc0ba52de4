// Log: what Vigil itself has to tell about the target's origin.
#pragma once

#include <cstdint>

#include "control/devtools/domain.h"

namespace vigil::control::devtools {

class LogDomain final : public DomainOf<LogDomain> {
 public:
  using DomainOf::DomainOf;
  ~LogDomain() override;
  static const Methods& Table();

 private:
  using Params = boost::json::object;
  void Clear(const Params& params, const Answer& answer);
  void Disable(const Params& params, const Answer& answer);
  void Enable(const Params& params, const Answer& answer);

  void OnLine(const boost::json::object& line) const;

  std::uint64_t lines_ = 0;
};

}  // namespace vigil::control::devtools
