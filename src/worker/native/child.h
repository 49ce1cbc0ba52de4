// The life of a child: limits and sandbox from Start, then the event loop until the end.
#pragma once

#include "worker/native/worker.h"
#include "worker/sandbox.h"

namespace vigil::worker {

// What a child gets from its zygote.
struct ChildSetting {
  std::uint64_t data_bytes = 0;  // private memory of the zygote, the base of the child's memory limit
  Landlock landlock = Landlock::kIfThere;
};

// Walks once through what every worker's start and every event walk through (runtime/rehearsal.ts), in the
// service worker's context. Ends with no timer set and nothing to run.
void Rehearse(Worker& worker);
// spare: nobody waits for it yet.
[[noreturn]] void RunChild(Worker& worker, const ChildSetting& setting, bool spare);

}  // namespace vigil::worker
