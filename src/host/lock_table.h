// Web Locks §2: the held locks and the waiting requests of every origin. Knows nothing of processes but their
// numbers; says what is to be told to whom.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vigil::host {

// Who asked: a process, and its number for the request. Later the lock has the same name.
struct LockHolder {
  std::uint64_t process = 0;
  std::uint64_t request = 0;
  auto operator<=>(const LockHolder&) const = default;
};

struct LockCall {
  std::string origin;
  std::string name;
  bool shared = false;
  bool if_available = false;
  bool steal = false;
};

struct LockNews {
  enum class Kind { kGranted, kNotAvailable, kStolen };
  Kind kind = Kind::kGranted;
  LockHolder holder;
};

class LockTable {
 public:
  struct Entry {
    LockHolder holder;
    bool shared = false;
    bool held = false;
  };
  struct Named {
    std::string name;
    Entry entry;
  };
  struct Snapshot {
    std::vector<Named> held;
    std::vector<Named> waiting;
  };

  [[nodiscard]] std::vector<LockNews> Request(const LockHolder& holder, const LockCall& call);
  // Gives a lock back, or takes a request back. Nothing happens when it has neither.
  [[nodiscard]] std::vector<LockNews> Release(const LockHolder& holder);
  [[nodiscard]] std::vector<LockNews> ProcessEnded(std::uint64_t process);
  bool Contains(const LockHolder& holder) const { return places_.contains(holder); }
  bool Waits(const LockHolder& holder) const;
  Snapshot OfOrigin(const std::string& origin) const;
  // What a process has of it: locks and requests, and the bytes of their names.
  struct Usage {
    std::size_t entries = 0;
    std::size_t name_bytes = 0;
  };
  Usage UsageOf(std::uint64_t process) const;

 private:
  using Key = std::pair<std::string, std::string>;  // origin, name
  struct Queue {
    std::list<Entry> held;
    std::list<Entry> waiting;  // in order
  };
  using Queues = std::map<Key, Queue>;

  struct Place {
    Queues::iterator queue;
    std::list<Entry>::iterator entry;
  };

  static bool Grantable(const Queue& queue, bool shared);
  void Steal(Queue& queue, std::vector<LockNews>& news);
  void Process(Queues::iterator at, std::vector<LockNews>& news);
  void Forget(std::map<LockHolder, Place>::iterator place);

  Queues queues_;
  std::map<LockHolder, Place> places_;
  std::map<std::uint64_t, Usage> usage_;  // by process
};

}  // namespace vigil::host
