#include "worker/sandbox.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <map>
#include <string_view>
#include <vector>

namespace vigil::worker {
namespace {

// ---------------------------------------------------------------------------------------------- landlock
// Written out because the headers of supported distributions are older than the kernels people run.
struct LandlockRuleset {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};
constexpr long kLandlockCreateRuleset = 444;
constexpr long kLandlockRestrictSelf = 446;
constexpr unsigned kLandlockVersionFlag = 1;

// Everything that the running kernel's version knows how to forbid.
LandlockRuleset EverythingForbidden(int version) {
  LandlockRuleset ruleset{(1ULL << 13) - 1, 0, 0};
  if (version >= 2) ruleset.handled_access_fs |= 1ULL << 13;  // refer
  if (version >= 3) ruleset.handled_access_fs |= 1ULL << 14;  // truncate
  if (version >= 5) ruleset.handled_access_fs |= 1ULL << 15;  // ioctl on devices
  if (version >= 4) ruleset.handled_access_net = 3;           // bind and connect
  if (version >= 6) ruleset.scoped = 3;                       // abstract sockets and signals
  return ruleset;
}

std::size_t RulesetSize(int version) {
  return version >= 6 ? sizeof(LandlockRuleset) : version >= 4 ? 16 : 8;
}

std::string EnterLandlock() {
  const int version = LandlockVersion();
  if (version == 0) return {};
  const LandlockRuleset ruleset = EverythingForbidden(version);
  const long fd = ::syscall(kLandlockCreateRuleset, &ruleset, RulesetSize(version), 0U);
  if (fd < 0) return std::string("landlock ruleset: ") + std::strerror(errno);
  const long restricted = ::syscall(kLandlockRestrictSelf, fd, 0U);
  const int error = errno;
  ::close(static_cast<int>(fd));
  if (restricted != 0) return std::string("landlock: ") + std::strerror(error);
  return {};
}

// ---------------------------------------------------------------------------------------------- seccomp
#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the worker's system call list is written for x86-64 and arm64"
#endif

// What V8, the C library and the event loop need, by intent.
constexpr long kAllowed[] = {
    // memory: heap, code and ArrayBuffers
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk,
    // the one socket
    SYS_read, SYS_write, SYS_sendto, SYS_sendmsg, SYS_recvfrom, SYS_recvmsg, SYS_ppoll, SYS_close,
#ifdef SYS_poll
    SYS_poll,
#endif
    // time and locks
    SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_futex, SYS_nanosleep, SYS_clock_nanosleep,
    SYS_sched_yield, SYS_restart_syscall,
#ifdef SYS_time
    SYS_time,
#endif
    // random bytes
    SYS_getrandom,
    // who am I, how much have I used
    SYS_getpid, SYS_gettid, SYS_getrusage, SYS_getcpu, SYS_sched_getaffinity,
    // return from the handlers that are installed before the sandbox; the end
    SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_exit, SYS_exit_group};

// Calls that a library or a curious script may try: answered with EPERM, so that they fail as on a machine
// where it is not allowed, and the refusal can be tested. Everything that is in neither list kills the
// process.
constexpr long kRefused[] = {
    // files and directories
    SYS_openat, SYS_openat2, SYS_statx, SYS_newfstatat, SYS_fstat, SYS_lseek, SYS_pread64, SYS_pwrite64,
    SYS_readv, SYS_writev, SYS_faccessat, SYS_readlinkat, SYS_getdents64, SYS_unlinkat, SYS_mkdirat,
    SYS_getcwd, SYS_chdir, SYS_memfd_create, SYS_fcntl, SYS_ioctl, SYS_dup, SYS_dup3, SYS_pipe2, SYS_statfs,
    SYS_fstatfs,
#ifdef SYS_open
    SYS_open, SYS_creat, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_unlink, SYS_mkdir, SYS_rename,
    SYS_pipe, SYS_dup2,
#endif
    // the network
    SYS_socket, SYS_socketpair, SYS_connect, SYS_bind, SYS_listen, SYS_accept, SYS_accept4, SYS_getsockopt,
    SYS_setsockopt, SYS_getsockname, SYS_getpeername, SYS_shutdown,
    // other processes
    SYS_execve, SYS_execveat, SYS_clone, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_ptrace,
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_open, SYS_pidfd_send_signal, SYS_pidfd_getfd,
    SYS_wait4, SYS_waitid, SYS_getppid,
#ifdef SYS_fork
    SYS_fork, SYS_vfork,
#endif
    // own settings, which stay as they are
    SYS_prctl, SYS_prlimit64, SYS_setrlimit, SYS_getrlimit, SYS_rt_sigaction, SYS_sigaltstack,
    SYS_sched_setaffinity, SYS_sched_getparam, SYS_sched_setscheduler, SYS_setpriority, SYS_sysinfo,
    SYS_uname, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_mlock, SYS_munlock, SYS_msync,
    SYS_mincore, SYS_membarrier, SYS_pkey_mprotect, SYS_pkey_alloc, SYS_pkey_free, SYS_set_robust_list,
    SYS_rseq, SYS_seccomp};
// Newer than some C libraries' headers, or answered specially: without clone3 the C library falls back to
// clone.
constexpr long kUnknown[] = {SYS_clone3};

sock_filter Statement(std::uint16_t code, std::uint32_t k) { return sock_filter{code, 0, 0, k}; }
sock_filter Jump(std::uint16_t code, std::uint32_t k, std::uint8_t yes, std::uint8_t no) {
  return sock_filter{code, yes, no, k};
}

// Calls from `first` up to the next range's `first` get the same answer.
struct Range {
  std::uint32_t first;
  std::uint32_t action;
};

std::vector<Range> Ranges() {
  std::map<std::uint32_t, std::uint32_t> answers;
  for (const long call : kAllowed) answers[static_cast<std::uint32_t>(call)] = SECCOMP_RET_ALLOW;
  for (const long call : kRefused) answers[static_cast<std::uint32_t>(call)] = SECCOMP_RET_ERRNO | EPERM;
  for (const long call : kUnknown) answers[static_cast<std::uint32_t>(call)] = SECCOMP_RET_ERRNO | ENOSYS;
  std::vector<Range> ranges = {{0, SECCOMP_RET_KILL_PROCESS}};
  const auto begin = [&ranges](std::uint32_t first, std::uint32_t action) {
    if (ranges.back().first == first) ranges.pop_back();
    if (ranges.empty() || ranges.back().action != action) ranges.push_back({first, action});
  };
  for (const auto& [call, action] : answers) {
    begin(call, action);
    begin(call + 1, SECCOMP_RET_KILL_PROCESS);
  }
  return ranges;
}

// A binary search over the ranges. When the filter is installed the kernel walks it once for every call there
// is (to remember which are always allowed), in every new worker: a list would cost as much as the fork.
void Search(std::vector<sock_filter>& program, const Range* ranges, std::size_t count) {
  if (count == 1) {
    program.push_back(Statement(BPF_RET | BPF_K, ranges->action));
    return;
  }
  const std::size_t half = count / 2;
  const std::size_t jump = program.size();
  program.push_back(Jump(BPF_JMP | BPF_JGE | BPF_K, ranges[half].first, 0, 0));
  Search(program, ranges, half);
  const std::size_t distance = program.size() - jump - 1;
  if (distance <= 255) {
    program[jump].jt = static_cast<std::uint8_t>(distance);
  } else {
    // Too far for a conditional jump: below goes over an unconditional one.
    program[jump].jf = 1;
    program.insert(program.begin() + static_cast<std::ptrdiff_t>(jump) + 1,
                   Statement(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(distance)));
  }
  Search(program, ranges + half, count - half);
}

std::vector<sock_filter> Program() {
  std::vector<sock_filter> program;
  program.push_back(Statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
  program.push_back(Jump(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
  program.push_back(Statement(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  program.push_back(Statement(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  const std::vector<Range> ranges = Ranges();
  Search(program, ranges.data(), ranges.size());
  return program;
}

// Built in the zygote (PrepareSandbox), used by every child.
const std::vector<sock_filter>& Filter() {
  static const std::vector<sock_filter> program = Program();
  return program;
}

struct LimitOrder {
  __rlimit_resource_t resource;
  std::uint64_t soft;
  std::uint64_t hard;
  const char* name;
};

std::string SetLimits(std::initializer_list<LimitOrder> orders) {
  for (const LimitOrder& order : orders) {
    rlimit limit{};
    ::getrlimit(order.resource, &limit);
    limit.rlim_max = std::min<rlim_t>(order.hard, limit.rlim_max);
    limit.rlim_cur = std::min<rlim_t>(order.soft, limit.rlim_max);
    if (::setrlimit(order.resource, &limit) != 0)
      return std::string(order.name) + ": " + std::strerror(errno);
  }
  return {};
}

// Nobody of the same user may look into this process or attach to it, whatever the system's ptrace policy.
std::string ForbidInspection() {
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return std::string("dumpable: ") + std::strerror(errno);
  return {};
}

// When memory runs out the kernel ends a worker before it ends the daemon or the zygote. Best effort: without
// /proc there is nothing to set.
void GoFirst() {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  constexpr std::string_view kFirst = "1000";
  [[maybe_unused]] const ssize_t written = ::write(fd, kFirst.data(), kFirst.size());
  ::close(fd);
}

std::string EnterSeccomp() {
  const std::vector<sock_filter>& program = Filter();
  const sock_fprog filter{static_cast<unsigned short>(program.size()),
                          const_cast<sock_filter*>(program.data())};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &filter) == 0) return {};
  return std::string("seccomp: ") + std::strerror(errno);
}

}  // namespace

int LandlockVersion() {
  const long version = ::syscall(kLandlockCreateRuleset, nullptr, 0UL, kLandlockVersionFlag);
  return version > 0 ? static_cast<int>(version) : 0;
}

std::uint64_t DataBytesNow() {
  const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[128] = {};
  const ssize_t size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  unsigned long data = 0;
  if (size <= 0 || std::sscanf(text, "%*u %*u %*u %*u %*u %lu", &data) != 1) return 0;
  return static_cast<std::uint64_t>(data) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void PrepareSandbox() { Filter(); }

std::string EnterSandbox(Landlock landlock, const SandboxLimits& limits) {
  GoFirst();  // a process that is not dumpable cannot open its own file for it
  if (auto error = ForbidInspection(); !error.empty()) return error;
  // The socket is open already; the descriptor limit bounds what could still be opened.
  constexpr std::uint64_t kNone = RLIM_INFINITY;
  const std::uint64_t data = limits.data_bytes > 0 ? limits.data_bytes : kNone;
  const std::uint64_t cpu = limits.cpu_seconds > 0 ? limits.cpu_seconds : kNone;
  if (auto error = SetLimits({{RLIMIT_CORE, 0, 0, "core limit"},
                              {RLIMIT_FSIZE, 0, 0, "file size limit"},
                              {RLIMIT_NOFILE, 4, 4, "descriptor limit"},
                              {RLIMIT_NPROC, 0, 0, "process limit"},
                              {RLIMIT_DATA, data, data, "memory limit"},
                              {RLIMIT_CPU, cpu, cpu == kNone ? kNone : cpu + 1, "CPU limit"}});
      !error.empty()) {
    return error;
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return std::string("no new privileges: ") + std::strerror(errno);
  if (auto error = landlock == Landlock::kOff ? std::string() : EnterLandlock(); !error.empty()) return error;
  return EnterSeccomp();
}

}  // namespace vigil::worker
