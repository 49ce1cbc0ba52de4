// The daemon's clock. Everything in the daemon that waits for time waits here, so that a virtual clock can
// play days in milliseconds. (Exception: safety limits that must hold in real time, such as "the process does
// not answer".)
//
// Event-loop thread only, all of it. Callbacks run on the event loop, never inside At().
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/result.h"
#include "vigil/time.h"

namespace vigil::host {

using TimerId = std::uint64_t;  // never 0, never used twice

// A part of the daemon that can have work under way which ends by itself, without time passing: jobs on the
// storage thread, network fetches, worker processes that have not answered Quiescent yet. Only a virtual
// clock asks.
//
// A source calls Clock::NoteQuiescence() each time it may have become quiescent; otherwise Advance() would
// wait on.
class QuiescenceSource {
 public:
  virtual ~QuiescenceSource() = default;
  // True when nothing is under way here.
  virtual bool quiescent() const = 0;
  // While it is not quiescent: it is looked at by somebody who decides when it goes on, so that no patience
  // is lost.
  virtual bool holds_time() const { return false; }
  // The earliest time something here waits for that is not a timer of the Clock itself (timers inside worker
  // processes). Only asked while quiescent.
  virtual std::optional<MonoTime> next_timer() const { return std::nullopt; }
  // The present has moved (worker processes must be told). Called before the timers that became due run.
  virtual void TimeMoved(const Now& /*now*/) {}
};

class Clock {
 public:
  virtual ~Clock() = default;

  virtual Now now() const = 0;
  virtual bool is_virtual() const = 0;

  // Runs `fn` once at or after `when`, never before; at once (but not inside this call) when `when` has
  // passed. Timers run in order of time, then of creation.
  virtual TimerId At(MonoTime when, std::function<void()> fn) = 0;
  TimerId After(Duration delay, std::function<void()> fn) { return At(now().mono + delay, std::move(fn)); }
  // Afterwards the callback does not run. Unknown or past ids are ignored.
  virtual void Cancel(TimerId id) = 0;

  // `fn` runs when calendar time has moved against monotonic time: somebody set the clock, or the machine
  // slept. Kept for the clock's life. A virtual clock never jumps.
  virtual void OnWallClockJump(std::function<void(const Now&)> fn) = 0;

  // See QuiescenceSource. The source must outlive its registration. A real clock ignores these calls.
  virtual void AddQuiescenceSource(QuiescenceSource* /*source*/) {}
  virtual void RemoveQuiescenceSource(QuiescenceSource* /*source*/) {}
  virtual void NoteQuiescence() {}
};

// The ordered set of callbacks that both clocks share.
class TimerQueue {
 public:
  TimerId Add(MonoTime when, std::function<void()> fn);
  void Remove(TimerId id);
  bool empty() const { return timers_.empty(); }
  std::optional<MonoTime> earliest() const;
  // Takes the first callback that is due at `now` out of the queue; empty function when there is none.
  std::function<void()> TakeDue(MonoTime now);

 private:
  using Key = std::pair<MonoTime, TimerId>;
  std::map<Key, std::function<void()>> timers_;
  std::map<TimerId, MonoTime> times_;
  TimerId next_id_ = 1;
};

// Follows the system's clocks: CLOCK_REALTIME and CLOCK_MONOTONIC (the one worker processes read too).
class RealClock final : public Clock {
 public:
  explicit RealClock(boost::asio::io_context& loop);
  ~RealClock() override;

  Now now() const override;
  bool is_virtual() const override { return false; }
  TimerId At(MonoTime when, std::function<void()> fn) override;
  void Cancel(TimerId id) override;
  void OnWallClockJump(std::function<void(const Now&)> fn) override;

 private:
  void Arm();
  void RunDue();
  void WatchJumps();
  bool ArmJumpWatch();

  boost::asio::steady_timer timer_;
  std::optional<MonoTime> armed_for_;
  TimerQueue queue_;
  std::vector<std::function<void(const Now&)>> jump_listeners_;
  // A timerfd that the kernel cancels when the calendar clock is set or the machine wakes up.
  boost::asio::posix::stream_descriptor jump_watch_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

// Stands still except inside Advance().
class VirtualClock final : public Clock {
 public:
  VirtualClock(boost::asio::io_context& loop, Now start);
  ~VirtualClock() override;

  Now now() const override { return now_; }
  bool is_virtual() const override { return true; }
  TimerId At(MonoTime when, std::function<void()> fn) override;
  void Cancel(TimerId id) override;
  void OnWallClockJump(std::function<void(const Now&)>) override {}
  void AddQuiescenceSource(QuiescenceSource* source) override;
  void RemoveQuiescenceSource(QuiescenceSource* source) override;
  void NoteQuiescence() override;

  // Moves the present by `by`, stopping at each moment for which a timer or a worker waits: everything that
  // is due there runs, and time goes on only when the whole daemon is quiescent again. On return it is
  // quiescent. `moved` is told of each stop. Fails with kUnavailable while another Advance runs. The clock
  // must live until it returns.
  boost::asio::awaitable<Result<>> Advance(Duration by, std::function<void(const Now&)> moved = {});

  // Waits until nothing is under way any more; time does not pass. Work that makes no progress for the
  // patience (real time; a server that never answers) is not waited for any longer: virtual time limits then
  // end it.
  boost::asio::awaitable<void> Settle();
  void SetPatience(std::chrono::milliseconds patience) { patience_ = patience; }

 private:
  bool AllQuiescent() const;
  bool Held() const;
  std::optional<MonoTime> EarliestWait() const;
  void MoveTo(MonoTime when);
  void ScheduleDue();
  void RunDue();

  boost::asio::io_context& loop_;
  Now now_;
  TimerQueue queue_;
  std::vector<QuiescenceSource*> sources_;
  // Rings when somebody calls NoteQuiescence(); its expiry never comes.
  boost::asio::steady_timer bell_;
  std::uint64_t activity_ = 0;  // counts whatever may have started or ended work
  std::chrono::milliseconds patience_{20'000};
  // Patience was lost once in this Advance(): it is not waited for as long again.
  bool impatient_ = false;
  bool due_scheduled_ = false;
  bool advancing_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::host
