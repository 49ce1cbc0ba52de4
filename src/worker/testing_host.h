// The daemon's side of the zygote protocol, as small as the worker's tests need it: blocking, one thread.
// Tests only; what the daemon uses is src/host/zygote.h.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ipc/framing.h"
#include "ipc/vigil.pb.h"

namespace vigil::worker::testing {

// A descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  int get() const { return fd_; }

 private:
  int fd_;
};

// One worker process. Every wait ends after 30 seconds with an empty result, so that a broken worker fails
// its test instead of hanging it.
class TestWorker {
 public:
  TestWorker(pid_t pid, Descriptor pidfd, Descriptor socket)
      : pid_(pid), pidfd_(std::move(pidfd)), socket_(std::move(socket)) {}

  pid_t pid() const { return pid_; }
  int socket() const { return socket_.get(); }
  void CloseSocket() { socket_ = Descriptor(); }
  void Signal(int signal);

  // Numbers the message and sends it.
  void Send(ipc::ToWorker message);
  void SendBytes(const std::string& message);  // as they are
  // Sends a Start for the service worker scope, changed by `edit`, and waits for Started.
  bool Start(ipc::Start start = {});
  // The next message; empty: the worker closed its socket.
  std::optional<ipc::ToDaemon> Next();
  // Runs code and gives the EvaluateResult's JSON, or "!" and the error text. Other messages go to `others`.
  std::string Evaluate(const std::string& code);
  void SendEvaluate(const std::string& code);
  // Messages until the socket closes; the reason of Dying, empty: none came.
  std::string ReadDying();

  std::vector<ipc::ToDaemon> others;

 private:
  pid_t pid_;
  Descriptor pidfd_;
  Descriptor socket_;
  ipc::FrameReader reader_;
  std::uint64_t seq_ = 0;
  std::uint64_t evaluation_ = 0;
};

class TestZygote {
 public:
  // An empty bundle path: the embedded bundle. option: one more argument of the program.
  explicit TestZygote(const std::string& bundle_path, const std::string& option = {});
  ~TestZygote();
  TestZygote(const TestZygote&) = delete;
  TestZygote& operator=(const TestZygote&) = delete;

  pid_t pid() const { return pid_; }
  const std::string& v8_version() const { return v8_version_; }
  std::unique_ptr<TestWorker> Fork(bool spare = false, const ipc::Limits& limits = {});
  // Sends a Fork without a socket; gives the error of the answer.
  std::string ForkWithoutSocket();
  // Waits for the end of this child; its wait status.
  int WaitExited(pid_t pid);
  // Closes the daemon's end and gives the zygote's wait status.
  int Close();

 private:
  ipc::FromZygote Receive(Descriptor* descriptor = nullptr);
  void SendFork(int socket, bool spare = false, const ipc::Limits& limits = {});

  pid_t pid_ = -1;
  Descriptor socket_;
  std::string v8_version_;
  std::uint64_t next_id_ = 1;
  std::vector<ipc::FromZygote::Exited> exited_;
};

}  // namespace vigil::worker::testing
