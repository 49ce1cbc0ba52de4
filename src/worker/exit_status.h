// How a worker process says why it ends: exit statuses (worker/README.md) for whoever cannot receive Dying
// any more.
#pragma once

namespace vigil::worker {

enum ExitStatus : int {
  kExitOk = 0,
  kExitFatal = 70,
  kExitHeapLimit = 71,
  kExitCpuLimit = 72,
  kExitTerminated = 73,
  kExitProtocol = 74,
  kExitSandbox = 75,
  kExitTimerLimit = 76,
};

}  // namespace vigil::worker
