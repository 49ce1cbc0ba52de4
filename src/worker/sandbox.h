// The walls around a child. Entered after the fork and before V8 runs or sees anything of the app; from then
// on the process can compute, talk on its one socket, tell the time and end. Assumes that a script may own
// the process.
#pragma once

#include <cstdint>
#include <string>

namespace vigil::worker {

struct SandboxLimits {
  std::uint64_t data_bytes = 0;   // private writable memory of the process in all (RLIMIT_DATA); 0: no limit
  std::uint64_t cpu_seconds = 0;  // SIGXCPU after this much CPU time, SIGKILL a second later; 0: no limit
};

// What can be made ready once, before any fork.
void PrepareSandbox();
// Resource limits, no new privileges, landlock without a rule (where the kernel has it), seccomp. Returns
// what went wrong; empty: the sandbox stands. A kernel without landlock is not an error: seccomp alone
// refuses every call that names a file.
std::string EnterSandbox(const SandboxLimits& limits);
// Version of landlock's interface, 0: the kernel has none or it is switched off.
int LandlockVersion();
// Private writable memory of this process now, in bytes; 0 when the kernel does not tell. Before the sandbox
// only.
std::uint64_t DataBytesNow();

}  // namespace vigil::worker
