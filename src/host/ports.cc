#include "host/ports.h"

namespace vigil::host {

const char* DispatchOutcomeName(DispatchOutcome::Kind kind) {
  switch (kind) {
    case DispatchOutcome::Kind::kSucceeded:
      return "succeeded";
    case DispatchOutcome::Kind::kRejected:
      return "rejected";
    case DispatchOutcome::Kind::kFailed:
      return "failed";
    case DispatchOutcome::Kind::kTimeout:
      return "timeout";
    case DispatchOutcome::Kind::kNotStarted:
      return "not-started";
  }
  return "not-started";
}

const char* PermissionStateName(PermissionState state) {
  switch (state) {
    case PermissionState::kGranted:
      return "granted";
    case PermissionState::kDenied:
      return "denied";
    case PermissionState::kPrompt:
      return "prompt";
  }
  return "prompt";
}

}  // namespace vigil::host
