// The life of a child: limits and sandbox from Start, then the event loop until the end.
#pragma once

#include "worker/native/worker.h"

namespace vigil::worker {

// data_bytes: private memory of the zygote, the base of the child's memory limit. spare: nobody waits for it
// yet.
[[noreturn]] void RunChild(Worker& worker, std::uint64_t data_bytes, bool spare);

}  // namespace vigil::worker
