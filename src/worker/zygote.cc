#include "worker/zygote.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <string_view>

#include "ipc/descriptors.h"
#include "worker/exit_status.h"
#include "worker/messages.h"

namespace vigil::worker {
namespace {

constexpr std::size_t kDatagramBytes = 4096;

void SendDatagram(int fd, std::string_view message, int descriptor) {
  if (ipc::SendWithDescriptor(fd, message, descriptor) < 0) ::_exit(kExitOk);  // the daemon is gone
}

// One datagram and the descriptor that came with it (-1: none). Ends the process when the daemon is gone.
std::string ReceiveDatagram(int fd, int& descriptor) {
  std::string message(kDatagramBytes, '\0');
  const ssize_t size = ipc::ReceiveWithDescriptor(fd, message, descriptor);
  if (size <= 0) ::_exit(kExitOk);
  message.resize(static_cast<std::size_t>(size));
  return message;
}

// First steps of a child, before its sandbox: dies with its zygote, keeps one descriptor and no signal
// handling.
void BecomeChild(int socket, const ForkOrder& order, pid_t zygote) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != zygote) ::_exit(kExitOk);
  if (!order.title.empty()) ::prctl(PR_SET_NAME, order.title.substr(0, 15).c_str());
  if (socket != kChildSocket && ::dup2(socket, kChildSocket) < 0) ::_exit(kExitSandbox);
  for (int fd = 0; fd < kChildSocket; ++fd) ::close(fd);
  ::syscall(SYS_close_range, kChildSocket + 1U, ~0U, 0U);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void Fork(int fd, const ForkOrder& order, int socket, const ChildMain& child) {
  if (socket < 0) {
    SendDatagram(fd, ForkedMessage(order.id, 0, "the order came without a socket"), -1);
    return;
  }
  const pid_t zygote = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    BecomeChild(socket, order, zygote);
    child(order);
    ::_exit(kExitFatal);
  }
  const int error = errno;
  ::close(socket);
  if (pid < 0) {
    SendDatagram(fd, ForkedMessage(order.id, 0, std::string("fork: ") + std::strerror(error)), -1);
    return;
  }
  // The child is not reaped before the next turn of the loop, so that its pid is still its own here.
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U));
  SendDatagram(fd, ForkedMessage(order.id, pid, ""), pidfd);
  if (pidfd >= 0) ::close(pidfd);
}

void ReportEnded(int fd, int signals) {
  signalfd_siginfo info;
  while (::read(signals, &info, sizeof info) == sizeof info) {
  }
  int status = 0;
  for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0; pid = ::waitpid(-1, &status, WNOHANG)) {
    SendDatagram(fd, ExitedMessage(pid, status), -1);
  }
}

}  // namespace

void RunZygote(int fd, const char* v8_version, const ChildMain& child) {
  sigset_t ended;
  sigemptyset(&ended);
  sigaddset(&ended, SIGCHLD);
  sigprocmask(SIG_BLOCK, &ended, nullptr);
  const int signals = ::signalfd(-1, &ended, SFD_NONBLOCK | SFD_CLOEXEC);
  SendDatagram(fd, ReadyMessage(v8_version), -1);
  while (true) {
    pollfd ready[] = {{fd, POLLIN, 0}, {signals, POLLIN, 0}};
    if (::poll(ready, 2, -1) < 0) continue;
    if (ready[1].revents != 0) ReportEnded(fd, signals);
    if (ready[0].revents == 0) continue;
    int socket = -1;
    const std::string message = ReceiveDatagram(fd, socket);
    if (const auto order = ParseFork(message)) {
      Fork(fd, *order, socket, child);
    } else if (socket >= 0) {
      ::close(socket);
    }
  }
}

}  // namespace vigil::worker
