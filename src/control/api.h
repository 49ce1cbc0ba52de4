// The local API (version 1): every call, without sockets. The CLI, the panel and tests use nothing else.
//
//   GET    /v1/status
//   GET    /v1/parameters
//   GET    /metrics                             OpenMetrics; /v1/metrics the same as JSON
//   POST   /v1/panel                            {url}: with the token
//   POST   /v1/devtools {url}                   apps with the address of the developer tools at each
//   WebSocket /v1/live                          state, and what happens; see api_live.cc
//   /json/…, WebSocket /devtools/…              the DevTools protocol; see devtools/endpoint.h
//   GET    /v1/apps
//   POST   /v1/apps {url}                       stream: console
//   DELETE /v1/apps ?url=
//   GET    /v1/pages
//   POST   /v1/pages {url, keep, script, script_name, launched, link}     stream: console
//   DELETE /v1/pages/{id}
//   POST   /v1/pages/{id}/evaluate {code, name}
//   POST   /v1/pages/{id}/input {kind}
//   GET    /v1/syncs ?url=
//   POST   /v1/fire {url, kind, tag, last_chance, any_tag}
//   GET    /v1/workers
//   POST   /v1/workers/{start|stop|update|unregister} {url}
//   GET    /v1/log ?url= &service= &lines= &console=1 &runs=1 &follow=1 (stream)
//   DELETE /v1/log ?service=
//   GET    /v1/record
//   POST   /v1/record {on, service}
//   GET    /v1/network
//   POST   /v1/network {mode}
//   GET    /v1/clock
//   POST   /v1/clock/advance {by}               stream: progress, run
//   GET    /v1/permissions ?url=
//   POST   /v1/permissions {url, name, setting: allow|deny|default}
//   GET    /v1/engagement ?url=
//   GET    /v1/engagement/history ?url=         what raised it, since the daemon was started
//   GET    /v1/networks ?url=                   on which networks apps were used
//   GET    /v1/notifications ?url=
//   POST   /v1/notifications/{id}/click {action}
//   DELETE /v1/notifications/{id}
//   GET    /v1/storage ?url=
//   DELETE /v1/storage ?url=
//
// Errors: {"error": {"code", "message"}} with a fitting HTTP status. Streams: see control/message.h.
// Event-loop thread only.
#pragma once

#include "control/devtools/endpoint.h"
#include "control/router.h"
#include "control/services.h"
#include "control/socket_routes.h"

namespace vigil::control {

class Api {
 public:
  explicit Api(Services services);

  const Router& router() const { return router_; }
  const SocketRoutes& sockets() const { return sockets_; }
  // Of the DevTools protocol, which is served here with the token and by --devtools without.
  devtools::Endpoint& devtools() { return devtools_; }

 private:
  using Task = boost::asio::awaitable<Router::Reply>;
  using Method = Task (Api::*)(Request, Caller&);
  Task Handle(Method handler, Request request, Caller& caller);
  void Route(const char* method, const char* pattern, Method handler);

  // api_system.cc
  Task Status(Request, Caller&);
  Task ListParameters(Request, Caller&);
  Task GetMetrics(Request, Caller&);
  Task OpenPanel(Request, Caller&);
  Task OpenDevTools(Request, Caller&);
  Task GetNetwork(Request, Caller&);
  Task SetNetwork(Request, Caller&);
  Task GetClock(Request, Caller&);
  Task AdvanceClock(Request, Caller&);
  // api_live.cc
  struct Watch;
  class LiveSocket;
  void AddLive();
  boost::asio::awaitable<void> Follow(std::shared_ptr<Watch> watch);
  boost::asio::awaitable<void> LookAround(Watch& watch);
  // api_policy.cc
  Task GetPermissions(Request, Caller&);
  Task SetPermission(Request, Caller&);
  Task GetEngagement(Request, Caller&);
  Task GetEngagementHistory(Request, Caller&);
  Task GetKnownNetworks(Request, Caller&);
  Task GetStorage(Request, Caller&);
  Task ClearStorage(Request, Caller&);
  // api_apps.cc
  Task ListApps(Request, Caller&);
  Task Install(Request, Caller&);
  Task Remove(Request, Caller&);
  Task ListPages(Request, Caller&);
  Task OpenPage(Request, Caller&);
  Task Evaluate(Request, Caller&);
  Task Input(Request, Caller&);
  Task ClosePage(Request, Caller&);
  Task ListNotifications(Request, Caller&);
  Task ClickNotification(Request, Caller&);
  Task CloseNotification(Request, Caller&);
  // api_syncs.cc
  Task ListSyncs(Request, Caller&);
  Task Fire(Request, Caller&);
  Task ListWorkers(Request, Caller&);
  Task ControlWorker(Request, Caller&);
  // api_log.cc
  Task Log(Request, Caller&);
  Task ClearLog(Request, Caller&);
  Task GetRecord(Request, Caller&);
  Task SetRecord(Request, Caller&);

  Task Recordings();
  boost::json::object ClockJson() const;
  boost::json::object NetworkJson() const;

  Services services_;
  devtools::Endpoint devtools_;
  Router router_;
  SocketRoutes sockets_;
};

}  // namespace vigil::control
