// vigil-puppet: stands in for vigil-worker where a test wants to be the worker. A real zygote
// (worker/zygote.h) whose children run no script: each hands its end of the socket to whoever listens
// at VIGIL_PUPPET, tells its process id, and waits for its end.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "ipc/descriptors.h"
#include "worker/zygote.h"

namespace {

using vigil::worker::kChildSocket;

[[noreturn]] void HandOver(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size() + 1, sizeof address.sun_path - 1));
  const int holder = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (::connect(holder, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) ::_exit(1);
  const pid_t pid = ::getpid();
  const std::string_view message(reinterpret_cast<const char*>(&pid), sizeof pid);
  if (vigil::ipc::SendWithDescriptor(holder, message, kChildSocket) < 0) ::_exit(1);
  ::close(kChildSocket);
  ::close(holder);
  while (true) ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view kFd = "--zygote-fd=";
  const char* path = std::getenv("VIGIL_PUPPET");
  if (argc != 2 || std::string_view(argv[1]).substr(0, kFd.size()) != kFd || path == nullptr) return 2;
  const std::string holder = path;
  vigil::worker::RunZygote(std::atoi(argv[1] + kFd.size()), "none",
                           [&](const vigil::worker::ForkOrder&) { HandOver(holder); });
}
