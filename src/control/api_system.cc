// The daemon itself: status, parameters, network, clock.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <utility>

#include "base/duration.h"
#include "control/advance_clock.h"
#include "control/api.h"
#include "control/json_view.h"
#include "control/log_feed.h"
#include "control/metrics.h"
#include "engine/parameter_names.h"
#include "host/storage_thread.h"
#include "host/sync_driver.h"
#include "net/connectivity.h"
#include "store/stores.h"

namespace vigil::control {
namespace json = boost::json;
using Mode = net::SwitchableConnectivity::Mode;
namespace {

// A long jump is told in steps of at least this much virtual time.
constexpr Duration kProgressStep = std::chrono::hours(1);

const char* ModeName(Mode mode) {
  switch (mode) {
    case Mode::kAuto:
      return "auto";
    case Mode::kOnline:
      return "online";
    case Mode::kOffline:
      return "offline";
  }
  return "auto";
}

}  // namespace

json::object Api::ClockJson() const {
  const Now now = services_.clock.now();
  json::object out;
  out["mode"] = services_.clock.is_virtual() ? "virtual" : "real";
  SetTime(out, "now", now.wall);
  out["monotonic_us"] = now.mono.time_since_epoch().count();
  return out;
}

json::object Api::NetworkJson() const {
  const net::NetworkState& state = services_.network.current();
  json::object out;
  out["online"] = state.online;
  out["mode"] = ModeName(services_.network.mode());
  out["source"] = services_.network_source;
  out["network_id"] = state.network_id;
  out["interface"] = state.interface_name;
  out["type"] = state.type;
  out["metered"] = state.metered;
  return out;
}

Api::Task Api::Status(Request, Caller&) {
  json::object out;
  out["version"] = services_.version;
  out["pid"] = ::getpid();
  out["data_directory"] = services_.data_directory.string();
  out["clock"] = ClockJson();
  out["network"] = NetworkJson();
  const StoreStatus store = services_.syncs.engine().store_status();
  json::object store_json;
  store_json["ok"] = store.ok;
  store_json["message"] = store.message;
  json::array traces;
  for (const auto& trace : store::Database::TracesOfDamage(services_.data_directory))
    traces.emplace_back(trace.string());
  store_json["damaged"] = std::move(traces);
  out["store"] = std::move(store_json);
  out["apps"] = services_.host.Apps().size();
  out["syncs"] = services_.syncs.engine().size();
  out["firing"] = services_.syncs.engine().firing();
  out["pages"] = services_.host.Pages().size();
  co_return json::value(std::move(out));
}

Api::Task Api::GetMetrics(Request, Caller&) {
  const auto families = co_await CollectMetrics(services_);
  json::object out;
  out["families"] = MetricsJson(families);
  out["text"] = OpenMetricsText(families);
  co_return json::value(std::move(out));
}

Api::Task Api::ListParameters(Request, Caller&) {
  json::object out;
  for (const auto& parameter : vigil::ListParameters(services_.parameters))
    out[parameter.name] = parameter.value;
  co_return json::value(std::move(out));
}

// The fragment of an address stays in the browser: no request carries the token where others could read it.
Api::Task Api::OpenPanel(Request, Caller&) {
  auto access = services_.open_panel();
  if (!access) co_return Fail(std::move(access).error());
  json::object out;
  out["url"] = fmt::format("http://{}/#token={}", access->address, access->token);
  co_return json::value(std::move(out));
}

// The front end reads its WebSocket's address from its own query, which goes to nobody but this daemon.
Api::Task Api::OpenDevTools(Request request, Caller&) {
  auto url = OptionalString(request.body, "url");
  if (!url) co_return Fail(std::move(url).error());
  std::string origin;
  if (!url->empty()) {
    auto found = services_.host.FindOrigin(*url);
    if (!found) co_return Fail(std::move(found).error());
    origin = std::move(*found);
  }
  auto access = services_.open_front_end();
  if (!access) co_return Fail(std::move(access).error());
  json::array out;
  for (const auto& target : devtools_.targets().List()) {
    if (target.type != devtools::Target::Type::kApp || (!origin.empty() && target.origin != origin)) continue;
    json::object app;
    app["origin"] = target.origin;
    app["title"] = target.title;
    app["app"] = target.url;
    app["url"] = fmt::format(
        "http://{}/devtools/front_end/devtools_app.html?ws={}/devtools/page/{}%3Ftoken%3D{}&panel=resources",
        access->address, access->address, target.id, access->token);
    out.push_back(std::move(app));
  }
  co_return json::value(std::move(out));
}

Api::Task Api::GetNetwork(Request, Caller&) { co_return json::value(NetworkJson()); }

Api::Task Api::SetNetwork(Request request, Caller&) {
  auto name = RequiredString(request.body, "mode");
  if (!name) co_return Fail(std::move(name).error());
  Mode mode = Mode::kAuto;
  if (*name == "online") {
    mode = Mode::kOnline;
  } else if (*name == "offline") {
    mode = Mode::kOffline;
  } else if (*name != "auto") {
    co_return Fail(ErrorCode::kInvalidArgument,
                   fmt::format("\"{}\" is not a network mode: choose online, offline or auto", *name));
  }
  // Going offline is stored before it is done, going online after: a crash in between never fires what must
  // not fire, and what waits for the network does not wait for the disk.
  const auto store = [&stores = services_.stores, value = *name] {
    return stores.settings.Set(kNetworkModeSetting, value);
  };
  if (mode != Mode::kOffline) services_.network.SetMode(mode);
  auto stored = co_await services_.storage.Run(store);
  if (!stored) co_return Fail(std::move(stored).error());
  if (mode == Mode::kOffline) services_.network.SetMode(mode);
  co_return json::value(NetworkJson());
}

Api::Task Api::GetClock(Request, Caller&) { co_return json::value(ClockJson()); }

Api::Task Api::AdvanceClock(Request request, Caller& caller) {
  auto text = RequiredString(request.body, "by");
  if (!text) co_return Fail(std::move(text).error());
  const auto by = ParseDuration(*text);
  if (!by) co_return Fail(by.error());
  const Now before = services_.clock.now();
  const WallTime target = before.wall + *by;
  json::array runs;
  const std::uint64_t listener = services_.feed.Listen([&](const json::object& line) {
    if (line.at("type") != "run") return;
    runs.push_back(line);
    caller.Send(line);
  });
  MonoTime told = before.mono;
  const auto moved = [&](const Now& now) {
    if (now.mono - told < kProgressStep) return;
    told = now.mono;
    json::object line;
    line["type"] = "progress";
    SetTime(line, "now", now.wall);
    line["left_us"] = (target - now.wall).count();
    caller.Send(std::move(line));
  };
  auto advanced = co_await control::AdvanceClock(services_, *by, moved);
  services_.feed.Unlisten(listener);
  if (!advanced) co_return Fail(std::move(advanced).error());
  json::object out = ClockJson();
  out["runs"] = std::move(runs);
  co_return json::value(std::move(out));
}

}  // namespace vigil::control
