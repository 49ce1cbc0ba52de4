// The trust border: every call of a worker process comes through here. Who asks is known from the socket,
// never from the message; a call that touches something of another origin is refused as if the thing did not
// exist. Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "host/context.h"
#include "host/processes.h"
#include "ipc/framing.h"

namespace vigil::host {

// A reply has to fit into a frame: lists end here.
constexpr std::size_t kMaxListBytes = ipc::kMaxFrameBytes / 2;

void ReplyOk(WorkerProcess& process, std::uint64_t request_id);
void ReplyFailure(WorkerProcess& process, std::uint64_t request_id, std::string name, std::string message);

class Requests {
 public:
  explicit Requests(HostContext& context) : context_(context) {}

  // Any message that Processes hands out.
  void OnMessage(WorkerProcess& process, const ProcessOwner& owner, ipc::ToDaemon message);
  void OnProcessEnded(WorkerProcess& process);
  // While the count is above zero the version may open and focus windows.
  void AllowWindow(std::uint64_t version_id, int change);

 private:
  using Process = std::shared_ptr<WorkerProcess>;
  void OnRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request request);
  void OnStorageRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request);
  void OnConsole(WorkerProcess& process, const ProcessOwner& owner, const ipc::Console& said);
  // BroadcastChannel: to every other process of the origin.
  void Broadcast(WorkerProcess& process, ipc::BroadcastMessage broadcast);
  void ImportScript(const Process& process, const ProcessOwner& owner, std::uint64_t id,
                    ipc::ImportScript wanted);
  boost::asio::awaitable<void> FetchImport(Process process, std::shared_ptr<Version> version,
                                           std::uint64_t id, ipc::ImportScript wanted);
  boost::asio::awaitable<void> FetchModule(Process process, std::shared_ptr<Page> page, std::uint64_t id,
                                           ipc::ImportScript wanted);
  boost::asio::awaitable<void> Estimate(Process process, std::uint64_t id);
  void QueryPermission(WorkerProcess& process, std::uint64_t id, const std::string& name);
  bool IsPersistent(const std::string& origin) const;

  // requests_sync.cc
  void OnSyncRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request);
  void RegisterSync(WorkerProcess& process, std::uint64_t id, SyncKind kind, const Registration& registration,
                    std::string tag, std::int64_t min_interval_ms);
  void GetSyncTags(WorkerProcess& process, std::uint64_t id, SyncKind kind, const Registration& registration);
  void OnSyncAcknowledge(WorkerProcess& process, const ipc::SyncAcknowledge& acknowledge);

  // requests_registration.cc
  void OnRegistrationRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request);
  boost::asio::awaitable<void> ContainerRegister(Process process, ProcessOwner owner, std::uint64_t id,
                                                 ipc::ContainerRegister call);
  void AddRoutes(WorkerProcess& process, const ProcessOwner& owner, std::uint64_t id,
                 const ipc::RouterRules& rules);
  boost::asio::awaitable<void> NavigationPreload(Process process, ProcessOwner owner, ipc::Request request);
  boost::asio::awaitable<void> UpdateRegistration(Process process, ProcessOwner owner, std::uint64_t id,
                                                  std::shared_ptr<Registration> registration);
  boost::asio::awaitable<void> UnregisterRegistration(Process process, std::uint64_t id,
                                                      std::shared_ptr<Registration> registration);

  // requests_cookies.cc
  void OnCookieRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request);

  // requests_clients.cc
  void OnClientRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request);
  void MatchAll(WorkerProcess& process, const std::shared_ptr<Version>& version, std::uint64_t id,
                const ipc::ClientQuery& query);
  void PostMessage(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request);
  boost::asio::awaitable<void> Deliver(Process sender, std::shared_ptr<Version> target, ipc::Event event,
                                       std::size_t bytes);
  boost::asio::awaitable<void> OpenWindow(Process process, std::shared_ptr<Version> version, std::uint64_t id,
                                          std::string url);
  boost::asio::awaitable<void> NavigateSelf(Process process, std::shared_ptr<Page> page, std::uint64_t id,
                                            std::string url);
  boost::asio::awaitable<void> Navigate(Process process, std::shared_ptr<Version> version, std::uint64_t id,
                                        ipc::ClientNavigate call);
  bool WindowAllowed(std::uint64_t version_id) const { return window_allowed_.contains(version_id); }

  // The registration a call is about, if it is one of the caller's origin. A service worker that names none
  // means its own.
  std::shared_ptr<Registration> RegistrationOf(const WorkerProcess& process, const ProcessOwner& owner,
                                               std::uint64_t registration_id) const;

  HostContext& context_;
  // (process, tag) → registrations whose register() was answered and not acknowledged.
  std::multimap<std::pair<std::uint64_t, std::string>, std::uint64_t> unacknowledged_;
  std::map<std::uint64_t, int> window_allowed_;  // by version
};

}  // namespace vigil::host
