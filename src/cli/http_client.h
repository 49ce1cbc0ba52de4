// A small blocking HTTP/1.1 client for the daemon's Unix socket: one call per connection.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigil::cli {

// kUnavailable: nobody listens on the socket. kIo: the daemon went away in the middle of the call.
// The daemon's own errors come back with their code and message.
struct HttpCall {
  std::string method = "GET";
  std::string target;
  std::string body;  // JSON; empty: none
  // Called for each line of a stream but the last. Absent: streams' lines are dropped.
  std::function<void(const boost::json::object&)> on_line;
};
Result<boost::json::value> Perform(const std::filesystem::path& socket, const HttpCall& call);

// Percent-encodes a query value or path segment.
std::string Encode(std::string_view text);

}  // namespace vigil::cli
