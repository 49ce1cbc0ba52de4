// Connects tests written in JavaScript with real worker processes: starts a zygote and listens on two Unix
// sockets; each connection becomes the socket of a new worker, which may have little memory for ArrayBuffers
// if it came by the second, SOCKET.small. Prints "ready" when it listens; ends with its standard input.
// usage: runtime_bridge SOCKET VIGIL_WORKER [BUNDLE]
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "ipc/descriptors.h"
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

void SendFork(int zygote, int socket, std::uint64_t array_buffer_bytes) {
  vigil::ipc::ToZygote message;
  message.mutable_fork()->set_id(1);
  message.mutable_fork()->set_title("runtime-test");
  message.mutable_fork()->set_spare(true);  // as most workers of the daemon have been
  message.mutable_fork()->mutable_limits()->set_array_buffer_bytes(array_buffer_bytes);
  if (vigil::ipc::SendWithDescriptor(zygote, message.SerializeAsString(), socket) < 0) Fail("sendmsg");
}

int Listen(const std::string& path) {
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) Fail(path.c_str());
  if (::listen(listener, 16) != 0) Fail("listen");
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: runtime_bridge SOCKET VIGIL_WORKER [BUNDLE]\n", stderr);
    return 2;
  }
  const int zygote = StartZygote(argv[2], argc > 3 ? argv[3] : nullptr);
  Receive(zygote);  // Ready
  constexpr std::uint64_t kSmall = 16 << 20;
  const std::array<int, 2> listeners{Listen(argv[1]), Listen(std::string(argv[1]) + ".small")};
  std::puts("ready");
  std::fflush(stdout);
  std::array<pollfd, 4> sources{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{zygote, POLLIN, 0},
                                pollfd{listeners[0], POLLIN, 0}, pollfd{listeners[1], POLLIN, 0}};
  while (::poll(sources.data(), sources.size(), -1) > 0 && sources[0].revents == 0) {
    if (sources[1].revents != 0) Receive(zygote);  // Forked, Exited: nobody asks
    for (std::size_t i = 0; i < listeners.size(); ++i) {
      if (sources[i + 2].revents == 0) continue;
      const int connection = ::accept4(listeners[i], nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) Fail("accept");
      SendFork(zygote, connection, i == 1 ? kSmall : 0);
      ::close(connection);
    }
  }
  ::close(zygote);
  while (::wait(nullptr) > 0) {
  }
  return 0;
}
