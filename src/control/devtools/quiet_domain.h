// Domains about what Vigil's pages do not have (layout, painting, input, devices): front ends and test
// libraries switch them on and set them up whatever they are for. That has no effect; asking them for
// something is refused.
#pragma once

#include "control/devtools/domain.h"

namespace vigil::control::devtools {

class QuietDomain final : public Domain {
 public:
  bool Call(std::string_view command, const boost::json::object& params, const Answer& answer) override;
  std::vector<std::string_view> Commands() const override { return {"enable", "disable"}; }
};

// Their names.
const std::vector<std::string_view>& QuietDomainNames();

}  // namespace vigil::control::devtools
