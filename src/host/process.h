// One worker process: a service worker version or a page that runs in a sandboxed child of the zygote.
// Event-loop thread only.
//
// Life: made from a forked child → Start() → running → ended, once, for whatever reason. The process is not
// trusted; every rule it breaks ends it. Ending it is always a SIGKILL: all that must last is on the daemon's
// side.
#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/caps.h"
#include "host/channel.h"
#include "host/clock.h"
#include "host/inspector.h"
#include "host/time_limit.h"
#include "host/zygote.h"
#include "ipc/vigil.pb.h"
#include "vigil/time.h"

namespace vigil::host {

// Why a process ended.
struct ExitReport {
  enum class Reason {
    kStopped,  // we wanted it to: idle, closed, replaced, shutting down
    kCrashed,  // a signal that is not our SIGKILL
    kOutOfMemory,
    kCpuLimit,      // its lifetime's CPU time is used up
    kUnresponsive,  // it ran on and on without giving the turn back
    kMisbehaved,    // broke the protocol or a limit
    kExited,        // ended by itself
  };
  Reason reason = Reason::kStopped;
  std::string text;  // "ran out of memory and was killed"
};

// How the first run of the script went.
struct StartResult {
  bool ok = false;
  bool process_died = false;
  bool ours = false;       // it died because we wanted it to, or could not be made: not the app's doing
  std::string error;       // when not ok
  std::string error_name;  // "SyntaxError" …; empty when the process died or took too long
  std::vector<std::string> listeners;
};

// How an event ended.
struct EventResult {
  enum class Kind { kSucceeded, kRejected, kTimeout, kProcessDied };
  Kind kind = Kind::kProcessDied;
  bool ours = false;  // it died because we wanted it to: not the app's doing
  std::string error;
  std::int64_t handler_started_us = 0;  // 0: no listener was entered
};

class WorkerProcess : public std::enable_shared_from_this<WorkerProcess> {
 public:
  // What the process says that is not an answer to something it was asked here.
  class Delegate {
   public:
    virtual ~Delegate() = default;
    virtual void OnProcessMessage(WorkerProcess& process, ipc::ToDaemon message) = 0;
    // Tools may be attached to it; then it is started.
    virtual void OnProcessStarting(WorkerProcess& process) = 0;
    // Last call for this process. Events under way were ended before.
    virtual void OnProcessEnded(WorkerProcess& process, const ExitReport& report) = 0;
    // It has no event, answer or body under way any more.
    virtual void OnProcessIdle(WorkerProcess& process) = 0;
  };
  struct EventOptions {
    Duration limit{0};  // on the Clock
    bool kill_on_timeout = true;
    // respondWith() settled (fetch events).
    std::function<void(ipc::FetchResponse)> on_response;
    std::function<void(EventResult)> done;
  };
  // One body to the process.
  struct BodyHandlers {
    std::function<void(std::uint32_t bytes)> on_credit;
    std::function<void()> on_cancel;  // also when the process ended
  };
  using ChunkHandler = std::function<void(std::string data, bool fin, std::string error)>;

  static constexpr std::uint32_t kInitialCredit = 256 * 1024;
  static constexpr std::size_t kMaxBodies = 20'000;  // on their way from the process at a time

  // caps outlives the process.
  WorkerProcess(boost::asio::any_io_executor executor, Clock& clock, const Caps& caps, std::uint64_t id,
                std::string origin, ForkedChild child, Delegate& delegate);
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  // Once, first. cpu_limit: CPU time that it may take without sending anything while something is expected of
  // it.
  void Start(ipc::Start start, Duration limit, std::chrono::microseconds cpu_limit,
             std::function<void(StartResult)> done);
  // Kills it. The report is delivered later, by OnProcessEnded. Further calls do nothing.
  void Kill(ExitReport::Reason reason, std::string text);
  // As wait status of the zygote; none: the zygote itself ended, which is no fault of the app.
  void OnExitStatus(std::optional<int> wait_status);

  std::uint64_t id() const { return id_; }
  int pid() const { return child_.pid; }
  const std::string& origin() const { return origin_; }
  bool start_sent() const { return start_sent_; }
  bool running() const { return started_ && !doomed_; }  // the script has been run
  bool doomed() const { return doomed_; }                // killed or ended
  bool idle() const { return events_.empty() && evaluations_.empty() && incoming_.empty(); }
  // Only bodies are on their way.
  bool idle_but_for_bodies() const { return events_.empty() && evaluations_.empty(); }

  void Send(ipc::ToWorker message);
  std::uint64_t SendEvent(ipc::Event event, EventOptions options);  // its number; 0: the process has ended
  void Evaluate(std::string code, std::string name,
                std::function<void(std::optional<ipc::EvaluateResult>)> done);

  InspectorPort& inspector() { return inspector_; }
  const InspectorPort& inspector() const { return inspector_; }

