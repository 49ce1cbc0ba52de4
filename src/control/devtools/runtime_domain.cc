#include "control/devtools/runtime_domain.h"

#include <fmt/format.h>

#include "control/devtools/worker_reach.h"

namespace vigil::control::devtools {
namespace json = boost::json;

const RuntimeDomain::Methods& RuntimeDomain::Table() {
  static const Methods table = {
      {"addBinding", &RuntimeDomain::Nothing},
      {"callFunctionOn", &RuntimeDomain::CallFunctionOn},
      {"disable", &RuntimeDomain::Nothing},
      {"discardConsoleEntries", &RuntimeDomain::Nothing},
      {"enable", &RuntimeDomain::Nothing},
      {"evaluate", &RuntimeDomain::Evaluate},
      {"getIsolateId", &RuntimeDomain::GetIsolateId},
      {"getProperties", &RuntimeDomain::GetProperties},
      {"releaseObject", &RuntimeDomain::ReleaseObject},
      {"releaseObjectGroup", &RuntimeDomain::Nothing},
      {"runIfWaitingForDebugger", &RuntimeDomain::Nothing},
      {"setAsyncCallStackDepth", &RuntimeDomain::Nothing},
  };
  return table;
}

void RuntimeDomain::Nothing(const Params&, const Answer& answer) { answer(json::object()); }

void RuntimeDomain::GetIsolateId(const Params&, const Answer& answer) {
  answer(json::object{{"id", session_.target.id}});
}

void RuntimeDomain::CallFunctionOn(const Params& params, const Answer& answer) {
  if (!session_.worker) return answer(Refuse("No script runs here"));
  Spawn(session_.worker->Call("Runtime.callFunctionOn", params), answer);
}
void RuntimeDomain::GetProperties(const Params& params, const Answer& answer) {
  if (!session_.worker) return answer(Refuse("No script runs here"));
  Spawn(session_.worker->Call("Runtime.getProperties", params), answer);
}
void RuntimeDomain::ReleaseObject(const Params& params, const Answer& answer) {
  if (!session_.worker) return answer(Refuse("No script runs here"));
  Spawn(session_.worker->Call("Runtime.releaseObject", params), answer);
}

void RuntimeDomain::Evaluate(const Params&, const Answer& answer) {
  answer(
      Refuse(fmt::format("No script runs here: choose the service worker as the console's context, or open a "
                         "page (`vigil page open {}`)",
                         session_.target.url)));
}

}  // namespace vigil::control::devtools
