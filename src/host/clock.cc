#include "host/clock.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <limits>

#include "base/log.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {

Duration Read(clockid_t id) {
  timespec time{};
  ::clock_gettime(id, &time);
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(time.tv_sec) +
                                              std::chrono::nanoseconds(time.tv_nsec));
}

// How many rounds through the event loop must pass without any activity before the daemon counts as
// quiescent: results travel between its parts in posted handlers, which no source counts.
constexpr int kQuietRounds = 32;

}  // namespace

TimerId TimerQueue::Add(MonoTime when, std::function<void()> fn) {
  const TimerId id = next_id_++;
  timers_.emplace(Key(when, id), std::move(fn));
  times_.emplace(id, when);
  return id;
}

void TimerQueue::Remove(TimerId id) {
  const auto found = times_.find(id);
  if (found == times_.end()) return;
  timers_.erase(Key(found->second, id));
  times_.erase(found);
}

std::optional<MonoTime> TimerQueue::earliest() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first.first;
}

std::function<void()> TimerQueue::TakeDue(MonoTime now) {
  if (timers_.empty() || timers_.begin()->first.first > now) return {};
  const auto first = timers_.begin();
  std::function<void()> fn = std::move(first->second);
  times_.erase(first->first.second);
  timers_.erase(first);
  return fn;
}

// ------------------------------------------------------------------------------------------------- RealClock

RealClock::RealClock(asio::io_context& loop) : timer_(loop), jump_watch_(loop) {
  const int watch = ::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  if (watch < 0) {
    log::Warning(
        "cannot watch for changes of the system time; retries follow the old time until they are due");
    return;
  }
  jump_watch_.assign(watch);
  if (ArmJumpWatch()) WatchJumps();
}

RealClock::~RealClock() { *alive_ = false; }

Now RealClock::now() const {
  Now now;
  now.wall = WallTime(Read(CLOCK_REALTIME));
  now.mono = MonoTime(Read(CLOCK_MONOTONIC));
  return now;
}

TimerId RealClock::At(MonoTime when, std::function<void()> fn) {
  const TimerId id = queue_.Add(when, std::move(fn));
  Arm();
  return id;
}

void RealClock::Cancel(TimerId id) {
  queue_.Remove(id);
  Arm();
}

void RealClock::OnWallClockJump(std::function<void(const Now&)> fn) {
  jump_listeners_.push_back(std::move(fn));
}

void RealClock::Arm() {
  const auto earliest = queue_.earliest();
  if (earliest == armed_for_) return;
  armed_for_ = earliest;
  if (!earliest) {
    timer_.cancel();
    return;
  }
  // Asio's steady clock is CLOCK_MONOTONIC too, so the point in time can be handed on unchanged.
  timer_.expires_at(asio::steady_timer::time_point(earliest->time_since_epoch()));
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    armed_for_.reset();
    RunDue();
  });
}

void RealClock::RunDue() {
  const auto alive = alive_;
  // Only what is due now: a callback that always asks for "at once" must not starve the event loop.
  const MonoTime present = now().mono;
  while (auto fn = queue_.TakeDue(present)) {
    fn();
    if (!*alive) return;
  }
  Arm();
}

bool RealClock::ArmJumpWatch() {
  itimerspec never{};
  never.it_value.tv_sec = std::numeric_limits<std::int32_t>::max();
  never.it_value.tv_sec *= 4;  // some centuries ahead
  return ::timerfd_settime(jump_watch_.native_handle(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
                           nullptr) == 0;
}

void RealClock::WatchJumps() {
  jump_watch_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [this, alive = alive_](const boost::system::error_code& error) {
                           if (error || !*alive) return;
                           std::uint64_t expirations = 0;
                           const auto got =
                               ::read(jump_watch_.native_handle(), &expirations, sizeof expirations);
                           if (got < 0 && errno == EAGAIN) {
                             WatchJumps();
                             return;
                           }
                           // ECANCELED: the calendar clock was set.
                           if (!ArmJumpWatch()) return;
                           const auto listeners = jump_listeners_;
                           const Now present = now();
                           for (const auto& listener : listeners) {
                             listener(present);
                             if (!*alive) return;
                           }
                           WatchJumps();
                         });
}

// ---------------------------------------------------------------------------------------------- VirtualClock

VirtualClock::VirtualClock(asio::io_context& loop, Now start) : loop_(loop), now_(start), bell_(loop) {
  bell_.expires_at(asio::steady_timer::time_point::max());
}

VirtualClock::~VirtualClock() { *alive_ = false; }

