#include "control/message.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

namespace vigil::control {
namespace json = boost::json;
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> Decode(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = high >= 0 ? HexDigit(text[i + 2]) : -1;
      if (low < 0) return Fail(ErrorCode::kInvalidArgument, "the request's target has a broken % escape");
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

}  // namespace

int HttpStatus(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kAborted:
      return 409;
    case ErrorCode::kPermissionDenied:
      return 403;
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kTooLarge:
      return 413;
    case ErrorCode::kTimeout:
      return 504;
    case ErrorCode::kIo:
    case ErrorCode::kCorrupt:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

Answer ErrorAnswer(const Error& error) {
  json::object inner;
  inner["code"] = ErrorCodeName(error.code);
  inner["message"] = error.message;
  json::object outer;
  outer["error"] = std::move(inner);
  return {HttpStatus(error.code), std::move(outer), std::nullopt};
}

Result<Request> ParseTarget(std::string_view method, std::string_view target) {
  Request request;
  request.method = method;
  const std::size_t mark = target.find('?');
  VIGIL_ASSIGN(request.path, Decode(target.substr(0, mark), false));
  if (request.path.empty() || request.path[0] != '/')
    return Fail(ErrorCode::kInvalidArgument, "the request's target must be a path");
  std::string_view rest = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    VIGIL_ASSIGN(std::string name, Decode(pair.substr(0, equals), true));
    const std::string_view raw =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    VIGIL_ASSIGN(std::string value, Decode(raw, true));
    if (!name.empty()) request.query[std::move(name)] = std::move(value);
  }
  return request;
}

Result<json::object> ParseBody(std::string_view text) {
  if (text.empty()) return json::object();
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object())
    return Fail(ErrorCode::kInvalidArgument, "the request's body must be one JSON object");
  return std::move(value.as_object());
}

Result<std::string> OptionalString(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || value->is_null()) return std::string();
  if (!value->is_string())
    return Fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" must be a string", name));
  return std::string(value->as_string());
}

Result<std::string> RequiredString(const json::object& body, std::string_view name) {
  if (!body.contains(json::string_view(name.data(), name.size())))
    return Fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is missing in the request", name));
  return OptionalString(body, name);
}

Result<bool> OptionalBool(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || value->is_null()) return false;
  if (!value->is_bool())
    return Fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" must be true or false", name));
  return value->as_bool();
}

std::string QueryValue(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

}  // namespace vigil::control
