// The life of a child: the sandbox, the Start, then the event loop until the end.
#pragma once

#include "worker/messages.h"
#include "worker/native/worker.h"
#include "worker/sandbox.h"

namespace vigil::worker {

// What a child gets from its zygote.
struct ChildSetting {
  std::uint64_t data_bytes = 0;  // private memory of the zygote, the base of the child's memory limit
  Landlock landlock = Landlock::kIfThere;
};

[[noreturn]] void RunChild(Worker& worker, const ChildSetting& setting, const ForkOrder& order);

}  // namespace vigil::worker
