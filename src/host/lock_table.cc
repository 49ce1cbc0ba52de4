#include "host/lock_table.h"

namespace vigil::host {

// A lock excludes others of its name, unless all of them are shared.
bool LockTable::Grantable(const Queue& queue, bool shared) {
  return queue.held.empty() || (shared && queue.held.front().shared);
}

std::vector<LockNews> LockTable::Request(const LockHolder& holder, const LockCall& call) {
  std::vector<LockNews> news;
  auto at = queues_.try_emplace(Key(call.origin, call.name)).first;
  Queue& queue = at->second;
  const Entry entry{holder, call.shared};
  auto position = queue.waiting.end();
  if (call.steal) {
    Steal(queue, news);
    position = queue.waiting.begin();
  } else if (call.if_available && (!queue.waiting.empty() || !Grantable(queue, call.shared))) {
    news.push_back({LockNews::Kind::kNotAvailable, holder});
    return news;
  }
  places_.emplace(holder, Place{at, queue.waiting.insert(position, entry)});
  Usage& usage = usage_[holder.process];
  ++usage.entries;
  usage.name_bytes += call.name.size();
  Process(at, news);
  return news;
}

void LockTable::Steal(Queue& queue, std::vector<LockNews>& news) {
  while (!queue.held.empty()) {
    const LockHolder holder = queue.held.front().holder;
    news.push_back({LockNews::Kind::kStolen, holder});
    Forget(places_.find(holder));
  }
}

// "Process the lock request queue": requests are granted in their order, and none overtakes one that waits.
void LockTable::Process(Queues::iterator at, std::vector<LockNews>& news) {
  Queue& queue = at->second;
  while (!queue.waiting.empty() && Grantable(queue, queue.waiting.front().shared)) {
    queue.waiting.front().held = true;
    news.push_back({LockNews::Kind::kGranted, queue.waiting.front().holder});
    queue.held.splice(queue.held.end(), queue.waiting, queue.waiting.begin());
  }
  if (queue.held.empty() && queue.waiting.empty()) queues_.erase(at);
}

void LockTable::Forget(std::map<LockHolder, Place>::iterator place) {
  const auto [queue, entry] = place->second;
  auto usage = usage_.find(place->first.process);
  usage->second.name_bytes -= queue->first.second.size();
  if (--usage->second.entries == 0) usage_.erase(usage);
  (entry->held ? queue->second.held : queue->second.waiting).erase(entry);
  places_.erase(place);
}

std::vector<LockNews> LockTable::Release(const LockHolder& holder) {
  std::vector<LockNews> news;
  auto place = places_.find(holder);
  if (place == places_.end()) return news;
  auto queue = place->second.queue;
  Forget(place);
  Process(queue, news);
  return news;
}

std::vector<LockNews> LockTable::ProcessEnded(std::uint64_t process) {
  std::vector<LockNews> news;
  std::vector<LockHolder> held;
  // What it waits for goes first: none of that is to be granted on the way.
  for (auto it = places_.lower_bound({process, 0}); it != places_.end() && it->first.process == process;) {
    auto place = it++;
    if (place->second.entry->held) {
      held.push_back(place->first);
      continue;
    }
    auto queue = place->second.queue;
    Forget(place);
    Process(queue, news);
  }
  for (const LockHolder& holder : held) {
    auto more = Release(holder);
    news.insert(news.end(), more.begin(), more.end());
  }
  return news;
}

bool LockTable::Waits(const LockHolder& holder) const {
  auto place = places_.find(holder);
  return place != places_.end() && !place->second.entry->held;
}

LockTable::Snapshot LockTable::OfOrigin(const std::string& origin) const {
  Snapshot snapshot;
  for (auto it = queues_.lower_bound({origin, {}}); it != queues_.end() && it->first.first == origin; ++it) {
    const auto& [key, queue] = *it;
    for (const Entry& entry : queue.held) snapshot.held.push_back({key.second, entry});
    for (const Entry& entry : queue.waiting) snapshot.waiting.push_back({key.second, entry});
  }
  return snapshot;
}

LockTable::Usage LockTable::UsageOf(std::uint64_t process) const {
  auto usage = usage_.find(process);
  return usage == usage_.end() ? Usage{} : usage->second;
}

}  // namespace vigil::host