  // Requests that wait for their Reply; number 0 stands for those that want none. False: it was one too many,
  // and the process was killed.
  bool BeginRequest(const ipc::Request& request);
  void Reply(ipc::Reply reply);
  void EndRequest(std::uint64_t request_id);  // it wants no reply any more
  std::size_t requests_under_way() const { return allowance_.requests(); }
  // Reply and Send for other threads; what comes too late is dropped.
  class Correspondent {
   public:
    void Reply(ipc::Reply reply) const;
    void Send(ipc::ToWorker message) const;

   private:
    friend class WorkerProcess;
    Correspondent(Channel::Sender sender, std::shared_ptr<RequestBook> requests, std::function<void()> sent)
        : sender_(std::move(sender)), requests_(std::move(requests)), sent_(std::move(sent)) {}
    Channel::Sender sender_;
    std::shared_ptr<RequestBook> requests_;
    std::function<void()> sent_;  // may be empty
  };
  Correspondent correspondent();
  // The request is a fetch. kRefused: too many are under way; kKilled: it made too many in one event.
  enum class FetchVerdict { kGo, kRefused, kKilled };
  FetchVerdict BeginFetch(std::uint64_t request_id);
  // A message to somebody who tells when it has been handled, or (receiver) who does not. False: one too
  // many, and this process was killed.
  bool BeginMessage(std::size_t bytes);
  void EndMessage(std::size_t bytes) { allowance_.EndMessage(bytes); }
  bool MaySendTo(const WorkerProcess& receiver);
  Allowance::Console CountConsoleLine() {
    return allowance_.CountConsoleLine(std::chrono::steady_clock::now());
  }

  // Bodies. False: the process misused the number and was killed.
  bool ReceiveBody(std::uint32_t stream, ChunkHandler handler);
  void GrantCredit(std::uint32_t stream, std::uint32_t bytes);
  void CancelReceive(std::uint32_t stream);
  void RefuseBody(std::uint32_t stream);  // one that nobody began to receive
  std::uint32_t OpenBody(BodyHandlers handlers);
  void SendChunk(std::uint32_t stream, std::string_view data, bool fin, const std::string& error);

  // For a virtual clock.
  bool quiescent() const;
  std::optional<MonoTime> next_timer() const;

 private:
  struct PendingEvent {
    EventOptions options;
    std::unique_ptr<TimeLimit> limit;
  };
  struct Incoming {
    ChunkHandler handler;
    std::uint64_t credit = kInitialCredit;
  };

  void OnMessage(ipc::ToDaemon message);
  void OnStarted(const ipc::Started& started);
  void OnEventFinished(const ipc::EventFinished& finished);
  void OnChunk(ipc::BodyChunk chunk);
  void OnClosed(const std::string& reason);
  void FinishEvent(std::uint64_t id, EventResult result);
  void EventTimedOut(std::uint64_t id);
  void WatchExit();
  void MaybeEnded();
  void Ended();
  void FailPending();
  void Watchdog();
  void NoteIdle();
  void OnInspectorChange();
  ExitReport Explain() const;
  bool Allowed(Allowance::Refusal refusal);
  bool Expected() const;
  std::optional<std::chrono::microseconds> CpuTime() const;

  boost::asio::any_io_executor executor_;
  Clock& clock_;
  const std::uint64_t id_;
  const std::string origin_;
  ForkedChild child_;
  Delegate& delegate_;
  boost::asio::posix::stream_descriptor pidfd_;
  boost::asio::steady_timer watchdog_;      // real time
  boost::asio::steady_timer status_limit_;  // real time
  std::unique_ptr<Channel> channel_;

  bool start_sent_ = false;
  bool started_ = false;
  bool doomed_ = false;
  bool ended_ = false;
  bool exited_ = false;                // the kernel says so
  std::optional<ExitReport> verdict_;  // why we killed it
  std::string dying_;                  // what it said about itself before it ended
  std::optional<int> wait_status_;

  std::function<void(StartResult)> on_started_;
  TimeLimit start_limit_;
  std::chrono::microseconds cpu_limit_{0};
  std::optional<std::chrono::microseconds> cpu_at_last_sign_;
  bool watching_ = false;

  std::uint64_t last_event_id_ = 0;
  std::map<std::uint64_t, PendingEvent> events_;
  std::uint64_t last_evaluation_id_ = 0;
  std::map<std::uint64_t, std::function<void(std::optional<ipc::EvaluateResult>)>> evaluations_;
  Allowance allowance_;
  InspectorPort inspector_;
  bool was_inspected_ = false;
  std::map<std::uint32_t, Incoming> incoming_;
  std::uint32_t last_outgoing_ = 0;
  std::map<std::uint32_t, BodyHandlers> outgoing_;
  std::uint64_t quiescent_seq_ = 0;
  std::int64_t next_timer_us_ = -1;
};

}  // namespace vigil::host
