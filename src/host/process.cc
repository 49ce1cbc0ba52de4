#include "host/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <utility>

namespace vigil::host {
namespace asio = boost::asio;
namespace {
constexpr auto kWatchInterval = std::chrono::milliseconds(500);
// Real time between the end of a process and the zygote's word about it.
constexpr auto kStatusLimit = std::chrono::seconds(2);
constexpr const char* kTooManyTimers = "has too many timers and was killed";
}  // namespace

WorkerProcess::WorkerProcess(asio::any_io_executor executor, Clock& clock, const Caps& caps, std::uint64_t id,
                             std::string origin, ForkedChild child, Delegate& delegate)
    : executor_(executor),
      clock_(clock),
      id_(id),
      origin_(std::move(origin)),
      child_(child),
      delegate_(delegate),
      pidfd_(executor, child.pidfd),
      watchdog_(executor),
      status_limit_(executor),
      start_limit_(clock),
      allowance_(caps),
      inspector_(
          caps,
          [this](ipc::InspectorFrame frame) {
            ipc::ToWorker message;
            *message.mutable_inspector() = std::move(frame);
            // Also before the start.
            if (!doomed_) channel_->Send(message);
          },
          [this] { OnInspectorChange(); }) {
  channel_ = std::make_unique<Channel>(
      executor, child.socket,
      Channel::Handlers{[this](ipc::ToDaemon message) { OnMessage(std::move(message)); },
                        [this](std::string reason) { OnClosed(reason); }});
}

WorkerProcess::~WorkerProcess() {
  if (!exited_) syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), SIGKILL, nullptr, 0);
}

void WorkerProcess::Start(ipc::Start start, Duration limit, std::chrono::microseconds cpu_limit,
                          std::function<void(StartResult)> done) {
  on_started_ = std::move(done);
  cpu_limit_ = cpu_limit;
  WatchExit();
  delegate_.OnProcessStarting(*this);
  start_limit_.Set(
      limit, [this] { Kill(ExitReport::Reason::kUnresponsive, "took too long to start and was killed"); },
      inspector_.paused());
  ipc::ToWorker message;
  *message.mutable_start() = std::move(start);
  start_sent_ = true;
  Send(std::move(message));
}

void WorkerProcess::Kill(ExitReport::Reason reason, std::string text) {
  if (doomed_) return;
  doomed_ = true;
  verdict_ = ExitReport{reason, std::move(text)};
  syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), SIGKILL, nullptr, 0);
  // Nothing that it sent and we have not read counts any more.
  channel_->Close();
  if (!start_sent_) WatchExit();
}

// ---------------------------------------------------------------------------------------------------- the
// end
void WorkerProcess::WatchExit() {
  pidfd_.async_wait(asio::posix::stream_descriptor::wait_read,
                    [weak = weak_from_this()](const boost::system::error_code& error) {
                      auto self = weak.lock();
                      if (error || !self) return;
                      self->exited_ = true;
                      self->MaybeEnded();
                    });
}

void WorkerProcess::OnClosed(const std::string& reason) {
  if (!reason.empty()) return Kill(ExitReport::Reason::kMisbehaved, reason + " and was killed");
  // The end of the stream: it is gone, or has closed its socket, which amounts to the same.
  doomed_ = true;
  syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), SIGKILL, nullptr, 0);
  MaybeEnded();
}

void WorkerProcess::OnExitStatus(std::optional<int> wait_status) {
  if (wait_status) {
    wait_status_ = wait_status;
    return MaybeEnded();
  }
  // Its socket may have closed before, so that it counts as doomed already.
  ExitReport lost{ExitReport::Reason::kStopped, "ended with the process that makes workers"};
  if (!doomed_) return Kill(lost.reason, lost.text);
  if (!verdict_) verdict_ = std::move(lost);
  MaybeEnded();
}

// Ended once the kernel says so and it is known why; the zygote's word is not waited for long.
void WorkerProcess::MaybeEnded() {
  if (ended_ || !exited_) return;
  // Its last messages may still lie in the socket: until the channel ends (doomed_) they are waited for.
  if (doomed_ && (wait_status_ || verdict_)) return Ended();
  status_limit_.expires_after(kStatusLimit);
  status_limit_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    auto self = weak.lock();
    if (!error && self) self->Ended();
  });
}

void WorkerProcess::Ended() {
  if (ended_) return;
  ended_ = true;
  doomed_ = true;
  auto keep = shared_from_this();
  channel_->Close();
  watchdog_.cancel();
  status_limit_.cancel();
  boost::system::error_code ignored;
  pidfd_.close(ignored);
  FailPending();
  inspector_.Ended("the worker " + Explain().text);
  delegate_.OnProcessEnded(*this, Explain());
  clock_.NoteQuiescence();
}

void WorkerProcess::FailPending() {
  ExitReport report = Explain();
  std::string text = "the worker " + report.text;
  bool ours = report.reason == ExitReport::Reason::kStopped;
  start_limit_.Cancel();
  if (auto done = std::exchange(on_started_, {})) {
    StartResult result;
    result.process_died = true;
    result.ours = ours;
    result.error = text;
    done(std::move(result));
  }
  for (auto& [id, event] : std::exchange(events_, {})) {
    EventResult result;
    result.ours = ours;
    result.error = text;
    if (event.options.done) event.options.done(std::move(result));
  }
  for (auto& [id, done] : std::exchange(evaluations_, {})) done(std::nullopt);
  for (auto& [number, incoming] : std::exchange(incoming_, {})) incoming.handler({}, true, text);
  for (auto& [number, handlers] : std::exchange(outgoing_, {})) {
    if (handlers.on_cancel) handlers.on_cancel();
  }
}

