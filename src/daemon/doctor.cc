#include "daemon/doctor.h"

#include <fmt/format.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <cstring>

#include "host/zygote.h"
#include "store/database.h"

namespace vigil::daemon {
namespace asio = boost::asio;
namespace {

constexpr std::uint64_t kLittleSpace = 100ULL << 20;

Check Good(std::string name, std::string detail) {
  return {std::move(name), Check::State::kGood, std::move(detail), ""};
}

Check Kernel() {
  utsname name{};
  ::uname(&name);
  return Good("kernel", fmt::format("{} {} {}", name.sysname, name.release, name.machine));
}

Check Seccomp() {
  std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
    return Good("seccomp", "available; worker processes are limited to the system calls they need");
  return {"seccomp", Check::State::kBad, fmt::format("not available: {}", std::strerror(errno)),
          "worker processes do not start without it: use a kernel with CONFIG_SECCOMP_FILTER, or a container "
          "that allows "
          "the seccomp system call"};
}

Check Landlock() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version > 0) return Good("landlock", fmt::format("version {}; worker processes see no file", version));
  return {"landlock", Check::State::kWarning, fmt::format("not available: {}", std::strerror(errno)),
          "workers are kept from files by seccomp alone; for the second wall use Linux 5.13 or newer with "
          "landlock in "
          "/sys/kernel/security/lsm"};
}

Check User() {
  if (::geteuid() != 0) return Good("user", fmt::format("not root (user {})", ::geteuid()));
  return {"user", Check::State::kWarning, "root",
          "run the daemon as a user of its own; nothing it does needs root"};
}

Check Worker() {
  host::ZygoteOptions options;
  options.executable = host::Zygote::DefaultExecutable();
  asio::io_context loop;
  Result<> started = Fail(ErrorCode::kUnavailable, "it did not answer");
  std::string v8;
  {
    host::Zygote zygote(loop.get_executor(), options, {});
    asio::co_spawn(
        loop, [&zygote] { return zygote.Start(); },
        [&](std::exception_ptr exception, Result<> result) {
          if (!exception) started = std::move(result);
          v8 = zygote.v8_version();
          loop.stop();
        });
    loop.run();
  }
  if (started) return Good("worker", fmt::format("{} runs, V8 {}", options.executable.string(), v8));
  return {
      "worker", Check::State::kBad, started.error().message,
      "vigil-worker and libvigil-worker.so belong beside the vigil executable; build or install them again"};
}

Check DataDirectory(const std::filesystem::path& path) {
  std::filesystem::path existing = path;
  while (!existing.empty() && ::access(existing.c_str(), F_OK) != 0 && existing != existing.parent_path())
    existing = existing.parent_path();
  const std::string advice = "choose another with --data or VIGIL_DATA, or correct its owner and mode";
  if (::access(existing.c_str(), W_OK | X_OK) != 0) {
    return {"data directory", Check::State::kBad,
            fmt::format("{} cannot be written: {}", existing.string(), std::strerror(errno)), advice};
  }
  struct statvfs space {};
  if (::statvfs(existing.c_str(), &space) == 0) {
    const std::uint64_t free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
    if (free < kLittleSpace) {
      return {"data directory", Check::State::kWarning,
              fmt::format("{}: {} MiB are free", path.string(), free >> 20),
              "free some space: without it registrations cannot be stored and are refused"};
    }
  }
  return Good("data directory",
              fmt::format("{}{}", path.string(), existing == path ? "" : " (made by `vigil serve`)"));
}

// Damage that a supervisor's restart would otherwise hide.
Check StoredData(const std::filesystem::path& path) {
  const auto traces = store::Database::TracesOfDamage(path);
  if (traces.empty()) return Good("stored data", "no damage was found when it was opened");
  std::string names;
  for (const auto& trace : traces) names += (names.empty() ? "" : ", ") + trace.string();
  return {"stored data", Check::State::kWarning, "was damaged, and is kept as " + names,
          "what was stored there is missing now: put a backup in its place while the daemon is stopped, or "
          "delete these files to make this warning go away"};
}

}  // namespace

std::vector<Check> Diagnose(const std::filesystem::path& data_directory) {
  std::vector<Check> checks;
  checks.push_back(Kernel());
  checks.push_back(Seccomp());
  checks.push_back(Landlock());
  checks.push_back(User());
  checks.push_back(Worker());
  checks.push_back(DataDirectory(data_directory));
  checks.push_back(StoredData(data_directory));
  return checks;
}

}  // namespace vigil::daemon
