// Registrations, workers and the log.
#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <map>
#include <utility>

#include "control/api.h"
#include "control/json_view.h"
#include "control/log_feed.h"
#include "host/host.h"
#include "host/storage_thread.h"
#include "host/sync_driver.h"
#include "host/waiter.h"
#include "store/stores.h"

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
  for (const auto& sync : syncs) out.push_back(ToJson(sync, scopes[sync.key.worker_registration]));
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

Api::Task Api::Log(Request request, Caller& caller) {
  const std::string url = QueryValue(request, "url");
  std::string origin;
  if (!url.empty()) {
    auto found = services_.host.FindOrigin(url);
    if (!found) co_return Fail(std::move(found).error());
    origin = *found;
  }
  const bool follow = QueryValue(request, "follow") == "1";
  const bool console = QueryValue(request, "console") == "1";
  const auto wanted = [origin, console](const json::object& line) {
    return line.at("type") != "run" && (console || line.at("type") != "console") &&
           (origin.empty() || line.at("origin").as_string() == json::string_view(origin));
  };
  // What comes while the stored events are read waits behind them.
  std::vector<json::object> meanwhile;
  bool live = false;
  const std::uint64_t listener = !follow ? 0 : services_.feed.Listen([&](const json::object& line) {
    if (!wanted(line)) return;
    if (live) {
      caller.Send(line);
    } else {
      meanwhile.push_back(line);
    }
  });
  std::vector<json::object> lines;
  for (const auto& line : services_.feed.kept()) {
    if (wanted(line)) lines.push_back(line);
  }
  store::EventFilter filter;
  filter.origin = origin;
  const auto query = [&stores = services_.stores, filter] { return stores.events.Query(filter); };
  auto events = co_await services_.storage.Run(query);
  if (!events) {
    services_.feed.Unlisten(listener);
    co_return Fail(std::move(events).error());
  }
  std::uint64_t last_id = 0;
  for (const auto& event : *events) {
    last_id = event.id;
    lines.push_back(LogFeed::EventLine(event));
  }
  std::stable_sort(lines.begin(), lines.end(), [](const json::object& a, const json::object& b) {
    return a.at("at_us").as_int64() < b.at("at_us").as_int64();
  });
  if (!follow) {
    json::array out;
    for (auto& line : lines) out.push_back(std::move(line));
    co_return json::value(std::move(out));
  }
  for (auto& line : lines) caller.Send(std::move(line));
  for (auto& line : meanwhile) {
    if (line.at("type") == "event" && line.at("id").to_number<std::uint64_t>() <= last_id) continue;
    caller.Send(std::move(line));
  }
  live = true;
  json::object ready;
  ready["type"] = "following";
  caller.Send(std::move(ready));
  host::Waiter<bool> left(services_.loop.get_executor());
  caller.OnGone([left] { left.Set(true); });
  co_await left.Get();
  services_.feed.Unlisten(listener);
  co_return json::value(json::object());
}

Api::Task Api::Recordings() {
  const auto read = [&stores = services_.stores, now = services_.clock.now().wall] {
    return stores.events.Recordings(now);
  };
  auto recordings = co_await services_.storage.Run(read);
  if (!recordings) co_return Fail(std::move(recordings).error());
  json::object out;
  bool any = false;
  json::object services;
  for (const auto& recording : *recordings) {
    json::object service;
    service["on"] = recording.until.has_value();
    SetTime(service, "until", recording.until);
    any = any || recording.until.has_value();
    services[store::ServiceName(recording.service)] = std::move(service);
  }
  out["on"] = any;
  out["services"] = std::move(services);
  co_return json::value(std::move(out));
}

Api::Task Api::GetRecord(Request, Caller&) { return Recordings(); }

Api::Task Api::SetRecord(Request request, Caller&) {
  const auto on = OptionalBool(request.body, "on");
  if (!on) co_return Fail(on.error());
  const auto write = [&stores = services_.stores, on = *on, now = services_.clock.now().wall]() -> Result<> {
    for (const auto service : store::kServices) {
      auto set = stores.events.SetRecording(service, on, now);
      if (!set) return Fail(std::move(set).error());
    }
    return {};
  };
  auto written = co_await services_.storage.Run(write);
  if (!written) co_return Fail(std::move(written).error());
  co_return co_await Recordings();
}

}  // namespace vigil::control
