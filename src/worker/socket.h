// The child's end of its socket: frames in, frames out. One thread. Ends the process when the daemon is gone,
// because a worker without its daemon has nothing left to do and nobody to tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/framing.h"

namespace vigil::worker {

class WorkerSocket {
 public:
  // Takes ownership of a connected stream socket and makes it non-blocking.
  explicit WorkerSocket(int fd);

  // Queues one message and writes as much as the socket takes. Blocks while more than 64 MiB wait.
  // False: the message is over the frame limit, nothing was queued.
  bool Send(std::string_view message);
  // The same, but only writes once much waits: else the next Send or Flush does.
  bool Queue(std::string_view message);
  // Writes what waits, as far as the socket takes it.
  void Flush();
  // Writes what waits and one last message; gives up after a second of no progress. For the way out.
  void SendLast(std::string_view message);

  // The next message that is complete, without waiting. The view lives until the next call.
  std::optional<std::string_view> Receive();
  // Waits until something can be read, or written if output waits, or until the timeout (-1: none) or a
  // signal. Microseconds.
  void Wait(std::int64_t timeout_us);

  bool HasOutput() const { return sent_ < output_.size(); }
  // More waits than a child should add to: handle no further message now.
  bool IsCongested() const { return output_.size() - sent_ > kHighWater; }

 private:
  static constexpr std::size_t kHighWater = 4U << 20;
  static constexpr std::size_t kBlockAt = 64U << 20;
  static constexpr std::size_t kQueueAtMost = 16U << 10;

  bool Fill();
  void FlushOrBlock();
  void WaitToWrite();

  int fd_;
  ipc::FrameReader reader_;
  std::string output_;
  std::size_t sent_ = 0;
  bool emptied_ = false;  // the last read took all that was there
};

}  // namespace vigil::worker
