// MessageChannels whose ends live in different processes: carries their messages, and keeps those for an end
// that is on its way inside another message. Knows nothing of processes but their numbers.
//
// An end is claimed by the process that it arrived in. When it moves on, its process releases it: messages
// that were already under way to that process come back (they bounce) before the next one may have any, so
// none is lost and none overtakes another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "ipc/vigil.pb.h"

namespace vigil::host {

class PortHub {
 public:
  using Send = std::function<void(std::uint64_t process, ipc::PortFrame frame)>;
  // Whether the receiver reads fast enough; otherwise the sender has been ended.
  using MaySend = std::function<bool(std::uint64_t sender, std::uint64_t receiver)>;
  static constexpr std::size_t kMaxChannels = 10'000;                    // that one process made
  static constexpr std::size_t kMaxQueuedBytes = std::size_t{16} << 20;  // for an end that nobody has
  static constexpr std::size_t kMaxQueuedBytesOfOrigin = std::size_t{64} << 20;
  static constexpr std::size_t kMaxAbandoned = 1'000;  // channels that no process has an end of

  PortHub(Send send, MaySend may_send) : send_(std::move(send)), may_send_(std::move(may_send)) {}

  // A frame of a process. What it has no right to is ignored.
  void OnFrame(std::uint64_t process, const std::string& origin, ipc::PortFrame frame);
  void ProcessEnded(std::uint64_t process);
  std::size_t channels() const { return channels_.size(); }

 private:
  struct End {
    std::uint64_t owner = 0;    // the process it is in; 0: under way
    std::uint64_t drainer = 0;  // released it, and may still send back what was under way to it
    std::uint64_t next = 0;     // claimed it meanwhile
    bool closed = false;
    std::deque<std::string> queue;
    std::size_t queued_bytes = 0;
    std::size_t bounced = 0;  // of the queue: what came back, and so comes first
  };
  struct Channel {
    std::string origin;
    std::uint64_t maker = 0;
    std::array<End, 2> ends;
  };
  using Channels = std::map<std::string, Channel>;
  using Name = std::pair<std::string, std::uint32_t>;

  void Claim(std::uint64_t process, const std::string& origin, const ipc::PortFrame& frame);
  void Give(Channels::iterator channel, std::uint32_t side, std::uint64_t process);
  void Queue(Channels::iterator channel, std::uint32_t side, std::string data, bool bounced);
  void ForgetQueued(const std::string& origin, End& end);
  void Drained(Channels::iterator channel, std::uint32_t side);
  void CloseEnd(Channels::iterator channel, std::uint32_t side);
  void Drop(Channels::iterator channel);
  void DropIfFinished(Channels::iterator channel);
  void Tell(std::uint64_t process, const std::string& channel, std::uint32_t side, ipc::PortFrame::Kind kind,
            std::string data = {});

  Send send_;
  MaySend may_send_;
  Channels channels_;
  std::map<std::uint64_t, std::set<Name>> held_;  // by process: ends that it owns or drains, or will get
  std::map<std::uint64_t, std::size_t> made_;     // by process: channels
  std::map<std::string, std::size_t> queued_;     // by origin: bytes for ends that nobody has
  std::deque<std::string> abandoned_;             // in the order in which they were
};

}  // namespace vigil::host
