// What a spare child does while nobody waits for it.
#pragma once

#include "worker/native/worker.h"

namespace vigil::worker {

// Walks once through what every start of a service worker and every event walk through, with a small worker
// of ours. A forked child gets its own copy of a page of memory when it first writes to it, and finds the
// pages of the program when it first runs them; that happens here, not while an event waits. Nothing is sent,
// no timer is left, and what the bundle remembers is forgotten (runtime/rehearsal.ts).
void Rehearse(Worker& worker);

}  // namespace vigil::worker
