#include "worker/socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "worker/exit_status.h"

namespace vigil::worker {
namespace {

constexpr std::size_t kReadBytes = 16U << 10;
constexpr int kLastWordsMs = 1000;

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

WorkerSocket::WorkerSocket(int fd) : fd_(fd) { ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK); }

bool WorkerSocket::Send(std::string_view message) {
  if (!ipc::AppendFrame(message, output_)) return false;
  FlushOrBlock();
  return true;
}

bool WorkerSocket::Queue(std::string_view message) {
  if (!ipc::AppendFrame(message, output_)) return false;
  if (output_.size() - sent_ > kQueueAtMost) FlushOrBlock();
  return true;
}

void WorkerSocket::FlushOrBlock() {
  Flush();
  while (output_.size() - sent_ > kBlockAt) {
    WaitToWrite();
    Flush();
  }
}

void WorkerSocket::Flush() {
  while (sent_ < output_.size()) {
    const ssize_t n = ::send(fd_, output_.data() + sent_, output_.size() - sent_, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && WouldBlock()) return;
    if (n <= 0) ::_exit(kExitOk);
    sent_ += static_cast<std::size_t>(n);
  }
  sent_ = 0;
  if (output_.capacity() > kReadBytes) {
    std::string().swap(output_);
  } else {
    output_.clear();
  }
}

void WorkerSocket::WaitToWrite() {
  pollfd ready{fd_, POLLOUT, 0};
  ::poll(&ready, 1, -1);
}

void WorkerSocket::SendLast(std::string_view message) {
  if (!ipc::AppendFrame(message, output_)) return;
  while (true) {
    const std::size_t before = output_.size() - sent_;
    Flush();
    if (!HasOutput()) return;
    pollfd ready{fd_, POLLOUT, 0};
    if (output_.size() - sent_ == before && ::poll(&ready, 1, kLastWordsMs) == 0) return;
  }
}

bool WorkerSocket::Fill() {
  const std::size_t wanted = std::max(kReadBytes, reader_.Missing());
  char* space = reader_.Space(wanted);
  while (true) {
    const ssize_t n = ::recv(fd_, space, reader_.SpaceSize(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && WouldBlock()) return false;
    if (n <= 0) ::_exit(kExitOk);
    emptied_ = static_cast<std::size_t>(n) < reader_.SpaceSize();
    reader_.Commit(static_cast<std::size_t>(n));
    return true;
  }
}

std::optional<std::string_view> WorkerSocket::Receive() {
  while (true) {
    const auto next = reader_.Next();
    if (!next) ::_exit(kExitProtocol);
    if (*next) return **next;
    // Asking again at once would only hear so; the next call does ask.
    if (std::exchange(emptied_, false) || !Fill()) return std::nullopt;
  }
}

void WorkerSocket::Wait(std::int64_t timeout_us) {
  pollfd ready{fd_, POLLIN, 0};
  if (HasOutput()) ready.events = IsCongested() ? POLLOUT : POLLIN | POLLOUT;
  const timespec timeout{timeout_us / 1'000'000, timeout_us % 1'000'000 * 1000};
  ::ppoll(&ready, 1, timeout_us < 0 ? nullptr : &timeout, nullptr);
}

}  // namespace vigil::worker
