#include "host/zygote_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "ipc/descriptors.h"

extern char** environ;

namespace vigil::host {
namespace asio = boost::asio;
namespace {
// Real time: how long a zygote may take to warm up, and a fork to be answered, before it counts as broken.
// Usually a tenth of a second and a millisecond. But a broken one is ended with all its children, and a
// machine that is overloaded or swaps must not cost anybody's work: whoever waits for a worker has limits of
// its own.
constexpr auto kReadyLimit = std::chrono::minutes(3);
constexpr auto kForkLimit = std::chrono::minutes(1);
constexpr int kZygoteFd = 3;

struct SpawnSetup {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSetup() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

Result<pid_t> Spawn(const std::filesystem::path& executable, int zygote_end) {
  SpawnSetup setup;
  posix_spawn_file_actions_addopen(&setup.actions, 0, "/dev/null", O_RDONLY, 0);
  // Standard output is the daemon's own ("vigil: ready …"); what a worker process prints are diagnostics.
  posix_spawn_file_actions_adddup2(&setup.actions, 2, 1);
  posix_spawn_file_actions_adddup2(&setup.actions, zygote_end, kZygoteFd);
  posix_spawn_file_actions_addclosefrom_np(&setup.actions, kZygoteFd + 1);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&setup.attributes, &none);
  posix_spawnattr_setsigdefault(&setup.attributes, &all);
  // A process group of its own: Ctrl-C in the daemon's terminal is the daemon's to handle.
  posix_spawnattr_setpgroup(&setup.attributes, 0);
  posix_spawnattr_setflags(&setup.attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string path = executable.string();
  std::string option = fmt::format("--zygote-fd={}", kZygoteFd);
  char* argv[] = {path.data(), option.data(), nullptr};
  pid_t pid = 0;
  int error = posix_spawn(&pid, path.c_str(), &setup.actions, &setup.attributes, argv, environ);
  if (error != 0) {
    return Fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                fmt::format("cannot start the worker program {}: {} (is it installed beside vigil?)", path,
                            std::strerror(error)));
  }
  return pid;
}
}  // namespace

Result<> ZygoteProcess::Launch(const std::filesystem::path& executable) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
    return Fail(ErrorCode::kIo, fmt::format("cannot make a socket pair: {}", std::strerror(errno)));
  }
  // The zygote blocks on its end.
  fcntl(ends[1], F_SETFL, fcntl(ends[1], F_GETFL) & ~O_NONBLOCK);
  auto pid = Spawn(executable, ends[1]);
  close(ends[1]);
  if (!pid) {
    close(ends[0]);
    return Fail(pid.error());
  }
  pid_ = *pid;
  began_ = Steady::now();
  socket_.assign(ends[0]);
  Wait();
  return {};
}

asio::awaitable<Result<>> ZygoteProcess::Ready() {
  auto limit = std::make_shared<asio::steady_timer>(socket_.get_executor(), kReadyLimit);
  limit->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    auto self = weak.lock();
    if (!error && self && !self->ready_.ready()) self->Fault("it did not get ready in time");
  });
  auto result = co_await ready_.Get();
  limit->cancel();
  co_return result;
}

asio::awaitable<Result<ForkedChild>> ZygoteProcess::Fork(ipc::ToZygote::Fork order) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    co_return Fail(ErrorCode::kIo, fmt::format("cannot make a socket pair: {}", std::strerror(errno)));
  }
  ipc::ToZygote message;
  std::uint64_t id = ++last_id_;
  *message.mutable_fork() = std::move(order);
  message.mutable_fork()->set_id(id);
  Waiter<Result<ForkedChild>> waiter(socket_.get_executor());
  pending_.emplace(id, waiter);
  ++forks_;
  const std::string bytes = message.SerializeAsString();
  const bool sent = ipc::SendWithDescriptor(socket_.native_handle(), bytes, ends[1]) == std::ssize(bytes);
  close(ends[1]);
  if (!sent) Fault("it does not take messages");
  auto limit = std::make_shared<asio::steady_timer>(socket_.get_executor(), kForkLimit);
  limit->async_wait([weak = weak_from_this(), id](const boost::system::error_code& error) {
    auto self = weak.lock();
    if (!error && self && self->pending_.contains(id)) self->Fault("it did not answer in time");
  });
  auto result = co_await waiter.Get();
  limit->cancel();
  if (!result) {
    close(ends[0]);
    co_return result;
  }
  result->socket = ends[0];
  co_return result;
}

void ZygoteProcess::Close() {
  handlers_ = {};
  if (!socket_.is_open()) return;
  socket_.close();
  // Reaped here, or it stays as a zombie. The kill makes the wait short.
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void ZygoteProcess::Wait() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (error || !self->alive()) return;
                       while (self->alive() && self->Receive()) {
                       }
                       if (self->alive()) self->Wait();
                     });
}

bool ZygoteProcess::Receive() {
  std::array<char, 4096> bytes;
  int fd = -1;
  const ssize_t n = ipc::ReceiveWithDescriptor(socket_.native_handle(), bytes, fd);
  if (n < 0 && errno == EAGAIN) return false;
  if (n <= 0) {
    Fault("it ended");
    return false;
  }
  ipc::FromZygote message;
  if (message.ParseFromArray(bytes.data(), static_cast<int>(n))) Handle(message, fd);
  return true;
}

void ZygoteProcess::Handle(const ipc::FromZygote& message, int fd) {
  switch (message.body_case()) {
    case ipc::FromZygote::kReady:
      v8_version_ = message.ready().v8_version();
      if (ready_.Set(Result<>()) && handlers_.ready) handlers_.ready(*this);
      break;
    case ipc::FromZygote::kForked:
      Forked(message.forked(), fd);
      break;
    case ipc::FromZygote::kExited:
      children_.erase(message.exited().pid());
      // A copy: it may close this process.
      if (const auto exited = handlers_.child_exited) {
        exited(message.exited().pid(), message.exited().wait_status());
      }
      break;
    case ipc::FromZygote::BODY_NOT_SET:
      break;
  }
}

void ZygoteProcess::Forked(const ipc::FromZygote::Forked& forked, int pidfd) {
  auto found = pending_.find(forked.id());
  if (found == pending_.end()) {
    if (pidfd >= 0) close(pidfd);
    return;
  }
  auto waiter = found->second;
  pending_.erase(found);
  if (!forked.error().empty() || pidfd < 0) {
    if (pidfd >= 0) close(pidfd);
    waiter.Set(Fail(ErrorCode::kUnavailable,
                    fmt::format("cannot make a worker process: {}",
                                forked.error().empty() ? "the zygote sent no descriptor" : forked.error())));
    return;
  }
  children_.insert(forked.pid());
  ForkedChild child;
  child.pid = forked.pid();
  child.pidfd = pidfd;
  waiter.Set(child);
}

void ZygoteProcess::Fault(const std::string& reason) {
  auto keep = shared_from_this();
  const Handlers handlers = handlers_;
  Close();
  Error error{ErrorCode::kUnavailable, fmt::format("the worker program failed: {}", reason)};
  ready_.Set(Fail(error));
  log::Warning("the process that makes workers (zygote {}) is gone: {}", pid_, reason);
  if (handlers.died) handlers.died(*this);
  for (auto& [id, waiter] : std::exchange(pending_, {})) waiter.Set(Fail(error));
  for (int pid : std::exchange(children_, {})) {
    if (handlers.child_lost) handlers.child_lost(pid);
  }
}

}  // namespace vigil::host
