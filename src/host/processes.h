// All worker processes: makes them, knows whose they are, tells them what concerns all of them (time,
// network), and answers the virtual clock for them. Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/clock.h"
#include "host/context.h"
#include "host/process.h"
#include "host/zygote.h"
#include "net/connectivity.h"

namespace vigil::host {

// What runs in a process: exactly one of them.
struct ProcessOwner {
  std::shared_ptr<Version> version;
  std::shared_ptr<Page> page;
};

class Processes final : public WorkerProcess::Delegate, public QuiescenceSource {
 public:
  struct Handlers {
    std::function<void(WorkerProcess&, const ProcessOwner&, ipc::ToDaemon)> message;
    std::function<void(WorkerProcess&, const ProcessOwner&, const ExitReport&)> ended;
    std::function<void(WorkerProcess&, const ProcessOwner&)> idle;
    std::function<void(WorkerProcess&, const ProcessOwner&)> starting;
  };

  explicit Processes(HostContext& context);
  ~Processes() override;

  void SetHandlers(Handlers handlers) { handlers_ = std::move(handlers); }
  boost::asio::awaitable<Result<>> Start();
  // Kills all and waits until they are gone.
  boost::asio::awaitable<void> StopAll();

  // A forked child for this owner, not started yet.
  boost::asio::awaitable<Result<std::shared_ptr<WorkerProcess>>> Create(ProcessOwner owner,
                                                                        std::string origin);
  // What every Start message holds.
  ipc::Start BaseStart(const std::string& origin, const std::string& url) const;

  std::shared_ptr<WorkerProcess> ById(std::uint64_t id) const;
  const ProcessOwner* OwnerOf(std::uint64_t process_id) const;
  void SendToOrigin(const std::string& origin, const ipc::ToWorker& message, std::uint64_t except = 0);
  // origin empty: all.
  void ForEach(const std::string& origin,
               const std::function<void(WorkerProcess&, const ProcessOwner&)>& visit);

  void OnProcessMessage(WorkerProcess& process, ipc::ToDaemon message) override;
  void OnProcessStarting(WorkerProcess& process) override;
  void OnProcessEnded(WorkerProcess& process, const ExitReport& report) override;
  void OnProcessIdle(WorkerProcess& process) override;

  bool quiescent() const override;
  bool holds_time() const override;
  std::optional<MonoTime> next_timer() const override;
  void TimeMoved(const Now& now) override;

 private:
  struct Entry {
    std::shared_ptr<WorkerProcess> process;
    ProcessOwner owner;
  };
  // One child is kept forked, in the first half of its sandbox, so that a stopped worker starts without
  // waiting for that.
  std::optional<ForkedChild> TakeSpare();
  void RefillSpareLater();
  boost::asio::awaitable<void> RefillSpare();
  void DropSpare();

  ipc::NetworkState Network() const;
  ipc::ClockState ClockNow() const;
  // No status: its zygote ended, and with it the child.
  void OnExit(int pid, std::optional<int> wait_status);

  HostContext& context_;
  Handlers handlers_;
  Zygote zygote_;
  net::ConnectivityObserver::Subscription network_subscription_;
  std::map<std::uint64_t, Entry> entries_;
  // Children that ended before Create() was told about them.
  std::map<int, std::optional<int>> early_exits_;
  std::optional<ForkedChild> spare_;
  bool refilling_ = false;
  boost::asio::steady_timer refill_timer_;  // real time
  std::uint64_t last_id_ = 0;
  int forks_under_way_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::host
