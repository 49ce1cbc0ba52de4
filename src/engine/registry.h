// The engine's memory: all registrations, by service worker registration and by origin. No policy in here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "engine/due_queue.h"
#include "vigil/engine.h"

namespace vigil {

struct Worker;
struct Origin;

// At least one attempt, and no more than anybody can mean.
constexpr std::int32_t AttemptCount(std::int64_t wanted) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(wanted, 1, 1'000'000));
}

// One-shot and periodic registrations of one tag are two entries.
struct TagKey {
  std::string tag;
  SyncKind kind = SyncKind::kOneShot;
};
struct TagView {
  std::string_view tag;
  SyncKind kind = SyncKind::kOneShot;
};
struct TagLess {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    const int order = std::string_view(a.tag).compare(std::string_view(b.tag));
    return order != 0 ? order < 0 : a.kind < b.kind;
  }
};

enum class Phase : std::uint8_t { kIdle, kFiring, kReregistered };
// Where an idle entry waits. kNowhere: for an input about itself (acknowledgement, engagement). kLane: for
// another event of its origin to end.
enum class Place : std::uint8_t { kNowhere, kQueue, kDue, kBlocked, kLane };

struct Entry {
  Worker* worker = nullptr;
  const TagKey* key = nullptr;  // lives in the worker's map
  std::int64_t min_interval_ms = -1;
  MonoTime due{};       // next run, not before; meaningless while suspended
  WallTime due_wall{};  // the same moment on the calendar; this is what is stored
  Duration delay{};     // the wait that led to due
  WallTime anchor{};
  WallTime registered_at{};
  std::optional<WallTime> last_fired;
  MonoTime acknowledge_by = MonoTime::max();  // counts as acknowledged from then on
  MonoTime wake{};                            // order in the queue
  DispatchToken running = 0;
  BatchNumber unstored = 0;    // newest batch that holds it and is not on disk yet
  BatchNumber created_in = 0;  // the batch that makes it exist on disk; 0: it exists
  std::uint32_t queue_index = kNotQueued;
  std::int32_t attempts = 0;
  std::int32_t max_attempts = 0;
  Phase phase = Phase::kIdle;
  Place place = Place::kNowhere;
  std::uint8_t own_failures = 0;
  bool suspended = false;
  bool acknowledged = true;
  bool lost_network = false;

  SyncKind kind() const { return key->kind; }
  bool periodic() const { return key->kind == SyncKind::kPeriodic; }
  bool last_chance() const { return attempts >= max_attempts - 1; }
};

struct Worker {
  WorkerRegistrationId id = 0;
  Origin* origin = nullptr;
  std::map<TagKey, Entry, TagLess> entries;
};

// What a registration counts for: its tag, and about what is kept beside it.
inline std::size_t RegistrationBytes(std::string_view tag) { return tag.size() + 256; }

struct Origin {
  std::string name;
  std::size_t bytes = 0;  // RegistrationBytes of all its entries
  std::set<WorkerRegistrationId> workers;
  // Periodic entries that are not suspended, by due time: the soonest is what others are spaced against.
  std::set<std::pair<MonoTime, Entry*>> schedule;
};

// The order in which entries that are ready at one moment are started: by kind, worker, tag.
struct StartOrder {
  bool operator()(const Entry* a, const Entry* b) const {
    return std::tie(a->key->kind, a->worker->id, a->key->tag) <
           std::tie(b->key->kind, b->worker->id, b->key->tag);
  }
};

class Registry {
 public:
  Entry* Find(WorkerRegistrationId worker, SyncKind kind, std::string_view tag);
  const Entry* Find(WorkerRegistrationId worker, SyncKind kind, std::string_view tag) const;
  Worker* FindWorker(WorkerRegistrationId worker);
  const Worker* FindWorker(WorkerRegistrationId worker) const;
  Origin* FindOrigin(const std::string& name);
  // The entry must not exist. Its origin is that of the worker when the worker has entries already.
  Entry& Add(WorkerRegistrationId worker, const std::string& origin, SyncKind kind, std::string_view tag);
  // Takes it out of its origin's schedule too; every other reference to it must be gone.
  void Remove(Entry& entry);

  // Keeps the origin's schedule in step. Call instead of assigning due or suspended.
  void SetDue(Entry& entry, MonoTime due);
  void Suspend(Entry& entry);
  // Due time of the soonest periodic entry of the same origin, itself left out; also, where same_tag is
  // false, those with its tag under other service worker registrations.
  std::optional<MonoTime> SoonestOther(const Entry& self, bool same_tag) const;

  std::map<WorkerRegistrationId, Worker>& workers() { return workers_; }
  const std::map<WorkerRegistrationId, Worker>& workers() const { return workers_; }
  std::map<std::string, Origin>& origins() { return origins_; }
  std::size_t size() const { return size_; }

 private:
  std::map<WorkerRegistrationId, Worker> workers_;
  std::map<std::string, Origin> origins_;
  std::size_t size_ = 0;
};

}  // namespace vigil
