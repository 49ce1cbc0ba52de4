// How the calls of the C API reach the driver, so that no exception leaves and none leaves a trap behind.
#pragma once

#include <optional>
#include <utility>

#include "capi/border.h"
#include "capi/handles.h"

namespace vigil::capi {

inline bool IsKind(vigil_kind kind) { return kind == VIGIL_ONE_SHOT || kind == VIGIL_PERIODIC; }
inline SyncKind KindOf(vigil_kind kind) {
  return kind == VIGIL_PERIODIC ? SyncKind::kPeriodic : SyncKind::kOneShot;
}

// Callbacks may be made while it lives.
class Inside {
 public:
  explicit Inside(vigil_engine& engine) : engine_(engine) { ++engine_.depth; }
  ~Inside() { --engine_.depth; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  vigil_engine& engine_;
};

// Calls the driver. Where memory runs out in the outermost call a step may be half done. A nested call only
// puts its input into the queue, or does not.
template <class Fn>
vigil_status Drive(vigil_engine& engine, Fn fn) noexcept {
  const Inside inside(engine);
  const bool outermost = !engine.stepping;
  engine.stepping = true;
  vigil_status status = VIGIL_OK;
  try {
    status = fn(engine.driver);
  } catch (...) {
    engine.broken = engine.broken || outermost;
    status = outermost ? VIGIL_ERROR_BROKEN : VIGIL_ERROR_OUT_OF_MEMORY;
  }
  if (outermost) engine.stepping = false;
  return status;
}

inline vigil_status Usable(const vigil_engine* engine) {
  if (!IsHandle(engine)) return VIGIL_ERROR_INVALID_HANDLE;
  if (engine->ports.asking()) return VIGIL_ERROR_BUSY;
  if (engine->broken) return VIGIL_ERROR_BROKEN;
  return engine->started ? VIGIL_OK : VIGIL_ERROR_NOT_STARTED;
}

// make() copies the arguments; give(driver, copy) hands them over. Memory that is missing for the copy leaves
// the engine as it was.
template <class Make, class Give>
vigil_status Tell(vigil_engine* engine, Make make, Give give) noexcept {
  if (const vigil_status status = Usable(engine); status != VIGIL_OK) return status;
  std::optional<decltype(make())> copy;
  const vigil_status copied = Guarded([&]() -> vigil_status {
    copy.emplace(make());
    return VIGIL_OK;
  });
  if (copied != VIGIL_OK) return copied;
  return Drive(*engine, [&](Driver& driver) -> vigil_status {
    give(driver, std::move(*copy));
    return VIGIL_OK;
  });
}

}  // namespace vigil::capi
