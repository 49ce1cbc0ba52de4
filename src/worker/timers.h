// The timers of one worker: which id fires when. Ordered by time, then by the order in which they were
// set. Times: microseconds of whichever monotonic clock the caller uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

namespace vigil::worker {

class TimerHeap {
 public:
  // Setting an id again moves it.
  void Set(std::uint64_t id, std::int64_t at_us);
  void Clear(std::uint64_t id);
  std::size_t size() const { return places_.size(); }
  // Time of the earliest timer.
  std::optional<std::int64_t> Next() const;
  // Removes and returns the earliest timer that is due, if one is.
  std::optional<std::uint64_t> PopDue(std::int64_t now_us);

 private:
  using Place = std::pair<std::int64_t, std::uint64_t>;  // time, number of the call
  std::map<Place, std::uint64_t> order_;
  std::unordered_map<std::uint64_t, Place> places_;
  std::uint64_t calls_ = 0;
};

}  // namespace vigil::worker
