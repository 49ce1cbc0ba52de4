// A domain of the DevTools protocol, as it serves one session: one tool at one target. Event-loop thread
// only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json/object.hpp>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "control/devtools/protocol.h"
#include "control/devtools/target.h"
#include "control/services.h"

namespace vigil::control::devtools {

class Targets;
class WorkerReach;

// What a domain knows of its session. `emit` may be called at any time, also when the session has ended.
struct SessionView {
  const Services& services;
  Targets& targets;
  Target target;
  std::shared_ptr<WorkerReach> worker;  // of an app; null elsewhere
  std::function<void(std::string_view method, boost::json::object params)> emit;
};

class Domain {
 public:
  virtual ~Domain() = default;
  // command: without the domain's name. `answer` is called once, at once or later. False: there is no such
  // command, and it is not called.
  virtual bool Call(std::string_view command, const boost::json::object& params, const Answer& answer) = 0;
  // The commands there are.
  virtual std::vector<std::string_view> Commands() const = 0;
};

// A domain whose commands are methods of Self, in a table: static const Methods& Table().
template <class Self>
class DomainOf : public Domain {
 public:
  using Method = void (Self::*)(const boost::json::object& params, const Answer& answer);
  using Methods = std::map<std::string_view, Method>;

  explicit DomainOf(SessionView session) : session_(std::move(session)) {}

  bool Call(std::string_view command, const boost::json::object& params, const Answer& answer) final {
    const auto found = Self::Table().find(command);
    if (found == Self::Table().end()) return false;
    (static_cast<Self&>(*this).*found->second)(params, answer);
    return true;
  }
  std::vector<std::string_view> Commands() const final {
    std::vector<std::string_view> commands;
    for (const auto& [command, method] : Self::Table()) commands.push_back(command);
    return commands;
  }

 protected:
  // Work of a command that has to wait for something. It must not touch the domain, which may be gone by
  // then.
  void Spawn(boost::asio::awaitable<Reply> work, Answer answer) const {
    boost::asio::co_spawn(session_.services.loop, std::move(work),
                          [answer = std::move(answer)](std::exception_ptr failed, Reply reply) {
                            if (!failed) return answer(std::move(reply));
                            log::Error("a command of a developer tool failed inside Vigil");
                            answer(Refuse("Internal error"));
                          });
  }

  const SessionView session_;
};

// The domains of a session at this target, by name. Those of V8 itself are not among them.
std::map<std::string, std::unique_ptr<Domain>> MakeDomains(const SessionView& session);

}  // namespace vigil::control::devtools
