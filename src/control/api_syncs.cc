// Registrations and workers.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <map>
#include <utility>

#include "control/api.h"
#include "control/json_view.h"
#include "host/host.h"
#include "host/sync_driver.h"
#include "host/waiter.h"

namespace vigil::control {
namespace asio = boost::asio;
namespace json = boost::json;

Api::Task Api::ListSyncs(Request request, Caller&) {
  std::map<std::uint64_t, std::string> scopes;
  for (const auto& registration : services_.host.Registrations())
    scopes[registration.id] = registration.scope;
  const std::string url = QueryValue(request, "url");
  std::vector<vigil::RegistrationView> syncs;
  if (url.empty()) {
    syncs = services_.syncs.List();
  } else {
    const auto registration = services_.host.FindRegistration(url);
    if (!registration) co_return Fail(registration.error());
    syncs = services_.syncs.List(registration->id);
  }
  json::array out;
  for (const auto& sync : syncs) {
    out.push_back(ToJson(sync, scopes[sync.key.worker_registration], services_.syncs.LastFailure(sync.key)));
  }
  co_return json::value(std::move(out));
}

Api::Task Api::Fire(Request request, Caller&) {
  auto url = RequiredString(request.body, "url");
  if (!url) co_return Fail(std::move(url).error());
  auto kind = RequiredString(request.body, "kind");
  if (!kind) co_return Fail(std::move(kind).error());
  auto tag = RequiredString(request.body, "tag");
  if (!tag) co_return Fail(std::move(tag).error());
  const auto last_chance = OptionalBool(request.body, "last_chance");
  if (!last_chance) co_return Fail(last_chance.error());
  const auto any_tag = OptionalBool(request.body, "any_tag");
  if (!any_tag) co_return Fail(any_tag.error());
  if (*kind != "sync" && *kind != "periodicsync") {
    co_return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("\"{}\" is not an event that can be fired: choose sync or periodicsync", *kind));
  }
  const auto registration = services_.host.FindRegistration(*url);
  if (!registration) co_return Fail(registration.error());
  const bool periodic = *kind == "periodicsync";
  std::string known;
  bool found = false;
  for (const auto& sync : services_.syncs.List(registration->id)) {
    if ((sync.key.kind == SyncKind::kPeriodic) != periodic) continue;
    found = found || sync.key.tag == *tag;
    known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", sync.key.tag);
  }
  if (!found && !*any_tag) {
    co_return Fail(
        ErrorCode::kNotFound,
        fmt::format("{} has no {} registration \"{}\"; {}; --any-tag fires it all the same",
                    registration->scope, *kind, *tag, known.empty() ? "it has none" : "it has " + known));
  }
  host::Waiter<host::DispatchOutcome> waiter(services_.loop.get_executor());
  services_.syncs.Fire(periodic ? host::SyncKind::kPeriodic : host::SyncKind::kOneShot, registration->id,
                       registration->origin, *tag, *last_chance,
                       [waiter](host::DispatchOutcome outcome) { waiter.Set(std::move(outcome)); });
  const host::DispatchOutcome outcome = co_await waiter.Get();
  co_return json::value(ToJson(outcome));
}

Api::Task Api::ListWorkers(Request, Caller&) {
  json::array out;
  for (const auto& registration : services_.host.Registrations()) out.push_back(ToJson(registration));
  co_return json::value(std::move(out));
}

Api::Task Api::ControlWorker(Request request, Caller&) {
  auto url = RequiredString(request.body, "url");
  if (!url) co_return Fail(std::move(url).error());
  const std::string action = request.path_arguments["action"];
  if (action == "unregister") {
    auto done = co_await services_.host.Unregister(*url);
    if (!done) co_return Fail(std::move(done).error());
    co_return json::value(json::object());
  }
  Result<host::RegistrationView> view;
  if (action == "start") {
    view = co_await services_.host.StartWorker(*url);
  } else if (action == "stop") {
    view = co_await services_.host.StopWorker(*url);
  } else if (action == "update") {
    view = co_await services_.host.UpdateWorker(*url);
  } else {
    co_return Fail(ErrorCode::kNotFound,
                   fmt::format("workers can be started, stopped, updated and unregistered, not "
                               "\"{}\"",
                               action));
  }
  if (!view) co_return Fail(std::move(view).error());
  co_return json::value(ToJson(*view));
}

}  // namespace vigil::control