TimerId VirtualClock::At(MonoTime when, std::function<void()> fn) {
  ++activity_;
  const TimerId id = queue_.Add(when, std::move(fn));
  if (when <= now_.mono) ScheduleDue();
  return id;
}

void VirtualClock::Cancel(TimerId id) {
  ++activity_;
  queue_.Remove(id);
}

void VirtualClock::AddQuiescenceSource(QuiescenceSource* source) { sources_.push_back(source); }

void VirtualClock::RemoveQuiescenceSource(QuiescenceSource* source) {
  sources_.erase(std::remove(sources_.begin(), sources_.end(), source), sources_.end());
  NoteQuiescence();
}

void VirtualClock::NoteQuiescence() {
  ++activity_;
  bell_.cancel();
}

bool VirtualClock::AllQuiescent() const {
  if (due_scheduled_) return false;
  return std::all_of(sources_.begin(), sources_.end(),
                     [](const auto* source) { return source->quiescent(); });
}

bool VirtualClock::Held() const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const auto* source) { return source->holds_time(); });
}

std::optional<MonoTime> VirtualClock::EarliestWait() const {
  std::optional<MonoTime> earliest = queue_.earliest();
  for (const auto* source : sources_) {
    const auto next = source->next_timer();
    if (next && (!earliest || *next < *earliest)) earliest = next;
  }
  return earliest;
}

void VirtualClock::ScheduleDue() {
  if (due_scheduled_) return;
  due_scheduled_ = true;
  asio::post(loop_, [this, alive = alive_] {
    if (*alive) RunDue();
  });
}

void VirtualClock::RunDue() {
  due_scheduled_ = false;
  const auto alive = alive_;
  // One at a time, each in a handler of its own: what a callback posts runs before the next callback.
  if (auto fn = queue_.TakeDue(now_.mono)) {
    fn();
    if (!*alive) return;
  }
  const auto next = queue_.earliest();
  if (next && *next <= now_.mono) ScheduleDue();
  NoteQuiescence();
}

void VirtualClock::MoveTo(MonoTime when) {
  const Duration by = when - now_.mono;
  now_.mono = when;
  now_.wall += by;
  const auto sources = sources_;
  for (auto* source : sources) source->TimeMoved(now_);
  const auto next = queue_.earliest();
  if (next && *next <= now_.mono) ScheduleDue();
}

asio::awaitable<void> VirtualClock::Settle() {
  int quiet = 0;
  asio::steady_timer watchdog(loop_);
  const auto lost = std::make_shared<bool>(false);
  while (quiet < kQuietRounds) {
    if (!AllQuiescent()) {
      if (*lost) {
        if (!impatient_) log::Warning("the virtual clock goes on although something does not answer");
        impatient_ = true;
        co_return;
      }
      quiet = 0;
      // Whatever rings the bell is progress and starts the patience anew.
      watchdog.expires_after(impatient_ ? patience_ / 20 : patience_);
      watchdog.async_wait([this, alive = alive_, lost](const boost::system::error_code& error) {
        if (error || !*alive) return;
        *lost = !Held();
        bell_.cancel();
      });
      boost::system::error_code rung;
      co_await bell_.async_wait(asio::redirect_error(asio::use_awaitable, rung));
      continue;
    }
    const std::uint64_t before = activity_;
    co_await asio::post(loop_, asio::use_awaitable);
    quiet = activity_ == before ? quiet + 1 : 0;
  }
}

asio::awaitable<Result<>> VirtualClock::Advance(Duration by, std::function<void(const Now&)> moved) {
  if (by < Duration::zero())
    co_return Fail(ErrorCode::kInvalidArgument, "the clock only goes forwards: give a positive duration");
  if (advancing_)
    co_return Fail(ErrorCode::kUnavailable, "the clock is being advanced already: wait until that has ended");
  advancing_ = true;
  // Also when this coroutine is destroyed half-way.
  const std::unique_ptr<bool, void (*)(bool*)> done(&advancing_, [](bool* flag) { *flag = false; });
  impatient_ = false;
  const MonoTime target = now_.mono + by;
  co_await Settle();
  while (now_.mono < target) {
    const auto next = EarliestWait();
    // Nothing of ours waits for a moment that has passed; should a worker claim to, time goes on all the
    // same.
    MoveTo(next ? std::clamp(*next, now_.mono + Duration(1), target) : target);
    co_await Settle();
    if (moved) moved(now_);
  }
  co_return Result<>();
}

}  // namespace vigil::host
