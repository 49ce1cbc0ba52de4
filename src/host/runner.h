// Runs service workers: starts a stopped one, dispatches events to it, stops it when it has been idle.
// Event-loop thread only. ("Run Service Worker", "Fire Functional Event", "Terminate Service Worker" of the
// specification.)
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "host/context.h"
#include "host/processes.h"

namespace vigil::host {

class Runner {
 public:
  struct DispatchOptions {
    Duration limit{0};            // 0: HostOptions::event_limit
    bool kill_on_timeout = true;  // false: the worker stops as soon as it is idle
    std::function<void(ipc::FetchResponse)> on_response;
    std::function<void(WorkerProcess&, std::uint64_t event_id)> on_sent;
  };
  struct Dispatched {
    EventResult result;
    bool started = false;  // false: the worker could not be started, result.error says why
  };

  explicit Runner(HostContext& context) : context_(context) {}

  // The result of the script's first run; returns at once when it runs already.
  boost::asio::awaitable<StartResult> EnsureRunning(std::shared_ptr<Version> version);
  boost::asio::awaitable<Dispatched> Dispatch(std::shared_ptr<Version> version, ipc::Event event,
                                              DispatchOptions options);
  // To the active version of the registration, which is waited for while it activates.
  boost::asio::awaitable<DispatchOutcome> DispatchFunctional(std::uint64_t registration_id, ipc::Event event,
                                                             DispatchOptions options);
  void Stop(Version& version, const std::string& why);

  // From Processes' handlers.
  void OnIdle(WorkerProcess& process, const std::shared_ptr<Version>& version);
  void OnEnded(WorkerProcess& process, const std::shared_ptr<Version>& version, const ExitReport& report);

 private:
  ipc::Start StartMessage(const Version& version) const;
  boost::asio::awaitable<void> StartProcess(std::shared_ptr<Version> version, Waiter<StartResult> waiter);
  // waited: how long it has been idle but for bodies that are on their way from it.
  void ArmIdleStop(const std::shared_ptr<Version>& version, Duration waited = Duration(0));

  HostContext& context_;
};

}  // namespace vigil::host
