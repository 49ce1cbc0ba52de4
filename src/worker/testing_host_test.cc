#include "worker/testing_host.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "ipc/descriptors.h"

namespace vigil::worker::testing {
namespace {

constexpr int kPatienceMs = 30'000;

bool Readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return ::poll(&ready, 1, kPatienceMs) == 1;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

// ------------------------------------------------------------------------------------------------ worker
void TestWorker::Signal(int signal) { ::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0U); }

void TestWorker::Send(ipc::ToWorker message) {
  message.set_seq(++seq_);
  SendBytes(message.SerializeAsString());
}

void TestWorker::SendBytes(const std::string& message) {
  std::string frame;
  ASSERT_TRUE(ipc::AppendFrame(message, frame));
  for (std::size_t sent = 0; sent < frame.size();) {
    const ssize_t n = ::send(socket_.get(), frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;  // the worker is gone; the test sees it when it reads
    sent += static_cast<std::size_t>(n);
  }
}

bool TestWorker::Start(ipc::Start start) {
  ipc::ToWorker message;
  *message.mutable_start() = std::move(start);
  Send(std::move(message));
  const auto answer = Next();
  return answer && answer->has_started() && answer->started().ok();
}

std::optional<ipc::ToDaemon> TestWorker::Next() {
  while (true) {
    const auto frame = reader_.Next();
    if (!frame) return std::nullopt;
    if (*frame) {
      ipc::ToDaemon message;
      EXPECT_TRUE(message.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size())));
      return message;
    }
    char* space = reader_.Space(std::max<std::size_t>(reader_.Missing(), 4096));
    if (!Readable(socket_.get())) return std::nullopt;
    const ssize_t n = ::recv(socket_.get(), space, reader_.SpaceSize(), 0);
    if (n <= 0) return std::nullopt;
    reader_.Commit(static_cast<std::size_t>(n));
  }
}

void TestWorker::SendEvaluate(const std::string& code) {
  ipc::ToWorker message;
  message.mutable_evaluate()->set_id(++evaluation_);
  message.mutable_evaluate()->set_code(code);
  Send(std::move(message));
}

std::string TestWorker::Evaluate(const std::string& code) {
  SendEvaluate(code);
  while (auto message = Next()) {
    if (message->has_evaluate_result() && message->evaluate_result().id() == evaluation_) {
      const auto& result = message->evaluate_result();
      return result.ok() ? result.json() : "!" + result.text();
    }
    others.push_back(std::move(*message));
  }
  const bool dying = !others.empty() && others.back().has_dying();
  return "(no answer)" + (dying ? " " + others.back().dying().reason() : std::string());
}

std::string TestWorker::ReadDying() {
  std::string reason;
  while (const auto message = Next()) {
    if (message->has_dying()) reason = message->dying().reason();
  }
  return reason;
}

// ------------------------------------------------------------------------------------------------ zygote
TestZygote::TestZygote(const std::string& bundle_path, const std::string& option) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
  socket_ = Descriptor(ends[0]);
  const Descriptor theirs(ends[1]);
  std::string program = VIGIL_WORKER_PATH;
  std::string fd = "--zygote-fd=7";
  std::string bundle = "--bundle=" + bundle_path;
  std::string more = option;
  std::vector<char*> arguments = {program.data(), fd.data()};
  if (!bundle_path.empty()) arguments.push_back(bundle.data());
  if (!more.empty()) arguments.push_back(more.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), 7);
  ::posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  const ipc::FromZygote message = Receive();
  EXPECT_TRUE(message.has_ready());
  v8_version_ = message.ready().v8_version();
}

TestZygote::~TestZygote() {
  if (pid_ > 0) Close();
}

ipc::FromZygote TestZygote::Receive(Descriptor* descriptor) {
  ipc::FromZygote message;
  if (!Readable(socket_.get())) return message;
  char bytes[4096];
  int received = -1;
  const ssize_t size = ipc::ReceiveWithDescriptor(socket_.get(), bytes, received);
  Descriptor owned(received);
  if (size <= 0) return message;
  EXPECT_TRUE(message.ParseFromArray(bytes, static_cast<int>(size)));
  if (descriptor != nullptr && owned.get() >= 0) *descriptor = std::move(owned);
  return message;
}

void TestZygote::SendFork(int socket, bool spare, const ipc::Limits& limits) {
  ipc::ToZygote order;
  order.mutable_fork()->set_id(next_id_++);
  order.mutable_fork()->set_title("vigil-test");
  order.mutable_fork()->set_spare(spare);
  *order.mutable_fork()->mutable_limits() = limits;
  ASSERT_GT(ipc::SendWithDescriptor(socket_.get(), order.SerializeAsString(), socket), 0);
}

std::unique_ptr<TestWorker> TestZygote::Fork(bool spare, const ipc::Limits& limits) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return nullptr;
  Descriptor ours(ends[0]);
  {
    const Descriptor theirs(ends[1]);
    SendFork(theirs.get(), spare, limits);
  }
  while (true) {
    Descriptor pidfd;
    const ipc::FromZygote answer = Receive(&pidfd);
    if (answer.has_exited()) {
      exited_.push_back(answer.exited());
      continue;
    }
    EXPECT_TRUE(answer.has_forked() && answer.forked().error().empty() && pidfd.get() >= 0);
    if (!answer.has_forked() || !answer.forked().error().empty()) return nullptr;
    return std::make_unique<TestWorker>(answer.forked().pid(), std::move(pidfd), std::move(ours));
  }
}

std::string TestZygote::ForkWithoutSocket() {
  SendFork(-1);
  while (true) {
    const ipc::FromZygote answer = Receive();
    if (!answer.has_exited()) return answer.forked().error();
    exited_.push_back(answer.exited());
  }
}

int TestZygote::WaitExited(pid_t pid) {
  while (true) {
    for (const auto& exited : exited_) {
      if (exited.pid() == pid) return exited.wait_status();
    }
    const ipc::FromZygote message = Receive();
    if (!message.has_exited()) return -1;
    exited_.push_back(message.exited());
  }
}

int TestZygote::Close() {
  socket_ = Descriptor();
  int status = -1;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  return status;
}

}  // namespace vigil::worker::testing
