// Messages of the DevTools protocol: commands in, answers and events out. No sockets here.
// Source: the protocol's JSON-RPC framing as Chromium speaks it; "flat" sessions carry their id beside the
// command.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace vigil::control::devtools {

struct Command {
  std::int64_t id = 0;
  std::string method;  // "Domain.command"
  boost::json::object params;
  std::string session_id;  // empty: of the connection's own session
};

// The numbers are those of JSON-RPC 2.0 section 5.1; Chromium uses kServerError for what a command finds
// wrong.
enum class ErrorNumber {
  kParseError = -32700,
  kInvalidRequest = -32600,
  kMethodNotFound = -32601,
  kInvalidParams = -32602,
  kServerError = -32000,
  kSessionNotFound = -32001,
};
struct ProtocolError {
  ErrorNumber number = ErrorNumber::kServerError;
  std::string message;
  std::string data;  // what exactly is wrong; empty: the message says all
};
using Reply = tl::expected<boost::json::object, ProtocolError>;
// Takes a command's outcome, once; at any time on the event-loop thread, also when nobody waits any more.
using Answer = std::function<void(Reply)>;

tl::unexpected<ProtocolError> Refuse(std::string message);
// The message is Chromium's for any parameter that is missing or has a wrong type; detail says which.
tl::unexpected<ProtocolError> RefuseParams(std::string detail);
// A parameter of the right type with a value that means nothing here.
tl::unexpected<ProtocolError> RefuseValue(std::string message);
tl::unexpected<ProtocolError> NoSuchMethod(std::string_view method);

// The command in a message, or the answer that such a message gets. Anything may be in it.
tl::expected<Command, boost::json::object> ParseCommand(std::string_view text);

// What a worker says to its tools; absent: it is no JSON object, or would not be one when it is sent on.
std::optional<boost::json::object> ParseMessage(std::string_view text);

boost::json::object ErrorMessage(std::optional<std::int64_t> id, const ProtocolError& error);

// ---- a command's parameters; the errors name the parameter
tl::expected<std::string, ProtocolError> StringParam(const boost::json::object& params,
                                                     std::string_view name);
tl::expected<std::string, ProtocolError> OptionalStringParam(const boost::json::object& params,
                                                             std::string_view name);  // absent: ""
tl::expected<bool, ProtocolError> BoolParam(const boost::json::object& params, std::string_view name);
tl::expected<bool, ProtocolError> OptionalBoolParam(const boost::json::object& params, std::string_view name);
tl::expected<std::int64_t, ProtocolError> IntegerParam(const boost::json::object& params,
                                                       std::string_view name);

}  // namespace vigil::control::devtools
