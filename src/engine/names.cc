#include "vigil/engine.h"

namespace vigil {

const char* SyncKindName(SyncKind kind) { return kind == SyncKind::kOneShot ? "sync" : "periodicsync"; }

const char* SyncStateName(SyncState state) {
  switch (state) {
    case SyncState::kPending:
      return "pending";
    case SyncState::kWaiting:
      return "waiting";
    case SyncState::kFiring:
      return "firing";
    case SyncState::kReregisteredWhileFiring:
      return "reregistered-while-firing";
    case SyncState::kSuspended:
      return "suspended";
  }
  return "pending";
}

const char* WaitReasonName(WaitReason reason) {
  switch (reason) {
    case WaitReason::kRunning:
      return "running";
    case WaitReason::kReady:
      return "ready";
    case WaitReason::kDisabled:
      return "disabled";
    case WaitReason::kStoreFailed:
      return "store-failed";
    case WaitReason::kStoring:
      return "storing";
    case WaitReason::kPermissionDenied:
      return "permission-denied";
    case WaitReason::kNotInstalled:
      return "not-installed";
    case WaitReason::kSuspended:
      return "suspended-no-engagement";
    case WaitReason::kNotAcknowledged:
      return "not-acknowledged";
    case WaitReason::kOwnFailure:
      return "not-started";
    case WaitReason::kRetry:
      return "waiting-for-retry";
    case WaitReason::kPeriod:
      return "waiting-for-period";
    case WaitReason::kOffline:
      return "offline";
    case WaitReason::kEmulatedOffline:
      return "emulated-offline";
    case WaitReason::kUnknownNetwork:
      return "unknown-network";
    case WaitReason::kAcrossOrigins:
      return "other-origin-ran";
    case WaitReason::kQueued:
      return "queued";
  }
  return "ready";
}

const char* EngagementLevelName(EngagementLevel level) {
  switch (level) {
    case EngagementLevel::kNone:
      return "none";
    case EngagementLevel::kMinimal:
      return "minimal";
    case EngagementLevel::kLow:
      return "low";
    case EngagementLevel::kMedium:
      return "medium";
    case EngagementLevel::kHigh:
      return "high";
    case EngagementLevel::kMax:
      return "max";
  }
  return "none";
}

const char* DispatchOutcomeName(DispatchOutcome outcome) {
  switch (outcome) {
    case DispatchOutcome::kSucceeded:
      return "succeeded";
    case DispatchOutcome::kRejected:
      return "waitUntil rejected";
    case DispatchOutcome::kFailed:
      return "failed";
    case DispatchOutcome::kAborted:
      return "aborted";
    case DispatchOutcome::kTimeout:
      return "timeout";
    case DispatchOutcome::kUnknown:
      return "unknown error";
    case DispatchOutcome::kNotStarted:
      return "not started";
  }
  return "unknown error";
}

}  // namespace vigil
