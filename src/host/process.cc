#include "host/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "base/log.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
constexpr auto kWatchInterval = std::chrono::milliseconds(500);
// Real time between the end of a process and the zygote's word about it.
constexpr auto kStatusLimit = std::chrono::seconds(2);
constexpr const char* kTooManyTimers = "has too many timers and was killed";
}  // namespace

WorkerProcess::WorkerProcess(asio::any_io_executor executor, Clock& clock, std::uint64_t id,
                             std::string origin, ForkedChild child, Delegate& delegate)
    : executor_(executor),
      clock_(clock),
      id_(id),
      origin_(std::move(origin)),
      child_(child),
      delegate_(delegate),
      pidfd_(executor, child.pidfd),
      watchdog_(executor),
      status_limit_(executor) {
  channel_ = std::make_unique<Channel>(
      executor, child.socket,
      Channel::Handlers{[this](ipc::ToDaemon message) { OnMessage(std::move(message)); },
                        [this](std::string reason) { OnClosed(reason); }});
}

WorkerProcess::~WorkerProcess() {
  if (start_timer_ != 0) clock_.Cancel(start_timer_);
  for (auto& [id, event] : events_) clock_.Cancel(event.timer);
  if (!exited_) syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), SIGKILL, nullptr, 0);
}

void WorkerProcess::Start(ipc::Start start, Duration limit, std::chrono::microseconds cpu_limit,
                          std::function<void(StartResult)> done) {
  on_started_ = std::move(done);
  cpu_limit_ = cpu_limit;
  WatchExit();
  start_timer_ = clock_.After(limit, [this] {
    start_timer_ = 0;
    Kill(ExitReport::Reason::kUnresponsive, "took too long to start and was killed");
  });
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

void WorkerProcess::OnExitStatus(int wait_status) {
  wait_status_ = wait_status;
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
  delegate_.OnProcessEnded(*this, Explain());
  clock_.NoteQuiescence();
}

void WorkerProcess::FailPending() {
  ExitReport report = Explain();
  std::string text = "the worker " + report.text;
  bool ours = report.reason == ExitReport::Reason::kStopped;
  if (start_timer_ != 0) clock_.Cancel(std::exchange(start_timer_, 0));
  if (auto done = std::exchange(on_started_, {})) {
    StartResult result;
    result.process_died = true;
    result.ours = ours;
    result.error = text;
    done(std::move(result));
  }
  for (auto& [id, event] : std::exchange(events_, {})) {
    clock_.Cancel(event.timer);
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
// messages
void WorkerProcess::Send(ipc::ToWorker message) {
  if (doomed_ || !start_sent_) return;
  channel_->Send(message);
  Watchdog();
}

void WorkerProcess::OnMessage(ipc::ToDaemon message) {
  auto keep = shared_from_this();
  cpu_at_last_sign_.reset();
  switch (message.body_case()) {
    case ipc::ToDaemon::kStarted:
      return OnStarted(message.started());
    case ipc::ToDaemon::kEventFinished:
      return OnEventFinished(message.event_finished());
    case ipc::ToDaemon::kFetchResponse: {
      auto found = events_.find(message.fetch_response().event_id());
      if (found != events_.end() && found->second.options.on_response) {
        auto handler = std::exchange(found->second.options.on_response, {});
        return handler(std::move(*message.mutable_fetch_response()));
      }
      // Nobody wants it any more: the body must not wait for credit forever.
      if (message.fetch_response().response().body().has_stream()) {
        std::uint32_t stream = message.fetch_response().response().body().stream();
        if (ReceiveBody(stream, [](std::string, bool, std::string) {})) CancelReceive(stream);
      }
      return;
    }
    case ipc::ToDaemon::kChunk:
      return OnChunk(std::move(*message.mutable_chunk()));
    case ipc::ToDaemon::kCredit: {
      auto found = outgoing_.find(message.credit().stream());
      if (found != outgoing_.end() && found->second.on_credit) {
        auto handler = found->second.on_credit;
        handler(message.credit().bytes());
      }
      return;
    }
    case ipc::ToDaemon::kBodyCancel: {
      auto found = outgoing_.find(message.body_cancel().stream());
      if (found == outgoing_.end()) return;
      auto handlers = std::move(found->second);
      outgoing_.erase(found);
      if (handlers.on_cancel) handlers.on_cancel();
      return;
    }
    case ipc::ToDaemon::kQuiescent:
      quiescent_seq_ = std::max<std::uint64_t>(quiescent_seq_, message.quiescent().seq());
      next_timer_us_ = message.quiescent().next_timer_us();
      clock_.NoteQuiescence();
      return;
    case ipc::ToDaemon::kEvaluateResult: {
      auto found = evaluations_.find(message.evaluate_result().id());
      if (found == evaluations_.end()) return;
      auto done = std::move(found->second);
      evaluations_.erase(found);
      done(std::move(*message.mutable_evaluate_result()));
      return NoteIdle();
    }
    case ipc::ToDaemon::kDying:
      dying_ = message.dying().reason().substr(0, 200);
      if (dying_.empty()) dying_ = "no reason given";
      return;
    default:
      return delegate_.OnProcessMessage(*this, std::move(message));
  }
}

void WorkerProcess::OnStarted(const ipc::Started& started) {
  if (!on_started_) return Kill(ExitReport::Reason::kMisbehaved, "started twice and was killed");
  if (start_timer_ != 0) clock_.Cancel(std::exchange(start_timer_, 0));
  started_ = true;
  StartResult result;
  result.ok = started.ok();
  result.error = started.error();
  result.error_name = started.error_name();
  result.listeners.assign(started.listeners().begin(), started.listeners().end());
  std::exchange(on_started_, {})(std::move(result));
}

// ---------------------------------------------------------------------------------------------------- events
std::uint64_t WorkerProcess::SendEvent(ipc::Event event, EventOptions options) {
  if (doomed_) {
    if (options.done) {
      EventResult result;
      result.ours = verdict_ && verdict_->reason == ExitReport::Reason::kStopped;
      result.error = "the worker has ended";
      asio::post(executor_, [done = std::move(options.done), result] { done(result); });
    }
    return 0;
  }
  std::uint64_t id = ++last_event_id_;
  event.set_id(id);
  PendingEvent pending;
  if (options.limit.count() > 0) {
    pending.timer = clock_.After(options.limit, [this, id] { EventTimedOut(id); });
  }
  pending.options = std::move(options);
  events_.emplace(id, std::move(pending));
  ipc::ToWorker message;
  *message.mutable_event() = std::move(event);
  Send(std::move(message));
  return id;
}

void WorkerProcess::OnEventFinished(const ipc::EventFinished& finished) {
  EventResult result;
  result.kind = finished.outcome() == ipc::EventFinished::SUCCEEDED ? EventResult::Kind::kSucceeded
                                                                    : EventResult::Kind::kRejected;
  result.error = finished.error();
  result.handler_started_us = finished.handler_started_us();
  FinishEvent(finished.event_id(), std::move(result));
}

void WorkerProcess::EventTimedOut(std::uint64_t id) {
  auto found = events_.find(id);
  if (found == events_.end()) return;
  bool kill = found->second.options.kill_on_timeout;
  ipc::ToWorker message;
  message.mutable_event_timeout()->set_event_id(id);
  Send(std::move(message));
  EventResult result;
  result.kind = EventResult::Kind::kTimeout;
  result.error = "the event took too long";
  auto keep = shared_from_this();
  FinishEvent(id, std::move(result));
  if (kill) Kill(ExitReport::Reason::kUnresponsive, "took too long over an event and was killed");
}

void WorkerProcess::FinishEvent(std::uint64_t id, EventResult result) {
  auto found = events_.find(id);
  if (found == events_.end()) return;  // it timed out before
  auto options = std::move(found->second.options);
  clock_.Cancel(found->second.timer);
  events_.erase(found);
  if (options.done) options.done(std::move(result));
  NoteIdle();
}

void WorkerProcess::Evaluate(std::string code, std::string name,
                             std::function<void(std::optional<ipc::EvaluateResult>)> done) {
  if (doomed_) {
    asio::post(executor_, [done = std::move(done)] { done(std::nullopt); });
    return;
  }
  std::uint64_t id = ++last_evaluation_id_;
  evaluations_.emplace(id, std::move(done));
  ipc::ToWorker message;
  message.mutable_evaluate()->set_id(id);
  message.mutable_evaluate()->set_code(std::move(code));
  message.mutable_evaluate()->set_name(std::move(name));
  Send(std::move(message));
}

// ----------------------------------------------------------------------------------------------------
// requests
bool WorkerProcess::BeginRequest(std::uint64_t) {
  if (++*requests_ <= kMaxRequests) return true;
  Kill(ExitReport::Reason::kMisbehaved, "has too many requests under way and was killed");
  return false;
}

namespace {
void CountDown(std::atomic<std::size_t>& requests) {
  std::size_t count = requests;
  while (count > 0 && !requests.compare_exchange_weak(count, count - 1)) {
  }
}
}  // namespace

void WorkerProcess::EndRequest() { CountDown(*requests_); }

void WorkerProcess::Correspondent::Reply(ipc::Reply reply) const {
  CountDown(*requests_);
  if (reply.id() == 0) return;
  ipc::ToWorker message;
  *message.mutable_reply() = std::move(reply);
  Send(std::move(message));
}

void WorkerProcess::Correspondent::Send(ipc::ToWorker message) const {
  sender_.Send(message);
  if (sent_) sent_();
}

// The watchdog looks after a process with events anyway; a virtual clock waits for whoever was sent
// something.
WorkerProcess::Correspondent WorkerProcess::correspondent() {
  std::function<void()> sent;
  if (clock_.is_virtual()) {
    sent = [executor = executor_, weak = weak_from_this()] {
      asio::post(executor, [weak] {
        if (auto self = weak.lock()) self->Watchdog();
      });
    };
  }
  return Correspondent(channel_->sender(), requests_, std::move(sent));
}

void WorkerProcess::Reply(ipc::Reply reply) {
  EndRequest();
  if (reply.id() == 0) return;
  ipc::ToWorker message;
  *message.mutable_reply() = std::move(reply);
  Send(std::move(message));
}

// ---------------------------------------------------------------------------------------------------- bodies
bool WorkerProcess::ReceiveBody(std::uint32_t stream, ChunkHandler handler) {
  if (incoming_.contains(stream) || incoming_.size() >= kMaxRequests) {
    Kill(ExitReport::Reason::kMisbehaved, "used the number of a body twice, or too many, and was killed");
    return false;
  }
  Incoming incoming;
  incoming.handler = std::move(handler);
  incoming_.emplace(stream, std::move(incoming));
  return true;
}

void WorkerProcess::OnChunk(ipc::BodyChunk chunk) {
  auto found = incoming_.find(chunk.stream());
  if (found == incoming_.end()) return;  // cancelled
  Incoming& incoming = found->second;
  if (chunk.data().size() > incoming.credit) {
    return Kill(ExitReport::Reason::kMisbehaved, "sent more of a body than it was granted and was killed");
  }
  incoming.credit -= chunk.data().size();
  bool last = chunk.fin() || !chunk.error().empty();
  auto handler = incoming.handler;
  if (last) incoming_.erase(found);
  handler(std::move(*chunk.mutable_data()), last, chunk.error());
  if (last) NoteIdle();
}

void WorkerProcess::GrantCredit(std::uint32_t stream, std::uint32_t bytes) {
  auto found = incoming_.find(stream);
  if (found == incoming_.end() || bytes == 0) return;
  found->second.credit += bytes;
  ipc::ToWorker message;
  message.mutable_credit()->set_stream(stream);
  message.mutable_credit()->set_bytes(bytes);
  Send(std::move(message));
}

void WorkerProcess::CancelReceive(std::uint32_t stream) {
  if (incoming_.erase(stream) == 0) return;
  ipc::ToWorker message;
  message.mutable_body_cancel()->set_stream(stream);
  Send(std::move(message));
  NoteIdle();
}

std::uint32_t WorkerProcess::OpenBody(BodyHandlers handlers) {
  std::uint32_t stream = ++last_outgoing_;
  outgoing_.emplace(stream, std::move(handlers));
  return stream;
}

void WorkerProcess::SendChunk(std::uint32_t stream, std::string_view data, bool fin,
                              const std::string& error) {
  auto found = outgoing_.find(stream);
  if (found == outgoing_.end()) return;
  if (fin || !error.empty()) outgoing_.erase(found);
  ipc::ToWorker message;
  auto* chunk = message.mutable_chunk();
  chunk->set_stream(stream);
  chunk->set_data(data.data(), data.size());
  chunk->set_fin(fin && error.empty());
  chunk->set_error(error);
  Send(std::move(message));
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
