// Connects a test written in JavaScript with one real worker process: starts a zygote, has it fork one child, and passes
// bytes between the child's socket and its own standard input and output. Ends when either side does.
// usage: runtime_bridge VIGIL_WORKER [BUNDLE]
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "ipc/vigil.pb.h"

namespace {

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

std::array<int, 2> Pair(int type) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) Fail("socketpair");
  return ends;
}

int StartZygote(const char* worker, const char* bundle) {
  const auto ends = Pair(SOCK_SEQPACKET);
  const pid_t pid = ::fork();
  if (pid < 0) Fail("fork");
  if (pid > 0) {
    ::close(ends[1]);
    return ends[0];
  }
  ::fcntl(ends[1], F_SETFD, 0);
  const std::string fd = "--zygote-fd=" + std::to_string(ends[1]);
  const std::string script = std::string("--bundle=") + (bundle != nullptr ? bundle : "");
  // Its standard output is not ours: the pipe belongs to the relay.
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  ::execl(worker, worker, fd.c_str(), bundle != nullptr ? script.c_str() : nullptr, nullptr);
  Fail(worker);
}

vigil::ipc::FromZygote Receive(int zygote) {
  std::array<char, 4096> buffer{};
  const ssize_t size = ::recv(zygote, buffer.data(), buffer.size(), 0);
  vigil::ipc::FromZygote message;
  if (size <= 0 || !message.ParseFromArray(buffer.data(), static_cast<int>(size))) {
    std::fputs("runtime_bridge: the zygote did not start\n", stderr);
    std::exit(1);
  }
  return message;
}

void SendFork(int zygote, int socket) {
  vigil::ipc::ToZygote message;
  message.mutable_fork()->set_id(1);
  message.mutable_fork()->set_title("runtime-test");
  std::string data = message.SerializeAsString();
  iovec part{data.data(), data.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(rights), &socket, sizeof(int));
  if (::sendmsg(zygote, &header, 0) < 0) Fail("sendmsg");
}

// Passes on what there is; false at the end of the stream.
bool Pass(int from, int to) {
  std::array<char, 65536> buffer;
  const ssize_t size = ::read(from, buffer.data(), buffer.size());
  if (size <= 0) return false;
  for (ssize_t done = 0; done < size;) {
    const ssize_t written = ::write(to, buffer.data() + done, static_cast<std::size_t>(size - done));
    if (written <= 0) return false;
    done += written;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: runtime_bridge VIGIL_WORKER [BUNDLE]\n", stderr);
    return 2;
  }
  const int zygote = StartZygote(argv[1], argc > 2 ? argv[2] : nullptr);
  Receive(zygote);  // Ready
  const auto ends = Pair(SOCK_STREAM);
  SendFork(zygote, ends[1]);
  ::close(ends[1]);
  if (!Receive(zygote).has_forked()) return 1;
  std::array<pollfd, 2> sides{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{ends[0], POLLIN, 0}};
  for (;;) {
    if (::poll(sides.data(), sides.size(), -1) < 0) Fail("poll");
    if (sides[0].revents != 0 && !Pass(STDIN_FILENO, ends[0])) break;
    if (sides[1].revents != 0 && !Pass(ends[0], STDOUT_FILENO)) break;
  }
  ::close(ends[0]);
  ::close(zygote);
  while (::wait(nullptr) > 0) {
  }
  return 0;
}
