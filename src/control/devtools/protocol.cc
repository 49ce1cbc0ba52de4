#include "control/devtools/protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cmath>
#include <utility>

namespace vigil::control::devtools {
namespace json = boost::json;
namespace {

// As deep as V8 itself reads commands.
constexpr std::size_t kMaxDepth = 300;
// Deep enough for a value that a tool asks for as a whole.
constexpr std::size_t kMaxMessageDepth = 1000;

// A number beyond what a double holds is read as infinite, and JSON has no word for that.
bool IsFinite(const json::value& value) {
  switch (value.kind()) {
    case json::kind::double_:
      return std::isfinite(value.get_double());
    case json::kind::array: {
      const auto& array = value.get_array();
      return std::all_of(array.begin(), array.end(), IsFinite);
    }
    case json::kind::object: {
      const auto& object = value.get_object();
      return std::all_of(object.begin(), object.end(),
                         [](const auto& member) { return IsFinite(member.value()); });
    }
    default:
      return true;
  }
}

tl::unexpected<json::object> Malformed(std::optional<std::int64_t> id, ErrorNumber number, const char* why) {
  return tl::make_unexpected(ErrorMessage(id, ProtocolError{number, why, {}}));
}

template <class T>
tl::expected<T, ProtocolError> Wrong(std::string_view name, const char* type) {
  return RefuseParams(fmt::format("params.{}: {} value expected", name, type));
}

}  // namespace

tl::unexpected<ProtocolError> Refuse(std::string message) {
  return tl::make_unexpected(ProtocolError{ErrorNumber::kServerError, std::move(message), {}});
}
tl::unexpected<ProtocolError> RefuseParams(std::string detail) {
  return tl::make_unexpected(
      ProtocolError{ErrorNumber::kInvalidParams, "Invalid parameters", std::move(detail)});
}
tl::unexpected<ProtocolError> RefuseValue(std::string message) {
  return tl::make_unexpected(ProtocolError{ErrorNumber::kInvalidParams, std::move(message), {}});
}
tl::unexpected<ProtocolError> NoSuchMethod(std::string_view method) {
  return tl::make_unexpected(
      ProtocolError{ErrorNumber::kMethodNotFound, fmt::format("'{}' wasn't found", method), {}});
}

json::object ErrorMessage(std::optional<std::int64_t> id, const ProtocolError& error) {
  json::object message;
  if (id) message["id"] = *id;
  json::object what{{"code", static_cast<int>(error.number)}, {"message", error.message}};
  if (!error.data.empty()) what["data"] = error.data;
  message["error"] = std::move(what);
  return message;
}

tl::expected<Command, json::object> ParseCommand(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error, json::storage_ptr(), options);
  if (error) return Malformed({}, ErrorNumber::kParseError, "JSON: not a well-formed message");
  if (!IsFinite(value)) return Malformed({}, ErrorNumber::kParseError, "JSON: a number is too large");
  if (!value.is_object()) return Malformed({}, ErrorNumber::kInvalidRequest, "Message must be an object");
  json::object& message = value.as_object();
  Command command;
  const json::value* id = message.if_contains("id");
  if (id == nullptr || !id->is_int64())
    return Malformed({}, ErrorNumber::kInvalidRequest, "Message must have integer 'id' property");
  command.id = id->get_int64();
  json::value* method = message.if_contains("method");
  if (method == nullptr || !method->is_string())
    return Malformed(command.id, ErrorNumber::kInvalidRequest, "Message must have string 'method' property");
  command.method = std::string(method->get_string());
  if (const json::value* session = message.if_contains("sessionId")) {
    if (!session->is_string())
      return Malformed(command.id, ErrorNumber::kInvalidRequest,
                       "Message may have string 'sessionId' property");
    command.session_id = std::string(session->get_string());
  }
  if (json::value* params = message.if_contains("params"); params != nullptr && !params->is_null()) {
    if (!params->is_object())
      return Malformed(command.id, ErrorNumber::kInvalidRequest, "Message may have object 'params' property");
    command.params = std::move(params->as_object());
  }
  return command;
}

std::optional<json::object> ParseMessage(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxMessageDepth;
  boost::system::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error, json::storage_ptr(), options);
  if (error || !value.is_object() || !IsFinite(value)) return std::nullopt;
  return std::move(value.as_object());
}

tl::expected<std::string, ProtocolError> StringParam(const json::object& params, std::string_view name) {
  const json::value* value = params.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return Wrong<std::string>(name, "string");
  return std::string(value->get_string());
}
tl::expected<std::string, ProtocolError> OptionalStringParam(const json::object& params,
                                                             std::string_view name) {
  if (!params.contains({name.data(), name.size()})) return std::string();
  return StringParam(params, name);
}
tl::expected<bool, ProtocolError> BoolParam(const json::object& params, std::string_view name) {
  const json::value* value = params.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_bool()) return Wrong<bool>(name, "boolean");
  return value->get_bool();
}
tl::expected<bool, ProtocolError> OptionalBoolParam(const json::object& params, std::string_view name) {
  if (!params.contains({name.data(), name.size()})) return false;
  return BoolParam(params, name);
}
tl::expected<std::int64_t, ProtocolError> IntegerParam(const json::object& params, std::string_view name) {
  const json::value* value = params.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_int64()) return Wrong<std::int64_t>(name, "integer");
  return value->get_int64();
}

}  // namespace vigil::control::devtools
