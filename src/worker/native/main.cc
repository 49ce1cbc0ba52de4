// The entry of vigil-worker. This library is on the needed list of a copy of the Node executable; its symbols
// win over the C library's, and so its main runs instead of Node's.
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <v8-initialization.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/bundle.h"
#include "worker/native/child.h"
#include "worker/native/engine.h"
#include "worker/sandbox.h"
#include "worker/utf8.h"
#include "worker/zygote.h"

namespace vigil::worker {
namespace {

constexpr int kUsage = 2;

struct Options {
  int zygote_fd = -1;
  std::string bundle_path;
  bool version = false;
  Landlock landlock = Landlock::kIfThere;
};

std::optional<Options> ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    constexpr std::string_view kFd = "--zygote-fd=";
    constexpr std::string_view kBundle = "--bundle=";
    if (argument.substr(0, kFd.size()) == kFd) {
      const std::string_view digits = argument.substr(kFd.size());
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), options.zygote_fd);
      if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    } else if (argument.substr(0, kBundle.size()) == kBundle) {
      options.bundle_path = argument.substr(kBundle.size());
    } else if (argument == "--no-landlock") {
      options.landlock = Landlock::kOff;
    } else if (argument == "--version") {
      options.version = true;
    } else {
      return std::nullopt;
    }
  }
  if (options.zygote_fd < 0 && !options.version) return std::nullopt;
  return options;
}

// Keeps standard error and the daemon's socket; 0 and 1 lead nowhere.
int KeepTwoDescriptors(int zygote_fd) {
  constexpr int kSocket = 3;
  if (::fcntl(zygote_fd, F_GETFD) < 0) return -1;
  if (zygote_fd != kSocket && ::dup2(zygote_fd, kSocket) < 0) return -1;
  ::fcntl(kSocket, F_SETFD, FD_CLOEXEC);
  ::syscall(SYS_close_range, kSocket + 1U, ~0U, 0U);
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere >= 0) {
    ::dup2(nowhere, 0);
    ::dup2(nowhere, 1);
    if (nowhere > 2) ::close(nowhere);
  }
  return kSocket;
}

// Takes every free piece of the C library's heap below its end, for good. What a child allocates then lies
// side by side on fresh pages instead of in holes all over the heap, each on a page of the zygote that had to
// be copied.
void FillHeapHoles() {
  constexpr std::size_t kLargest = 128U << 10;
  const struct mallinfo2 before = ::mallinfo2();
  const char* const end = static_cast<char*>(::sbrk(0)) - before.keepcost;
  for (std::size_t size = kLargest; size >= 16; size -= size > 1024 ? size / 8 / 16 * 16 : 16) {
    void* piece = ::malloc(size);
    while (piece != nullptr && piece < end) piece = ::malloc(size);
    ::free(piece);
  }
}

int Main(int argc, char** argv) {
  const auto options = ParseOptions(argc, argv);
  if (!options) {
    std::fprintf(
        stderr,
        "vigil-worker: started by `vigil serve`, not by hand (usage: --zygote-fd=N [--bundle=FILE])\n");
    return kUsage;
  }
  if (options->version) {
    std::printf("vigil-worker, V8 %s\n", v8::V8::GetVersion());
    return 0;
  }
  // Children are small: a huge page per touched page would make them big.
  ::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  ::signal(SIGPIPE, SIG_IGN);
  std::string own_bundle;
  if (!options->bundle_path.empty()) {
    std::ifstream file(options->bundle_path, std::ios::binary);
    own_bundle.assign(std::istreambuf_iterator<char>(file), {});
    if (!file) {
      std::fprintf(stderr, "vigil-worker: cannot read the bundle %s\n", options->bundle_path.c_str());
      return 1;
    }
  }
  const std::string_view bundle = options->bundle_path.empty()
                                      ? std::string_view(vigil_runtime_bundle, vigil_runtime_bundle_size)
                                      : own_bundle;
  const int fd = KeepTwoDescriptors(options->zygote_fd);
  if (fd < 0 || ::chdir("/") != 0) {
    std::fprintf(stderr, "vigil-worker: descriptor %d is not open\n", options->zygote_fd);
    return 1;
  }
  // Never destroyed: the process ends by _exit.
  Worker& worker = *new Worker;
  StartEngine(worker);
  if (const std::string error = WarmContexts(worker, bundle, IsAscii(bundle)); !error.empty()) {
    std::fprintf(stderr, "vigil-worker: %s\n", error.c_str());
    return 1;
  }
  PrepareSandbox();
  ::malloc_trim(0);
  FillHeapHoles();
  if (options->landlock == Landlock::kOff || LandlockVersion() == 0) {
    std::fprintf(stderr,
                 "vigil-worker: no landlock here; the system call filter alone keeps workers from files\n");
  }
  const ChildSetting setting{DataBytesNow(), options->landlock};
  RunZygote(fd, v8::V8::GetVersion(), [&](const ForkOrder& order) { RunChild(worker, setting, order); });
}

}  // namespace
}  // namespace vigil::worker

#define VIGIL_EXPORT extern "C" __attribute__((visibility("default")))

using MainFunction = int (*)(int, char**, char**);

// The C library's start calls the given main after the executable's own initializers ran; V8 needs those.
VIGIL_EXPORT int __libc_start_main(MainFunction, int argc, char** argv, void (*init)(), void (*fini)(),
                                   void (*rtld_fini)(), void* stack_end) {
  using Start = int (*)(MainFunction, int, char**, void (*)(), void (*)(), void (*)(), void*);
  const auto start = reinterpret_cast<Start>(::dlsym(RTLD_NEXT, "__libc_start_main"));
  const MainFunction run = [](int count, char** values, char**) {
    return vigil::worker::Main(count, values);
  };
  return start(run, argc, argv, init, fini, rtld_fini, stack_end);
}

// Node marks V8's heap as not to be inherited by a fork; a child lives in exactly that memory.
VIGIL_EXPORT int madvise(void* address, size_t length, int advice) noexcept {
  if (advice == MADV_DONTFORK) return 0;
  return static_cast<int>(::syscall(SYS_madvise, address, length, advice));
}
