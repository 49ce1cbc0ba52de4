// Ports that hold their answers in memory: for embedders' tests and for embedders whose policy is this
// simple. Single-threaded. After a change tell the driver, or give the engine the matching input
// (NetworkChanged, PermissionChanged …).
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vigil/driver.h"
#include "vigil/ports.h"

namespace vigil {

class MemoryPolicy : public PolicyPort {
 public:
  bool Allowed(const std::string& origin, SyncKind kind) const override {
    return denied.count({origin, kind}) == 0;
  }
  bool Installed(const std::string& origin) const override { return uninstalled.count(origin) == 0; }
  bool NotificationsAllowed(const std::string& origin) const override {
    return notifications.count(origin) != 0;
  }
  EngagementLevel Engagement(const std::string& origin, Now) const override {
    const auto found = engagement.find(origin);
    return found == engagement.end() ? EngagementLevel::kHigh : found->second;
  }

  std::set<std::pair<std::string, SyncKind>> denied;
  std::set<std::string> uninstalled;
  std::set<std::string> notifications;
  std::map<std::string, EngagementLevel> engagement;  // kHigh where nothing is said
};

class MemoryNetwork : public NetworkPort {
 public:
  bool Online() const override { return online; }
  bool KnownNetwork(const std::string& origin) const override { return unknown_to.count(origin) == 0; }

  bool online = true;
  std::set<std::string> unknown_to;  // origins that were never used on the present network
};

// A fixed sequence: the same seed gives the same run (SplitMix64's constants).
class SeededRandom : public RandomPort {
 public:
  explicit SeededRandom(std::uint64_t seed = 0) : state_(seed) {}
  double NextUnit() override {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
  }

 private:
  std::uint64_t state_;
};

// A store that survives the engine, and nothing else.
class MemoryStore : public StorePort {
 public:
  LoadResult Load() override {
    LoadResult result;
    for (const auto& [key, record] : records) result.records.push_back(record);
    return result;
  }
  WriteResult Write(WriteToken token, const std::vector<RecordChange>& changes) override {
    if (hold) {
      held = {token, changes};
      return WriteResult::Later();
    }
    if (failure) return WriteResult::Failed(*failure);
    Apply(changes);
    return WriteResult::Written();
  }
  // Carries the held write out, and tells.
  void Release(Driver& driver) {
    const auto [token, changes] = std::exchange(held, {});
    if (!failure) Apply(changes);
    driver.WriteFinished(token, failure);
  }

  std::map<RegistrationKey, RegistrationRecord> records;
  std::optional<std::string> failure;  // set: writes fail, and this is why
  bool hold = false;                   // true: writes wait for Release
  std::pair<WriteToken, std::vector<RecordChange>> held;

 private:
  void Apply(const std::vector<RecordChange>& changes) {
    for (const RecordChange& change : changes) {
      if (change.op == RecordChange::Op::kPut) {
        records[change.record.key] = change.record;
      } else {
        records.erase(change.record.key);
      }
    }
  }
};

// Keeps the events for the test to finish.
class MemoryDispatcher : public DispatcherPort {
 public:
  void Dispatch(const effect::Dispatch& event) override { waiting.push_back(event); }
  // The oldest one. There must be one.
  effect::Dispatch Take() {
    effect::Dispatch event = std::move(waiting.front());
    waiting.pop_front();
    return event;
  }

  std::deque<effect::Dispatch> waiting;
};

// Time that moves by hand, both time lines together.
class ManualClock : public ClockPort {
 public:
  Now Read() override { return now; }
  void WakeAt(std::optional<MonoTime> when) override { wake = when; }
  // Stops wherever somebody wants to be woken, and wakes them.
  void Advance(Duration by) {
    const MonoTime end = now.mono + by;
    while (wake && *wake <= end) {
      Move(std::max(Duration::zero(), Duration(*wake - now.mono)));
      wake.reset();
      if (on_wake) on_wake();
    }
    Move(end - now.mono);
  }

  Now now;
  std::optional<MonoTime> wake;
  std::function<void()> on_wake;  // driver.Tick()

 private:
  void Move(Duration by) {
    now.wall += by;
    now.mono += by;
  }
};

}  // namespace vigil
