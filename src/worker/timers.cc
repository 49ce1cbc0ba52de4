#include "worker/timers.h"

namespace vigil::worker {

void TimerHeap::Set(std::uint64_t id, std::int64_t at_us) {
  Clear(id);
  times_.emplace(id, at_us);
  order_.emplace(at_us, id);
}

void TimerHeap::Clear(std::uint64_t id) {
  const auto found = times_.find(id);
  if (found == times_.end()) return;
  order_.erase({found->second, id});
  times_.erase(found);
}

std::optional<std::int64_t> TimerHeap::Next() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

std::optional<std::uint64_t> TimerHeap::PopDue(std::int64_t now_us) {
  if (order_.empty() || order_.begin()->first > now_us) return std::nullopt;
  const std::uint64_t id = order_.begin()->second;
  Clear(id);
  return id;
}

}  // namespace vigil::worker
