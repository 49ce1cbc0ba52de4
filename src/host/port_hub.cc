#include "host/port_hub.h"

namespace vigil::host {

void PortHub::OnFrame(std::uint64_t process, const std::string& origin, ipc::PortFrame frame) {
  const std::uint32_t side = frame.side();
  if (side > 1) return;
  if (frame.kind() == ipc::PortFrame::CLAIM) return Claim(process, origin, frame);
  auto channel = channels_.find(frame.channel());
  if (channel == channels_.end()) return;
  End& end = channel->second.ends[side];
  switch (frame.kind()) {
    case ipc::PortFrame::MESSAGE:
      if (channel->second.ends[1 - side].owner != process || end.closed) return;
      if (end.owner == 0) return Queue(channel, side, std::move(*frame.mutable_data()), false);
      if (!may_send_(process, end.owner)) return;
      return Tell(end.owner, frame.channel(), side, ipc::PortFrame::MESSAGE,
                  std::move(*frame.mutable_data()));
    case ipc::PortFrame::RELEASE:
      if (end.owner != process) return;
      end.owner = 0;
      end.drainer = process;
      return Tell(process, frame.channel(), side, ipc::PortFrame::FENCE);
    case ipc::PortFrame::BOUNCE:
      if (end.drainer == process) Queue(channel, side, std::move(*frame.mutable_data()), true);
      return;
    case ipc::PortFrame::DRAINED:
      if (end.drainer == process) Drained(channel, side);
      return;
    case ipc::PortFrame::CLOSE:
      if (end.owner == process) CloseEnd(channel, side);
      return;
    default:
      return;
  }
}

void PortHub::Claim(std::uint64_t process, const std::string& origin, const ipc::PortFrame& frame) {
  const std::uint32_t side = frame.side();
  auto channel = channels_.find(frame.channel());
  if (channel == channels_.end()) {
    // Whoever transfers a port of a new channel claims its other end, which is called 0, before.
    if (side != 0 || made_[process] >= kMaxChannels || frame.channel().size() > 64) {
      return Tell(process, frame.channel(), side, ipc::PortFrame::CLOSE);
    }
    ++made_[process];
    channel = channels_.emplace(frame.channel(), Channel{origin, process, {}}).first;
  }
  End& end = channel->second.ends[side];
  if (channel->second.origin != origin || end.owner != 0 || end.next != 0 || end.closed) return;
  held_[process].emplace(frame.channel(), side);
  if (end.drainer != 0) {
    end.next = process;
  } else {
    Give(channel, side, process);
  }
}

void PortHub::Give(Channels::iterator channel, std::uint32_t side, std::uint64_t process) {
  End& end = channel->second.ends[side];
  end.owner = process;
  ForgetQueued(channel->second.origin, end);
  auto queue = std::exchange(end.queue, {});
  for (auto& data : queue) Tell(process, channel->first, side, ipc::PortFrame::MESSAGE, std::move(data));
  if (!channel->second.ends[1 - side].closed) return;
  Tell(process, channel->first, side, ipc::PortFrame::CLOSE);
  Drop(channel);
}

void PortHub::Queue(Channels::iterator channel, std::uint32_t side, std::string data, bool bounced) {
  End& end = channel->second.ends[side];
  std::size_t& of_origin = queued_[channel->second.origin];
  end.queued_bytes += data.size() + 1;
  of_origin += data.size() + 1;
  if (end.queued_bytes > kMaxQueuedBytes || of_origin > kMaxQueuedBytesOfOrigin) return Drop(channel);
  const auto at = bounced ? end.queue.begin() + static_cast<std::ptrdiff_t>(end.bounced++) : end.queue.end();
  end.queue.insert(at, std::move(data));
}

void PortHub::ForgetQueued(const std::string& origin, End& end) {
  const auto found = queued_.find(origin);
  if (found == queued_.end()) return;
  found->second -= std::exchange(end.queued_bytes, 0);
  if (found->second == 0) queued_.erase(found);
}

void PortHub::Drained(Channels::iterator channel, std::uint32_t side) {
  End& end = channel->second.ends[side];
  if (auto held = held_.find(end.drainer); held != held_.end()) held->second.erase({channel->first, side});
  end.drainer = 0;
  end.bounced = 0;
  if (const std::uint64_t next = std::exchange(end.next, 0)) {
    held_[next].emplace(channel->first, side);
    return Give(channel, side, next);
  }
  DropIfFinished(channel);
}

void PortHub::CloseEnd(Channels::iterator channel, std::uint32_t side) {
  End& end = channel->second.ends[side];
  if (auto held = held_.find(end.owner); held != held_.end()) held->second.erase({channel->first, side});
  end.owner = 0;
  end.closed = true;
  const End& other = channel->second.ends[1 - side];
  if (other.owner != 0) {
    Tell(other.owner, channel->first, 1 - side, ipc::PortFrame::CLOSE);
    return Drop(channel);
  }
  DropIfFinished(channel);
}

// An end that is under way may still arrive and find its messages; but nobody may ever claim it.
void PortHub::DropIfFinished(Channels::iterator channel) {
  const auto& ends = channel->second.ends;
  if (ends[0].closed && ends[1].closed) return Drop(channel);
  for (const End& end : ends) {
    if (end.owner != 0 || end.drainer != 0 || end.next != 0) return;
  }
  abandoned_.push_back(channel->first);
  if (abandoned_.size() <= kMaxAbandoned) return;
  auto oldest = channels_.find(abandoned_.front());
  abandoned_.pop_front();
  if (oldest == channels_.end()) return;
  for (const End& end : oldest->second.ends) {
    if (end.owner != 0 || end.drainer != 0 || end.next != 0) return;
  }
  Drop(oldest);
}

void PortHub::Drop(Channels::iterator channel) {
  for (std::uint32_t side = 0; side < 2; ++side) {
    End& end = channel->second.ends[side];
    ForgetQueued(channel->second.origin, end);
    for (const std::uint64_t process : {end.owner, end.drainer, end.next}) {
      if (auto held = held_.find(process); held != held_.end()) held->second.erase({channel->first, side});
    }
  }
  auto made = made_.find(channel->second.maker);
  if (made != made_.end() && --made->second == 0) made_.erase(made);
  channels_.erase(channel);
}

void PortHub::ProcessEnded(std::uint64_t process) {
  made_.erase(process);
  auto found = held_.find(process);
  if (found == held_.end()) return;
  const auto names = std::move(found->second);
  held_.erase(found);
  for (const auto& [name, side] : names) {
    auto channel = channels_.find(name);
    if (channel == channels_.end()) continue;
    End& end = channel->second.ends[side];
    if (end.next == process) end.next = 0;
    if (end.owner == process) {
      CloseEnd(channel, side);
    } else if (end.drainer == process) {
      Drained(channel, side);
    }
  }
}

void PortHub::Tell(std::uint64_t process, const std::string& channel, std::uint32_t side,
                   ipc::PortFrame::Kind kind, std::string data) {
  ipc::PortFrame frame;
  frame.set_channel(channel);
  frame.set_side(side);
  frame.set_kind(kind);
  if (!data.empty()) frame.set_data(std::move(data));
  send_(process, std::move(frame));
}

}  // namespace vigil::host
