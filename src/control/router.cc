#include "control/router.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <optional>

#include "base/log.h"

namespace vigil::control {
namespace asio = boost::asio;
namespace {

std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment = path.substr(0, path.find('/'));
    segments.emplace_back(segment);
    path.remove_prefix(segment.size());
  }
  return segments;
}

bool IsArgument(const std::string& segment) { return segment.size() > 2 && segment.front() == '{'; }

std::optional<std::map<std::string, std::string>> Match(const std::vector<std::string>& pattern,
                                                        const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  std::map<std::string, std::string> arguments;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (IsArgument(pattern[i])) {
      arguments[pattern[i].substr(1, pattern[i].size() - 2)] = path[i];
    } else if (pattern[i] != path[i]) {
      return std::nullopt;
    }
  }
  return arguments;
}

// Third-party code in a handler may throw; a call must not take the daemon down.
asio::awaitable<Answer> Guard(asio::awaitable<Router::Reply> work) {
  std::optional<Error> failure;
  try {
    Router::Reply reply = co_await std::move(work);
    if (reply) {
      Answer answer;
      answer.body = std::move(*reply);
      co_return answer;
    }
    failure = std::move(reply).error();
  } catch (const std::exception& exception) {
    log::Error("a call of the local API failed: {}", exception.what());
    failure.emplace();
    failure->message = fmt::format("internal error: {}", exception.what());
  }
  co_return ErrorAnswer(*failure);
}

}  // namespace

void Router::Add(std::string method, std::string_view pattern, Handler handler) {
  routes_.push_back(Route{std::move(method), Split(pattern), std::move(handler)});
}

asio::awaitable<Answer> Router::Handle(Request request, Caller& caller) const {
  const std::vector<std::string> path = Split(request.path);
  std::vector<std::string> allowed;
  for (const Route& route : routes_) {
    auto arguments = Match(route.segments, path);
    if (!arguments) continue;
    if (route.method != request.method) {
      allowed.push_back(route.method);
      continue;
    }
    request.path_arguments = std::move(*arguments);
    co_return co_await Guard(route.handler(std::move(request), caller));
  }
  if (allowed.empty()) {
    Error unknown;
    unknown.code = ErrorCode::kNotFound;
    unknown.message =
        fmt::format("the local API has no {} (is the command newer than the daemon? restart `vigil serve`)",
                    request.path);
    co_return ErrorAnswer(unknown);
  }
  Error wrong;
  wrong.code = ErrorCode::kInvalidArgument;
  wrong.message =
      fmt::format("{} does not take {}; it takes {}", request.path, request.method, fmt::join(allowed, ", "));
  Answer answer = ErrorAnswer(wrong);
  answer.status = 405;
  co_return answer;
}

std::vector<std::string> Router::List() const {
  std::vector<std::string> list;
  for (const Route& route : routes_)
    list.push_back(fmt::format("{} /{}", route.method, fmt::join(route.segments, "/")));
  return list;
}

}  // namespace vigil::control
