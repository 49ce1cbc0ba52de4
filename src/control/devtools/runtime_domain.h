// Runtime of a target that has no V8 of its own: an app of which the session shows the data, not a page. A
// session at an open page or a worker speaks with V8 itself.
#pragma once

#include "control/devtools/domain.h"

namespace vigil::control::devtools {

class RuntimeDomain final : public DomainOf<RuntimeDomain> {
 public:
  using DomainOf::DomainOf;
  static const Methods& Table();

 private:
  using Params = boost::json::object;
  void Evaluate(const Params& params, const Answer& answer);
  // What a pane shows (a stored value) is an object of the app's service worker.
  void CallFunctionOn(const Params& params, const Answer& answer);
  void GetProperties(const Params& params, const Answer& answer);
  void ReleaseObject(const Params& params, const Answer& answer);
  void GetIsolateId(const Params& params, const Answer& answer);
  void Nothing(const Params& params, const Answer& answer);
};

}  // namespace vigil::control::devtools
