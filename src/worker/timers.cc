#include "worker/timers.h"

namespace vigil::worker {

void TimerHeap::Set(std::uint64_t id, std::int64_t at_us) {
  Clear(id);
  const Place place(at_us, ++calls_);
  places_.emplace(id, place);
  order_.emplace(place, id);
}

void TimerHeap::Clear(std::uint64_t id) {
  const auto found = places_.find(id);
  if (found == places_.end()) return;
  order_.erase(found->second);
  places_.erase(found);
}

std::optional<std::int64_t> TimerHeap::Next() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first.first;
}

std::optional<std::uint64_t> TimerHeap::PopDue(std::int64_t now_us) {
  if (order_.empty() || order_.begin()->first.first > now_us) return std::nullopt;
  const std::uint64_t id = order_.begin()->second;
  Clear(id);
  return id;
}

}  // namespace vigil::worker
