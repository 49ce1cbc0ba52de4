#include "host/channel.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "ipc/framing.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
constexpr std::size_t kReadBytes = 64 * 1024;
}  // namespace

class Channel::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::any_io_executor executor, int fd, Handlers handlers)
      : socket_(executor, asio::local::stream_protocol(), fd), handlers_(std::move(handlers)) {
    socket_.non_blocking(true);
  }

  void Read() {
    char* space =
        reader_.Space(std::max(kReadBytes, std::min<std::size_t>(reader_.Missing(), 16 * kReadBytes)));
    socket_.async_read_some(
        asio::buffer(space, reader_.SpaceSize()),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t n) {
          if (self->closed_) return;
          if (error) return self->Fail({});
          self->reader_.Commit(n);
          if (self->Deliver()) self->Read();
        });
  }

  // Any thread.
  std::uint64_t Send(ipc::ToWorker& message) {
    const std::lock_guard lock(mutex_);
    if (closed_) return 0;
    message.set_seq(++last_seq_);
    std::string frame;
    if (auto appended = ipc::AppendFrame(message.SerializeAsString(), frame); !appended) {
      PostFail("was to be sent a message that is too large");
      return 0;
    }
    if (!writing_) frame.erase(0, WriteNow(frame));
    if (frame.empty()) return last_seq_;
    queued_bytes_ += frame.size();
    waiting_.push_back(std::move(frame));
    if (queued_bytes_ > kMaxQueuedBytes) {
      PostFail("does not read what it is sent");
      return 0;
    }
    if (!std::exchange(writing_, true)) {
      asio::post(socket_.get_executor(), [self = shared_from_this()] {
        const std::lock_guard writing(self->mutex_);
        self->Write();
      });
    }
    return last_seq_;
  }

  void Close() {
    handlers_ = {};
    const std::lock_guard lock(mutex_);
    closed_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  std::uint64_t last_seq() const {
    const std::lock_guard lock(mutex_);
    return last_seq_;
  }
  std::size_t queued_bytes() const {
    const std::lock_guard lock(mutex_);
    return queued_bytes_;
  }

 private:
  // False: the channel was closed, by us or by the owner.
  bool Deliver() {
    for (;;) {
      auto frame = reader_.Next();
      if (!frame) {
        Fail(fmt::format("sent a message that is too large (over {} MiB)", ipc::kMaxFrameBytes >> 20));
        return false;
      }
      if (!*frame) return true;
      ipc::ToDaemon message;
      if (!message.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size())) ||
          message.body_case() == ipc::ToDaemon::BODY_NOT_SET) {
        Fail("sent a malformed message");
        return false;
      }
      // The handler may close the channel and with it itself.
      auto handler = handlers_.message;
      handler(std::move(message));
      if (closed_) return false;
    }
  }

  // How much of the frame the socket takes at once. That it is broken shows on the reading side, too.
  std::size_t WriteNow(std::string_view frame) {
    const ssize_t n =
        ::send(socket_.native_handle(), frame.data(), frame.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }

  // On the loop, with the lock.
  void Write() {
    if (closed_) return;
    under_way_.clear();
    while (!waiting_.empty() && under_way_.size() < 64) {
      under_way_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    std::vector<asio::const_buffer> buffers;
    buffers.reserve(under_way_.size());
    for (const auto& frame : under_way_) buffers.emplace_back(asio::buffer(frame));
    asio::async_write(socket_, buffers,
                      [self = shared_from_this()](const boost::system::error_code& error, std::size_t n) {
                        const std::lock_guard lock(self->mutex_);
                        // A broken pipe shows on the reading side too, after the last messages were read.
                        if (self->closed_ || error) return;
                        self->queued_bytes_ -= n;
                        self->writing_ = !self->waiting_.empty();
                        if (self->writing_) self->Write();
                      });
  }

  void PostFail(std::string reason) {
    asio::post(socket_.get_executor(),
               [self = shared_from_this(), reason = std::move(reason)] { self->Fail(reason); });
  }

  void Fail(std::string reason) {
    if (closed_) return;
    auto handler = std::move(handlers_.closed);
    Close();
    if (handler) handler(std::move(reason));
  }

  // Held by whoever sends. The loop thread alone changes closed_ and handlers_, and may read them without.
  mutable std::mutex mutex_;
  asio::local::stream_protocol::socket socket_;
  Handlers handlers_;
  ipc::FrameReader reader_;
  std::deque<std::string> waiting_;
  std::vector<std::string> under_way_;
  std::size_t queued_bytes_ = 0;
  std::uint64_t last_seq_ = 0;
  bool writing_ = false;  // frames wait for the loop
  bool closed_ = false;
};

Channel::Channel(asio::any_io_executor executor, int fd, Handlers handlers)
    : impl_(std::make_shared<Impl>(std::move(executor), fd, std::move(handlers))) {
  impl_->Read();
}
Channel::~Channel() { impl_->Close(); }
std::uint64_t Channel::Send(ipc::ToWorker& message) { return impl_->Send(message); }
void Channel::Sender::Send(ipc::ToWorker& message) const { impl_->Send(message); }
std::uint64_t Channel::last_seq() const { return impl_->last_seq(); }
std::size_t Channel::queued_bytes() const { return impl_->queued_bytes(); }
void Channel::Close() { impl_->Close(); }

}  // namespace vigil::host
