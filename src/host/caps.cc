#include "host/caps.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vigil::host {
namespace {

template <class Number>
bool Over(Number used, std::int64_t cap) {
  return cap > 0 && static_cast<std::uint64_t>(used) > static_cast<std::uint64_t>(cap);
}

}  // namespace

Refusal RequestBook::Begin(std::uint64_t id, std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (id != 0 && requests_.contains(id)) return "used the number of a request twice";
  requests_.emplace(id, Request{bytes, false});
  bytes_ += bytes;
  if (Over(requests_.size(), caps_.requests)) {
    return fmt::format("has more than {} requests under way", caps_.requests);
  }
  // One that is large all by itself is fine: its size is limited already.
  if (requests_.size() > 1 && Over(bytes_, caps_.request_bytes)) {
    return fmt::format("has requests of more than {} bytes under way", caps_.request_bytes);
  }
  return std::nullopt;
}

void RequestBook::End(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = requests_.find(id);
  if (found == requests_.end()) return;
  bytes_ -= found->second.bytes;
  if (found->second.fetch) --fetches_;
  requests_.erase(found);
}

std::size_t RequestBook::size() const {
  const std::lock_guard lock(mutex_);
  return requests_.size();
}

bool RequestBook::TooManyFetches(std::uint64_t id, std::size_t bodies) {
  const std::lock_guard lock(mutex_);
  const auto found = requests_.find(id);
  if (found == requests_.end()) return false;
  found->second.fetch = true;
  ++fetches_;
  return Over(fetches_ + bodies, caps_.fetches);
}

Allowance::Refusal Allowance::CountFetch() {
  ++event_fetches_;
  if (events_ == 0 || !Over(event_fetches_, caps_.fetches_per_event * events_)) return std::nullopt;
  return fmt::format("made more than {} fetches in one event", caps_.fetches_per_event);
}

void Allowance::BeginEvent(std::size_t others) {
  if (others == 0) event_fetches_ = events_ = 0;
  ++events_;
}

Allowance::Refusal Allowance::BeginMessage(std::size_t bytes) {
  ++messages_;
  message_bytes_ += bytes;
  if (Over(messages_, caps_.messages)) {
    return fmt::format("has sent more than {} messages that were not handled yet", caps_.messages);
  }
  if (messages_ > 1 && Over(message_bytes_, caps_.message_bytes)) {
    return fmt::format("has sent messages of more than {} bytes that were not handled yet",
                       caps_.message_bytes);
  }
  return std::nullopt;
}

void Allowance::EndMessage(std::size_t bytes) {
  --messages_;
  message_bytes_ -= bytes;
}

Allowance::Refusal Allowance::CheckReceiver(std::size_t waiting) const {
  if (!Over(waiting, caps_.message_bytes)) return std::nullopt;
  return fmt::format("sends messages faster than they are read: {} bytes wait", caps_.message_bytes);
}

// A bucket of console_lines that is filled again by console_lines_per_second.
Allowance::Console Allowance::CountConsoleLine(Steady::time_point now) {
  if (caps_.console_lines <= 0) return Console::kShow;
  const auto most = static_cast<double>(caps_.console_lines);
  if (console_left_ < 0) {
    console_left_ = most;
  } else {
    const double seconds = std::chrono::duration<double>(now - console_at_).count();
    console_left_ =
        std::min(most, console_left_ + seconds * static_cast<double>(caps_.console_lines_per_second));
  }
  console_at_ = now;
  if (console_left_ >= 1) {
    console_left_ -= 1;
    console_full_ = false;
    return Console::kShow;
  }
  return std::exchange(console_full_, true) ? Console::kDrop : Console::kLastOne;
}

}  // namespace vigil::host
