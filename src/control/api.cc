#include "control/api.h"

#include <utility>

#include "control/changes.h"
#include "control/metrics.h"

namespace vigil::control {

void Api::Route(const char* method, const char* pattern, Method handler) {
  router_.Add(method, pattern, [this, handler](Request request, Caller& caller) {
    return Handle(handler, std::move(request), caller);
  });
}

Api::Task Api::Handle(Method handler, Request request, Caller& caller) {
  const bool reads = request.method == "GET";
  auto reply = co_await (this->*handler)(std::move(request), caller);
  if (!reads) services_.changes.Note();
  co_return reply;
}

Api::Api(Services services) : services_(std::move(services)), devtools_(services_) {
  devtools_.AddRoutes(router_, sockets_, [this] { return services_.open_panel().value_or(PanelAccess()); });
  Route("GET", "/v1/status", &Api::Status);
  Route("GET", "/v1/parameters", &Api::ListParameters);
  Route("GET", "/v1/metrics", &Api::GetMetrics);
  router_.AddRaw("GET", "/metrics", [this](Request) -> boost::asio::awaitable<Result<RawBody>> {
    const auto families = co_await CollectMetrics(services_);
    RawBody body;
    body.content_type = kOpenMetricsType;
    body.bytes = OpenMetricsText(families);
    co_return body;
  });
  Route("POST", "/v1/panel", &Api::OpenPanel);
  Route("POST", "/v1/devtools", &Api::OpenDevTools);
  AddLive();
  Route("GET", "/v1/network", &Api::GetNetwork);
  Route("POST", "/v1/network", &Api::SetNetwork);
  Route("GET", "/v1/clock", &Api::GetClock);
  Route("POST", "/v1/clock/advance", &Api::AdvanceClock);

  Route("GET", "/v1/permissions", &Api::GetPermissions);
  Route("POST", "/v1/permissions", &Api::SetPermission);
  Route("GET", "/v1/engagement", &Api::GetEngagement);
  Route("GET", "/v1/engagement/history", &Api::GetEngagementHistory);
  Route("GET", "/v1/networks", &Api::GetKnownNetworks);
  Route("GET", "/v1/storage", &Api::GetStorage);
  Route("DELETE", "/v1/storage", &Api::ClearStorage);

  Route("GET", "/v1/apps", &Api::ListApps);
  Route("POST", "/v1/apps", &Api::Install);
  Route("DELETE", "/v1/apps", &Api::Remove);
  Route("GET", "/v1/pages", &Api::ListPages);
  Route("POST", "/v1/pages", &Api::OpenPage);
  Route("POST", "/v1/pages/{id}/evaluate", &Api::Evaluate);
  Route("POST", "/v1/pages/{id}/input", &Api::Input);
  Route("DELETE", "/v1/pages/{id}", &Api::ClosePage);
  Route("GET", "/v1/notifications", &Api::ListNotifications);
  Route("POST", "/v1/notifications/{id}/click", &Api::ClickNotification);
  Route("DELETE", "/v1/notifications/{id}", &Api::CloseNotification);

  Route("GET", "/v1/syncs", &Api::ListSyncs);
  Route("POST", "/v1/fire", &Api::Fire);
  Route("GET", "/v1/workers", &Api::ListWorkers);
  Route("POST", "/v1/workers/{action}", &Api::ControlWorker);
  Route("GET", "/v1/log", &Api::Log);
  Route("DELETE", "/v1/log", &Api::ClearLog);
  Route("GET", "/v1/record", &Api::GetRecord);
  Route("POST", "/v1/record", &Api::SetRecord);
}

}  // namespace vigil::control
