// One call of the local API, as the handlers see it: no sockets and no HTTP library here.
// Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vigil::control {

// A call whose target has been split and decoded. The body is a JSON object, empty when there was none.
struct Request {
  std::string method;                                 // "GET", "POST", "DELETE"
  std::string path;                                   // "/v1/apps", decoded
  std::map<std::string, std::string> query;           // decoded; the last of equal names
  std::map<std::string, std::string> path_arguments;  // filled by the router: {id}
  boost::json::object body;
};

// A body that goes out as it is: a page, a script, text.
struct RawBody {
  std::string content_type;
  std::string bytes;
  std::vector<std::pair<std::string, std::string>> headers;  // more of them; also instead of the usual ones
};

// The answer of a call, or the last line of its stream.
struct Answer {
  int status = 200;  // HTTP
  boost::json::value body;
  std::optional<RawBody> raw;  // instead of `body`
};

// The caller while a handler works for it. A handler that sends a line turns its answer into a stream: one
// JSON object a line, the last one is the answer with "type": "result" or "error".
class Caller {
 public:
  virtual ~Caller() = default;
  // Queues a line and returns at once; dropped when the caller is gone.
  virtual void Send(boost::json::object line) = 0;
  // The caller has hung up, or reads too slowly to be served.
  virtual bool gone() const = 0;
  // `fn` runs once when the caller goes (at once if it has gone), unless the call ends before. One per call.
  virtual void OnGone(std::function<void()> fn) = 0;
};

// {"error": {"code": "not-found", "message": …}} with the status that fits the code.
Answer ErrorAnswer(const Error& error);
int HttpStatus(ErrorCode code);

// Splits "/v1/pages/a%20b?x=1" into path and query. kInvalidArgument when it is not well-formed.
Result<Request> ParseTarget(std::string_view method, std::string_view target);

// Parses a request's body: empty, or a JSON object. kInvalidArgument otherwise.
Result<boost::json::object> ParseBody(std::string_view text);

// ---- typed access to a request's arguments; errors name the argument
Result<std::string> RequiredString(const boost::json::object& body, std::string_view name);
Result<std::string> OptionalString(const boost::json::object& body, std::string_view name);  // absent: ""
Result<bool> OptionalBool(const boost::json::object& body, std::string_view name);           // absent: false
std::string QueryValue(const Request& request, const std::string& name);                     // absent: ""

}  // namespace vigil::control
