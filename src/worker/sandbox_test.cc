// The walls, tried from inside: raw system calls of a real child, made by a script.
#include "worker/sandbox.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "worker/testing_host.h"

namespace vigil::worker {
namespace {

using testing::TestWorker;
using testing::TestZygote;

// The same attempts with landlock and without: a kernel that has none leaves nothing open.
class Sandbox : public ::testing::TestWithParam<Landlock> {
 protected:
  static void SetUpTestSuite() {
    with_ = std::make_unique<TestZygote>(VIGIL_TEST_BUNDLE);
    without_ = std::make_unique<TestZygote>(VIGIL_TEST_BUNDLE, "--no-landlock");
  }
  static void TearDownTestSuite() {
    with_.reset();
    without_.reset();
  }
  TestZygote& Zygote() const { return GetParam() == Landlock::kOff ? *without_ : *with_; }

  std::unique_ptr<TestWorker> Started() const {
    auto worker = Zygote().Fork();
    ipc::Start start;
    start.set_test_natives(true);
    EXPECT_TRUE(worker->Start(start));
    return worker;
  }
  // The errno of a call as a script of the worker makes it.
  static std::string Call(TestWorker& worker, long number, const std::string& words = "0, 0, 0, 0, 0, 0") {
    return worker.Evaluate("__vigilTest.syscall(" + std::to_string(number) + ", " + words + ")");
  }
  // How the process ended, as wait() tells it.
  int StatusOfDead(TestWorker& worker) const {
    worker.ReadDying();
    return Zygote().WaitExited(worker.pid());
  }
  // True: the process was killed for a forbidden call.
  bool DiesOfSystemCall(TestWorker& worker) const {
    const int status = StatusOfDead(worker);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
  }

  static inline std::unique_ptr<TestZygote> with_;
  static inline std::unique_ptr<TestZygote> without_;
};

INSTANTIATE_TEST_SUITE_P(, Sandbox, ::testing::Values(Landlock::kIfThere, Landlock::kOff),
                         [](const auto& info) {
                           return info.param == Landlock::kOff ? std::string("WithoutLandlock")
                                                               : std::string("AsTheKernelAllows");
                         });

const std::string kRefused = std::to_string(EPERM);

TEST(SandboxWithoutLandlock, IsSaidInTheLog) {
  ::testing::internal::CaptureStderr();
  TestZygote(VIGIL_TEST_BUNDLE, "--no-landlock").Close();
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::HasSubstr("no landlock"));
}

TEST_P(Sandbox, RefusesFiles) {
  auto worker = Started();
  for (const std::string path :
       {"/etc/passwd", "/proc/self/maps", "/proc/self/mem", "/proc/1/status", ".", "/tmp"}) {
    EXPECT_EQ(Call(*worker, SYS_openat, "-100, '" + path + "\\0', 0, 0"), kRefused) << path;
  }
  EXPECT_EQ(Call(*worker, SYS_openat,
                 "-100, '/tmp/vigil-escape\\0', " + std::to_string(O_WRONLY | O_CREAT) + ", 384"),
            kRefused);
  EXPECT_NE(::access("/tmp/vigil-escape", F_OK), 0);
}

TEST_P(Sandbox, RefusesSockets) {
  auto worker = Started();
  for (const int family : {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK}) {
    EXPECT_EQ(Call(*worker, SYS_socket, std::to_string(family) + ", 1, 0"), kRefused) << family;
  }
  EXPECT_EQ(Call(*worker, SYS_connect, "3, new Uint8Array(16), 16"), kRefused);
}

TEST_P(Sandbox, RefusesForkBombsAndPrograms) {
  auto worker = Started();
  EXPECT_EQ(
      worker->Evaluate("let refused = 0; for (let i = 0; i < 1000; i++) refused += __vigilTest.syscall(" +
                       std::to_string(SYS_clone) + ", 17, 0, 0, 0, 0) === " + kRefused + "; refused"),
      "1000");
  EXPECT_EQ(Call(*worker, SYS_clone3, "new Uint8Array(88), 88"), std::to_string(ENOSYS));
  EXPECT_EQ(Call(*worker, SYS_execve, "'/bin/true\\0', 0, 0"), kRefused);
}

TEST_P(Sandbox, KeepsSiblingsApart) {
  auto worker = Started();
  auto sibling = Started();
  for (const long pid : {static_cast<long>(sibling->pid()), static_cast<long>(Zygote().pid()),
                         static_cast<long>(::getpid()), 1L}) {
    const std::string whom = std::to_string(pid);
    EXPECT_EQ(Call(*worker, SYS_kill, whom + ", 0"), kRefused);
    EXPECT_EQ(Call(*worker, SYS_tgkill, whom + ", " + whom + ", 0"), kRefused);
    EXPECT_EQ(Call(*worker, SYS_pidfd_open, whom + ", 0"), kRefused);
    EXPECT_EQ(Call(*worker, SYS_ptrace, std::to_string(PTRACE_SEIZE) + ", " + whom + ", 0, 0"), kRefused);
    EXPECT_EQ(Call(*worker, SYS_process_vm_readv, whom + ", new Uint8Array(16), 1, new Uint8Array(16), 1, 0"),
              kRefused);
    EXPECT_EQ(Call(*worker, SYS_openat, "-100, '/proc/" + whom + "/mem\\0', 2, 0"), kRefused);
  }
  EXPECT_EQ(sibling->Evaluate("1"), "1");
}

TEST_P(Sandbox, KeepsItsOwnSettings) {
  auto worker = Started();
  EXPECT_EQ(
      Call(*worker, SYS_prlimit64, "0, " + std::to_string(RLIMIT_DATA) + ", new Uint8Array(16).fill(255), 0"),
      kRefused);
  EXPECT_EQ(Call(*worker, SYS_prctl, "4, 1, 0, 0, 0"), kRefused);  // PR_SET_DUMPABLE
  EXPECT_EQ(Call(*worker, SYS_seccomp, "1, 0, new Uint8Array(16)"), kRefused);
  EXPECT_EQ(Call(*worker, SYS_rt_sigaction, "15, new Uint8Array(32), 0, 8"), kRefused);
}

// Written down once more: what the filter may let through. Everything else is refused, or deadly.
const std::set<long> kAllowed = {
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_read,
    SYS_write,
    SYS_sendto,
    SYS_sendmsg,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_ppoll,
    SYS_close,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_futex,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_sched_yield,
    SYS_restart_syscall,
    SYS_getrandom,
    SYS_getpid,
    SYS_gettid,
    SYS_getrusage,
    SYS_getcpu,
    SYS_sched_getaffinity,
    SYS_rt_sigreturn,
    SYS_rt_sigprocmask,
    SYS_exit,
    SYS_exit_group,
#ifdef SYS_poll
    SYS_poll,
#endif
#ifdef SYS_time
    SYS_time,
#endif
#if defined(__x86_64__)
    // uretprobe and uprobe: newer kernels let no filter see them. They do nothing for a process in which
    // nobody has set a probe.
    335,
    336,
#endif
};

TEST_P(Sandbox, LetsNoOtherCallThrough) {
  auto worker = Started();
  std::size_t deadly = 0;
  for (long number = 0; number < 500; ++number) {
    if (kAllowed.contains(number)) continue;
    const std::string answer = Call(*worker, number);
    if (answer == kRefused || answer == std::to_string(ENOSYS)) continue;
    EXPECT_EQ(answer, "(no answer)") << number;
    EXPECT_TRUE(DiesOfSystemCall(*worker)) << number;
    ++deadly;
    worker = Started();
  }
  EXPECT_GT(deadly, 100U);
}

#if defined(__x86_64__)
// A kernel without the calls of 32-bit programs ends whoever tries one before a filter hears of it.
bool KernelHasForeignCalls() {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);
    long result = 20;  // getpid there
    asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status);
}
#endif

