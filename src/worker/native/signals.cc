#include "worker/native/signals.h"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace vigil::worker {
namespace {

// SIGTERM: the daemon asks for the end. SIGXCPU: the CPU limit is reached; SIGKILL follows a second later.
void OnSignal(int signal) {
  Worker& worker = *Worker::instance;
  worker.end_status = signal == SIGXCPU ? kExitCpuLimit : kExitTerminated;
  if (worker.asleep != 0) worker.EndIfAsked();
  worker.isolate->TerminateExecution();
}

// What the sandbox lets this process have besides what it was born with; 0: no limit.
std::uint64_t memory_bytes = 0;

// V8 and the libraries around it do not look everywhere at what they are given when there is no memory. A
// process that crashes with much of its memory in use says that it has run out of it; any other crash goes
// its way, since this handler is gone when the fault happens again. A signal that somebody sent (and not the
// kernel, for a fault) would not come again.
void OnCrash(int, siginfo_t* info, void*) {
  void* probe = ::mmap(nullptr, memory_bytes / 4 * 3, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED) ::_exit(kExitHeapLimit);
  if (info->si_code <= 0) __builtin_trap();
}

}  // namespace

void HandleSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaddset(&action.sa_mask, SIGXCPU);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGXCPU, &action, nullptr);
}

void HandleCrashes(std::uint64_t bytes) {
  if (bytes == 0) return;
  memory_bytes = bytes;
  static std::array<char, 64 * 1024> stack;
  stack_t alternative{};
  alternative.ss_sp = stack.data();
  alternative.ss_size = stack.size();
  if (::sigaltstack(&alternative, nullptr) != 0) return;
  struct sigaction action {};
  action.sa_sigaction = OnCrash;
  action.sa_flags = static_cast<int>(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGSEGV, SIGABRT, SIGILL, SIGTRAP}) sigaction(signal, &action, nullptr);
}

}  // namespace vigil::worker
