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

// spare: nobody waits for it yet.
[[noreturn]] void RunChild(Worker& worker, const ChildSetting& setting, bool spare);

}  // namespace vigil::worker
