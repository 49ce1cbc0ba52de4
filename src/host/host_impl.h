// Private to host.cc: the parts of a host, what they share, and how they hear of each other. Event-loop
// thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>

#include "host/apps.h"
#include "host/context.h"
#include "host/cookies.h"
#include "host/fetch_router.h"
#include "host/jobs.h"
#include "host/lifecycle.h"
#include "host/local_storage.h"
#include "host/locks.h"
#include "host/notifications.h"
#include "host/pages.h"
#include "host/port_hub.h"
#include "host/processes.h"
#include "host/registry.h"
#include "host/requests.h"
#include "host/runner.h"
#include "host/script_storage.h"
#include "host/web_sockets.h"

namespace vigil::host {

// What tools see of a process.
InspectorTarget TargetOf(const WorkerProcess& process, const ProcessOwner& owner);

class HostImpl {
 public:
  HostImpl(HostDependencies dependencies, HostOptions options);
  ~HostImpl();
  HostImpl(const HostImpl&) = delete;
  HostImpl& operator=(const HostImpl&) = delete;

  // Host::Start
  boost::asio::awaitable<Result<>> Start();
  RegistrationView ViewOf(const Registration& registration) const;

 private:
  void Connect();
  void SendPort(std::uint64_t process, ipc::PortFrame frame);
  bool MaySend(std::uint64_t sender, std::uint64_t receiver);
  void Resume(const std::shared_ptr<Registration>& registration);

 public:
  // Order matters: later parts go first.
  HostContext context;
  Registry registry;
  Processes processes;
  Runner runner;
  Lifecycle lifecycle;
  Jobs jobs;
  ScriptStorage storage;
  FetchRouter router;
  WebSocketTable web_sockets;
  LocalStorage local_storage;
  Locks locks;
  Notifications notifications;
  Cookies cookies;
  Pages pages;
  PortHub ports;
  Apps apps;
  Requests requests;
};

}  // namespace vigil::host
