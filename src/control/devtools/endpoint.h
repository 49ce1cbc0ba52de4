// The DevTools protocol endpoint: what tools find by HTTP, and the WebSockets that they talk through. No
// sockets here. Event-loop thread only.
//
//   GET /json, /json/list       the targets
//   GET /json/version           the daemon
//   GET /json/protocol          domains and commands
//   WebSocket /devtools/browser/ID, /devtools/page/ID
#pragma once

#include <functional>
#include <string>

#include "control/devtools/targets.h"
#include "control/router.h"
#include "control/socket_routes.h"

namespace vigil::control::devtools {

class Endpoint {
 public:
  explicit Endpoint(const Services& services) : services_(services), targets_(services) {}
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  // access: where these routes are reached, and the token that must stand in the addresses (empty: none). The
  // endpoint outlives what is added to.
  void AddRoutes(Router& router, SocketRoutes& sockets, std::function<PanelAccess()> access);

  Targets& targets() { return targets_; }

 private:
  class Conversation;
  boost::json::object Entry(const Target& target, const PanelAccess& access) const;
  boost::json::object Version(const PanelAccess& access) const;

  const Services& services_;
  Targets targets_;
};

// The address of a target's WebSocket, without its scheme: "127.0.0.1:9222/devtools/page/ID".
std::string SocketAddress(const Target& target, const PanelAccess& access);

}  // namespace vigil::control::devtools
