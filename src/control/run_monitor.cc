#include "control/run_monitor.h"

#include <utility>

namespace vigil::control {

void RunMonitor::DispatchSyncEvent(SyncEvent event, Done done) {
  SyncEvent copy = event;
  std::string origin = origin_of_(event.registration_id);
  dispatcher_.DispatchSyncEvent(std::move(event), [this, copy = std::move(copy), origin = std::move(origin),
                                                   done = std::move(done)](host::DispatchOutcome outcome) {
    metrics_.Ran(copy.kind, outcome);
    feed_.Run(copy, origin, outcome);
    done(std::move(outcome));
  });
}

}  // namespace vigil::control