ExitReport WorkerProcess::Explain() const {
  using Reason = ExitReport::Reason;
  if (verdict_) return *verdict_;
  if (dying_.find("heap") != std::string::npos || dying_.find("memory") != std::string::npos) {
    return {Reason::kOutOfMemory, "ran out of memory and was killed"};
  }
  if (dying_.find("cpu") != std::string::npos)
    return {Reason::kCpuLimit, "used up its CPU time and was killed"};
  if (dying_ == "timer limit") return {Reason::kMisbehaved, kTooManyTimers};
  if (dying_.starts_with("fatal") || dying_.starts_with("sandbox")) {
    return {Reason::kCrashed, fmt::format("could not run: {}", dying_)};
  }
  if (!dying_.empty()) return {Reason::kExited, fmt::format("ended by itself: {}", dying_)};
  if (!wait_status_) return {Reason::kCrashed, "ended for an unknown reason"};
  if (WIFEXITED(*wait_status_)) {
    // The worker program's statuses (src/worker/README.md), for when its last message did not arrive.
    int status = WEXITSTATUS(*wait_status_);
    if (status == 71) return {Reason::kOutOfMemory, "ran out of memory and was killed"};
    if (status == 72) return {Reason::kCpuLimit, "used up its CPU time and was killed"};
    if (status == 76) return {Reason::kMisbehaved, kTooManyTimers};
    if (status == 70 || status == 75)
      return {Reason::kCrashed, fmt::format("could not run (status {})", status)};
    return {Reason::kExited, fmt::format("ended by itself (status {})", status)};
  }
  int signal = WTERMSIG(*wait_status_);
  if (signal == SIGXCPU) return {Reason::kCpuLimit, "used up its CPU time and was killed"};
  if (signal == SIGKILL)
    return {Reason::kOutOfMemory, "was killed by the system, most likely for want of memory"};
  if (signal == SIGSYS) return {Reason::kMisbehaved, "was killed: it made a forbidden system call"};
  return {Reason::kCrashed, fmt::format("crashed (signal {})", signal)};
}

// ----------------------------------------------------------------------------------------------------
// watchdog Something is expected of it that does not depend on others.
bool WorkerProcess::Expected() const {
  if (ended_ || doomed_ || !start_sent_) return false;
  if (inspector_.paused()) return false;
  return !started_ || !events_.empty() || !evaluations_.empty() || !quiescent();
}

std::optional<std::chrono::microseconds> WorkerProcess::CpuTime() const {
  clockid_t clock;
  timespec used{};
  if (clock_getcpuclockid(child_.pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return std::nullopt;
  return std::chrono::seconds(used.tv_sec) + std::chrono::microseconds(used.tv_nsec / 1000);
}

// Counts CPU time, not time: a worker that waits for a slow server is fine, one that spins is not, and an
// overloaded machine does not make culprits.
void WorkerProcess::Watchdog() {
  if (watching_ || cpu_limit_.count() == 0 || !Expected()) return;
  watching_ = true;
  cpu_at_last_sign_.reset();
  watchdog_.expires_after(kWatchInterval);
  watchdog_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    auto self = weak.lock();
    if (error || !self) return;
    struct Tick {
      static void Run(const std::shared_ptr<WorkerProcess>& p) {
        if (!p->Expected()) {
          p->watching_ = false;
          return;
        }
        auto used = p->CpuTime();
        if (!p->cpu_at_last_sign_) p->cpu_at_last_sign_ = used;
        if (used && p->cpu_at_last_sign_ && *used - *p->cpu_at_last_sign_ > p->cpu_limit_) {
          p->Kill(ExitReport::Reason::kUnresponsive,
                  fmt::format("ran for {} s without giving up its turn and was killed",
                              std::chrono::duration_cast<std::chrono::seconds>(p->cpu_limit_).count()));
          return;
        }
        p->watchdog_.expires_after(kWatchInterval);
        p->watchdog_.async_wait([again = p->weak_from_this()](const boost::system::error_code& failed) {
          auto next = again.lock();
          if (!failed && next) Run(next);
        });
      }
    };
    Tick::Run(self);
  });
}

void WorkerProcess::NoteIdle() {
  if (idle() && running()) delegate_.OnProcessIdle(*this);
}

// ----------------------------------------------------------------------------------------------------
// developer tools: what stands still at a breakpoint uses up no limit, and whoever is looked at is not idle
void WorkerProcess::OnInspectorChange() {
  const bool still = inspector_.paused();
  still ? start_limit_.StandStill() : start_limit_.GoOn();
  for (auto& [id, event] : events_) still ? event.limit->StandStill() : event.limit->GoOn();
  clock_.NoteQuiescence();
  Watchdog();
  if (std::exchange(was_inspected_, inspector_.attached()) && !inspector_.attached() && !doomed_) NoteIdle();
}

// ----------------------------------------------------------------------------------------------------
// virtual time
bool WorkerProcess::quiescent() const {
  return ended_ || !clock_.is_virtual() || !start_sent_ ||
         (!doomed_ && quiescent_seq_ == channel_->last_seq());
}

std::optional<MonoTime> WorkerProcess::next_timer() const {
  if (doomed_ || next_timer_us_ < 0) return std::nullopt;
  return MonoTime(Duration(next_timer_us_));
}

}  // namespace vigil::host
