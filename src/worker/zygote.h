// The loop of the zygote: forks a child per order of the daemon and reports the end of each
// (worker/README.md). Knows nothing of V8. One thread.
#pragma once

#include <functional>

#include "worker/messages.h"

namespace vigil::worker {

// Runs in a forked child with its socket as descriptor kChildSocket; must not return.
using ChildMain = std::function<void(const ForkOrder& order)>;

// The one descriptor that a child keeps. Not 0–2: what a library prints must never reach the daemon as a
// message.
inline constexpr int kChildSocket = 3;

// Serves the daemon on `fd` (SOCK_SEQPACKET) until it closes its end, then ends the process with status 0.
[[noreturn]] void RunZygote(int fd, const char* v8_version, const ChildMain& child);

}  // namespace vigil::worker
