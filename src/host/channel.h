// The daemon's end of the socket to one worker process: frames in, frames out (vigil.proto). Event-loop
// thread only, but for Sender.
//
// The other end is not trusted. Whatever it sends that is not a well-formed ToDaemon message, a frame over
// the limit, or not reading what it is sent, closes the channel with a reason; the owner then kills the
// process.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "ipc/vigil.pb.h"

namespace vigil::host {

class Channel {
  class Impl;

 public:
  // Sends from any thread, also when the channel is gone: the message is dropped then.
  class Sender {
   public:
    void Send(ipc::ToWorker& message) const;

   private:
    friend class Channel;
    explicit Sender(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
    std::shared_ptr<Impl> impl_;
  };
  struct Handlers {
    std::function<void(ipc::ToDaemon message)> message;
    // Once, never inside Send(). reason is empty when the other end closed in an orderly way.
    std::function<void(std::string reason)> closed;
  };
  // Bytes that may wait to be read by the other end.
  static constexpr std::size_t kMaxQueuedBytes = std::size_t{160} << 20;

  // Takes the descriptor.
  Channel(boost::asio::any_io_executor executor, int fd, Handlers handlers);
  ~Channel();  // no handler is called any more
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Gives the message its number, which is returned: 1, 2, 3 …; 0: the channel is closed, the message
  // dropped.
  std::uint64_t Send(ipc::ToWorker& message);
  std::uint64_t last_seq() const;
  std::size_t queued_bytes() const;
  Sender sender() const { return Sender(impl_); }
  // Closes the socket; `closed` is not called.
  void Close();

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace vigil::host
