// How much one process, one event or one origin may use, and the count of it. Scripts are hostile: whoever
// passes a cap is stopped, with a reason that its user can read, or has the one call refused where a browser
// would refuse it. A cap of 0 is none.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace vigil::host {

struct Caps {
  // One process. Beyond it the process is stopped, but for fetches (the one more is a network error) and the
  // console (lines are dropped).
  std::int64_t requests = 20'000;                        // waiting for their answer
  std::int64_t request_bytes = std::int64_t{256} << 20;  // of all of these
  std::int64_t fetches = 6'000;                          // under way, bodies included
  std::int64_t fetches_per_event = 50'000;
  std::int64_t messages = 10'000;                          // sent and not handled by their receiver
  std::int64_t message_bytes = std::int64_t{64} << 20;     // of all of these
  std::int64_t console_lines = 10'000;                     // at once
  std::int64_t console_lines_per_second = 200;             // real time, for ever
  std::int64_t inspector_bytes = std::int64_t{256} << 20;  // said to a developer tool that has not taken it:
                                                           // the tool is detached
  // One origin. Beyond it the one call is refused.
  std::int64_t notifications = 500;  // the oldest goes instead
  std::int64_t notification_bytes = std::int64_t{1} << 20;
  std::int64_t service_workers = 1'000;              // registrations
  std::int64_t quota_bytes = std::int64_t{2} << 30;  // IndexedDB and caches
  // All of them together.
  std::int64_t pages = 200;
};

// What a process may not do: the end of the sentence "the service worker X …".
using Refusal = std::optional<std::string>;

// The requests of one process that are under way. Any thread: they are answered by several.
class RequestBook {
 public:
  explicit RequestBook(const Caps& caps) : caps_(caps) {}

  // Numbers are the process's own; one that is under way already is its mistake. 0: it wants no answer, and
  // any number of these may be under way.
  Refusal Begin(std::uint64_t id, std::size_t bytes);
  void End(std::uint64_t id);
  std::size_t size() const;
  // The request is a fetch; bodies: those that are still on their way to the process. True: one too many at
  // once.
  bool TooManyFetches(std::uint64_t id, std::size_t bodies);

 private:
  struct Request {
    std::size_t bytes = 0;
    bool fetch = false;
  };

  const Caps caps_;
  mutable std::mutex mutex_;
  std::unordered_multimap<std::uint64_t, Request> requests_;
  std::size_t bytes_ = 0;
  std::size_t fetches_ = 0;
};

// What one process uses. Event-loop thread only, but for its book.
class Allowance {
 public:
  using Refusal = host::Refusal;
  using Steady = std::chrono::steady_clock;

  explicit Allowance(const Caps& caps) : caps_(caps), book_(std::make_shared<RequestBook>(caps)) {}

  // For whoever answers.
  const std::shared_ptr<RequestBook>& book() const { return book_; }
  Refusal BeginRequest(std::uint64_t id, std::size_t bytes) { return book_->Begin(id, bytes); }
  void EndRequest(std::uint64_t id) { book_->End(id); }
  std::size_t requests() const { return book_->size(); }
  // True: answer it with a network error.
  bool TooManyFetches(std::uint64_t id, std::size_t bodies) { return book_->TooManyFetches(id, bodies); }
  // Counts one fetch of the events since the process last had none.
  Refusal CountFetch();
  // others: events under way besides it.
  void BeginEvent(std::size_t others);

  Refusal BeginMessage(std::size_t bytes);
  void EndMessage(std::size_t bytes);
  // waiting: bytes that the receiver has not read yet. For messages whose handling nobody tells of.
  Refusal CheckReceiver(std::size_t waiting) const;

  enum class Console { kShow, kLastOne, kDrop };
  // kLastOne: the first that is too many; say so in its place.
  Console CountConsoleLine(Steady::time_point now);

 private:
  const Caps& caps_;
  std::shared_ptr<RequestBook> book_;
  std::int64_t event_fetches_ = 0;
  std::int64_t events_ = 0;
  std::int64_t messages_ = 0;
  std::size_t message_bytes_ = 0;
  double console_left_ = -1;  // below zero: not asked yet
  bool console_full_ = false;
  Steady::time_point console_at_{};
};

}  // namespace vigil::host
