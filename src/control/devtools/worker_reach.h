// What a session at an app asks the app's own service worker for: what scripts stored is read by scripts, so
// that a front end sees every value as the app does. The worker is started for it. Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "control/devtools/protocol.h"
#include "control/services.h"
#include "host/inspector.h"
#include "host/waiter.h"

namespace vigil::control::devtools {

class WorkerReach : public std::enable_shared_from_this<WorkerReach> {
 public:
  WorkerReach(const Services& services, std::string origin)
      : services_(services), origin_(std::move(origin)) {}

  // A command of V8's domains, with its outcome as V8 gives it. Objects live as long as the worker's process.
  boost::asio::awaitable<Reply> Call(std::string method, boost::json::object params);
  // The outcome of an async function's body in the worker, by value. arguments: what the body knows as
  // `args`.
  boost::asio::awaitable<Reply> Run(std::string body, boost::json::object arguments);
  // The same, as an object that can be asked for its properties.
  boost::asio::awaitable<Reply> RunForObject(std::string body, boost::json::object arguments);
  // The tool has gone: what is not answered yet never is, and the worker may be stopped again.
  void Leave();

 private:
  boost::asio::awaitable<Result<>> Attach();
  boost::asio::awaitable<Reply> Evaluate(std::string body, boost::json::object arguments, bool by_value);
  void OnMessage(const std::string& text);
  void End(const std::string& reason);

  const Services& services_;
  const std::string origin_;
  std::unique_ptr<host::InspectorSession> session_;
  bool left_ = false;
  std::int64_t last_ = 0;
  std::map<std::int64_t, host::Waiter<Reply>> waiting_;
};

// {"result": value} of Run as the value; an exception of the script as an error.
tl::expected<boost::json::value, ProtocolError> ValueOf(const Reply& reply);

}  // namespace vigil::control::devtools
