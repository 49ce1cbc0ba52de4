// One tool's WebSocket: the session at the target whose address it was opened at, and all that it attached
// from there ("flat" sessions). Event-loop thread only.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "control/devtools/domain.h"
#include "control/devtools/targets.h"
#include "control/socket_routes.h"
#include "host/inspector.h"

namespace vigil::control::devtools {

class Connection;

// One tool at one target.
class Session {
 public:
  // id: empty for the connection's own. parent: the session that asked for it.
  Session(Connection& connection, Target target, std::string id, std::string parent);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // To the target's V8, if it has one.
  Result<> AttachV8(bool wait_for_debugger);
  void Handle(Command command);

  const Target& target() const { return target_; }
  const std::string& parent() const { return parent_; }

 private:
  Answer AnswerTo(std::int64_t command) const;
  void FromV8(const std::string& text);

  Connection& connection_;
  const Target target_;
  const std::string id_;
  const std::string parent_;
  std::map<std::string, std::unique_ptr<Domain>> domains_;
  std::shared_ptr<WorkerReach> worker_;  // shared with the domains and their replies under way; may be null
  std::unique_ptr<host::InspectorSession> v8_;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // What a tool may hold at once.
  static constexpr std::size_t kMaxSessions = 1000;

  Connection(const Services& services, Targets& targets, std::shared_ptr<Socket> socket);
  ~Connection();

  Result<> Open(Target root);
  // Anything may be in it.
  void OnText(const std::string& text);
  // The peer has gone: nothing is sent any more.
  void Leave();

  // Tells the parent by Target.attachedToTarget. Returns the new session's id.
  Result<std::string> Attach(const Target& target, const std::string& parent, bool wait_for_debugger);
  // With all that was attached from there. False: there is no such session.
  bool Detach(const std::string& session);
  bool HasSessionAt(const std::string& target, const std::string& parent) const;

  void Send(boost::json::object message, const std::string& session);
  const Services& services() const { return services_; }
  Targets& targets() { return targets_; }

 private:
  friend class Session;
  // Its target's process has ended, or it was cut off.
  void OnDetached(const std::string& session, const std::string& reason);
  void End(const std::string& session);

  const Services& services_;
  Targets& targets_;
  std::shared_ptr<Socket> socket_;  // null: the peer has gone
  std::map<std::string, std::unique_ptr<Session>> sessions_;
};

}  // namespace vigil::control::devtools
