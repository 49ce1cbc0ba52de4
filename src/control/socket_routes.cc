#include "control/socket_routes.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "base/log.h"
#include "control/path_pattern.h"

namespace vigil::control {

void SocketRoutes::Add(std::string_view pattern, Opener opener) {
  routes_.push_back(Route{SplitPath(pattern), std::move(opener)});
}

Result<std::unique_ptr<SocketHandler>> SocketRoutes::Open(Request request,
                                                          std::shared_ptr<Socket> socket) const {
  const auto path = SplitPath(request.path);
  for (const Route& route : routes_) {
    auto arguments = MatchPath(route.segments, path);
    if (!arguments) continue;
    request.path_arguments = std::move(*arguments);
    try {
      return route.opener(request, std::move(socket));
    } catch (const std::exception& exception) {
      log::Error("a WebSocket of {} could not be opened: {}", request.path, exception.what());
      return Fail(ErrorCode::kInternal, fmt::format("internal error: {}", exception.what()));
    }
  }
  return Fail(ErrorCode::kNotFound, fmt::format("there is no WebSocket at {}", request.path));
}

}  // namespace vigil::control
