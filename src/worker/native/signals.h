// What signals do to a child. The handlers are set before the sandbox, which lets nobody change them.
#pragma once

#include <cstdint>

#include "worker/native/worker.h"

namespace vigil::worker {

// SIGTERM and SIGXCPU end the worker in an orderly way even while a script loops.
void HandleSignals();
// A crash of a process that has used up most of these bytes, the memory that its sandbox lets it have besides
// what it was born with, is told as what it is: the end of its memory. 0: no limit.
void HandleCrashes(std::uint64_t memory_bytes);

}  // namespace vigil::worker
