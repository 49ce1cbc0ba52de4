#include "control/router.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>
#include <optional>

#include "base/log.h"
#include "control/path_pattern.h"

namespace vigil::control {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

void Fill(Answer& answer, json::value body) { answer.body = std::move(body); }
void Fill(Answer& answer, RawBody body) { answer.raw = std::move(body); }

// Third-party code in a handler may throw; a call must not take the daemon down.
template <class Body>
asio::awaitable<Answer> Guard(asio::awaitable<Result<Body>> work) {
  std::optional<Error> failure;
  try {
    Result<Body> reply = co_await std::move(work);
    if (reply) {
      Answer answer;
      Fill(answer, std::move(*reply));
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
  routes_.push_back(Route{std::move(method), SplitPath(pattern), std::move(handler), nullptr});
}

void Router::AddRaw(std::string method, std::string_view pattern, RawHandler handler) {
  routes_.push_back(Route{std::move(method), SplitPath(pattern), nullptr, std::move(handler)});
}

asio::awaitable<Answer> Router::Handle(Request request, Caller& caller) const {
  const std::vector<std::string> path = SplitPath(request.path);
  std::vector<std::string> allowed;
  for (const Route& route : routes_) {
    auto arguments = MatchPath(route.segments, path);
    if (!arguments) continue;
    if (route.method != request.method) {
      allowed.push_back(route.method);
      continue;
    }
    request.path_arguments = std::move(*arguments);
    if (route.raw_handler) co_return co_await Guard(route.raw_handler(std::move(request)));
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
