// The walls around a child. They stand before the process hears of its app; from then on the process
// can compute, talk on its one socket, tell the time and end. Assumes that a script may own the process.
#pragma once

#include <cstdint>
#include <string>

namespace vigil::worker {

struct SandboxLimits {
  std::uint64_t data_bytes = 0;   // private writable memory of the process in all (RLIMIT_DATA); 0: no limit
  std::uint64_t cpu_seconds = 0;  // SIGXCPU after this much CPU time, SIGKILL a second later; 0: no limit
};

enum class Landlock { kIfThere, kOff };  // kOff: as on a kernel that has none

// What can be made ready once, before any fork.
void PrepareSandbox();
// Before anything is known of the app: not dumpable, first to go when memory runs out, no core, no file, no
// descriptor, no process more, memory and CPU time, no new privileges, landlock without a rule, seccomp.
// Returns what went wrong; empty: it stands. A kernel without landlock is not an error: seccomp alone refuses
// every call that names a file, and the daemon says so in its log.
std::string EnterSandbox(Landlock landlock, const SandboxLimits& limits);
// Version of landlock's interface, 0: the kernel has none or it is switched off.
int LandlockVersion();
// Private writable memory of this process now, in bytes; 0 when the kernel does not tell. Before the sandbox
// only.
std::uint64_t DataBytesNow();

}  // namespace vigil::worker