TEST_P(Sandbox, KillsWhoeverCallsAsAProgramOfAnotherArchitecture) {
#if defined(__x86_64__)
  auto foreign = Started();
  foreign->SendEvaluate("__vigilTest.foreignCall()");
  if (KernelHasForeignCalls())
    EXPECT_TRUE(DiesOfSystemCall(*foreign));
  else
    EXPECT_NE(StatusOfDead(*foreign), 0);
  // x32: the same architecture to the kernel, other numbers.
  auto x32 = Started();
  EXPECT_EQ(Call(*x32, 0x40000000L + SYS_getpid), "(no answer)");
  EXPECT_TRUE(DiesOfSystemCall(*x32));
#else
  GTEST_SKIP() << "only x86-64 runs calls of other architectures";
#endif
}

TEST_P(Sandbox, LeavesOneDescriptor) {
  auto worker = Started();
  std::string open;
  for (int fd = 0; fd < 1024; ++fd) {
    const std::string answer = Call(*worker, SYS_read, std::to_string(fd) + ", new Uint8Array(1), 0");
    if (answer != std::to_string(EBADF)) open += std::to_string(fd) + " ";
  }
  EXPECT_EQ(open, "3 ");
}

TEST_P(Sandbox, SharesNoWritableMemory) {
  auto worker = Started();
  std::ifstream maps("/proc/" + std::to_string(Zygote().pid()) + "/maps");
  std::size_t lines = 0;
  for (std::string line; std::getline(maps, line); ++lines) {
    const std::string rights = line.substr(line.find(' ') + 1, 4);
    EXPECT_FALSE(rights[1] == 'w' && rights[3] == 's') << line;
  }
  EXPECT_GT(lines, 10U);
}

TEST_P(Sandbox, CannotBeInspectedFromOutside) {
  auto worker = Started();
  // The kernel gives the files of a process that is not dumpable to root.
  const std::string proc = "/proc/" + std::to_string(worker->pid());
  EXPECT_EQ(Call(*worker, SYS_getpid), "0");
  std::ifstream limits(proc + "/limits");
  if (::geteuid() != 0) {
    EXPECT_NE(::access((proc + "/mem").c_str(), R_OK), 0);
    EXPECT_NE(::access((proc + "/environ").c_str(), R_OK), 0);
  } else {
    // Root may all the same; the size of what a core file would hold tells.
    std::ifstream status(proc + "/status");
    std::string text((std::istreambuf_iterator<char>(status)), {});
    EXPECT_THAT(text, ::testing::HasSubstr("CoreDumping:\t0"));
    EXPECT_THAT(text, ::testing::HasSubstr("NoNewPrivs:\t1"));
    EXPECT_THAT(text, ::testing::HasSubstr("Seccomp:\t2"));
  }
}

TEST_P(Sandbox, IsTheFirstToGoWhenMemoryRunsOut) {
  auto worker = Started();
  std::ifstream file("/proc/" + std::to_string(worker->pid()) + "/oom_score_adj");
  std::string score;
  std::getline(file, score);
  EXPECT_EQ(score, "1000");
}

TEST_P(Sandbox, GivesTestNativesOnlyWhenStartAsksForThem) {
  auto worker = Zygote().Fork();
  ASSERT_TRUE(worker->Start());
  EXPECT_EQ(worker->Evaluate("typeof __vigilTest"), "\"undefined\"");
}

}  // namespace
}  // namespace vigil::worker
