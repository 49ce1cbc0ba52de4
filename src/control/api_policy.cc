// What users decide about origins, and what origins keep: permissions, engagement, storage.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <utility>

#include "control/api.h"
#include "control/clear_origin.h"
#include "control/json_view.h"
#include "host/host.h"
#include "host/storage_thread.h"
#include "host/sync_driver.h"
#include "net/connectivity.h"
#include "net/fetcher.h"
#include "store/stores.h"

namespace vigil::control {
namespace json = boost::json;

Api::Task Api::GetPermissions(Request request, Caller&) {
  json::array out;
  const std::string url = QueryValue(request, "url");
  std::set<std::string> origins;
  if (!url.empty()) {
    auto origin = services_.host.FindOrigin(url);
    if (!origin) co_return Fail(std::move(origin).error());
    origins.insert(*origin);
  } else {
    for (const auto& registration : services_.host.Registrations()) origins.insert(registration.origin);
    for (const auto& app : services_.host.Apps()) origins.insert(app.origin);
  }
  for (const auto& origin : origins) {
    for (const auto& permission : services_.policy.Permissions(origin)) out.push_back(ToJson(permission));
  }
  co_return json::value(std::move(out));
}

Api::Task Api::SetPermission(Request request, Caller&) {
  auto url = RequiredString(request.body, "url");
  if (!url) co_return Fail(std::move(url).error());
  auto name = RequiredString(request.body, "name");
  if (!name) co_return Fail(std::move(name).error());
  auto setting = RequiredString(request.body, "setting");
  if (!setting) co_return Fail(std::move(setting).error());
  std::optional<bool> allow;
  if (*setting == "allow" || *setting == "deny") {
    allow = *setting == "allow";
  } else if (*setting != "default") {
    co_return Fail(ErrorCode::kInvalidArgument,
                   fmt::format("\"{}\" is not a setting: choose allow, deny or default", *setting));
  }
  auto origin = services_.host.FindOrigin(*url);
  if (!origin) co_return Fail(std::move(origin).error());
  auto set = co_await services_.policy.SetPermission(*origin, *name, allow);
  if (!set) co_return Fail(std::move(set).error());
  for (const auto& permission : services_.policy.Permissions(*origin)) {
    if (permission.name == *name) co_return json::value(ToJson(permission));
  }
  co_return Fail(ErrorCode::kInternal, "the permission was set and cannot be found");
}

Api::Task Api::GetEngagement(Request request, Caller&) {
  const std::string url = QueryValue(request, "url");
  if (!url.empty()) {
    auto origin = services_.host.FindOrigin(url);
    if (!origin) co_return Fail(std::move(origin).error());
    co_return json::value(ToJson(services_.policy.Engagement(*origin)));
  }
  json::array out;
  for (const auto& engagement : services_.policy.Engagement()) out.push_back(ToJson(engagement));
  co_return json::value(std::move(out));
}

Api::Task Api::GetEngagementHistory(Request request, Caller&) {
  auto origin = services_.host.FindOrigin(QueryValue(request, "url"));
  if (!origin) co_return Fail(std::move(origin).error());
  json::array out;
  for (const auto& change : services_.policy.EngagementHistory(*origin)) out.push_back(ToJson(change));
  co_return json::value(std::move(out));
}

Api::Task Api::GetKnownNetworks(Request request, Caller&) {
  std::string origin;
  if (const std::string url = QueryValue(request, "url"); !url.empty()) {
    auto found = services_.host.FindOrigin(url);
    if (!found) co_return Fail(std::move(found).error());
    origin = std::move(*found);
  }
  const auto read = [&stores = services_.stores] { return stores.networks.All(); };
  auto networks = co_await services_.storage.Run(read);
  if (!networks) co_return Fail(std::move(networks).error());
  const net::NetworkState& present = services_.network.current();
  json::array out;
  for (const auto& network : *networks) {
    if (!origin.empty() && network.origin != origin) continue;
    json::object item;
    item["origin"] = network.origin;
    item["network_id"] = network.network_id;
    item["current"] = present.online && present.network_id == network.network_id;
    SetTime(item, "last_used", network.last_used);
    out.push_back(std::move(item));
  }
  co_return json::value(std::move(out));
}

Api::Task Api::GetStorage(Request request, Caller&) {
  auto origin = services_.host.FindOrigin(QueryValue(request, "url"));
  if (!origin) co_return Fail(std::move(origin).error());
  auto usage = co_await services_.host.Usage(*origin);
  if (!usage) co_return Fail(std::move(usage).error());
  json::object out;
  out["origin"] = *origin;
  out["usage_bytes"] = usage->usage;
  out["quota_bytes"] = usage->quota;
  out["indexed_db_bytes"] = usage->indexed_db;
  out["caches_bytes"] = usage->caches;
  co_return json::value(std::move(out));
}

Api::Task Api::ClearStorage(Request request, Caller&) {
  auto origin = services_.host.FindOrigin(QueryValue(request, "url"));
  if (!origin) co_return Fail(std::move(origin).error());
  auto cleared = co_await control::ClearOrigin(services_, *origin);
  if (!cleared) co_return Fail(std::move(cleared).error());
  json::object out;
  out["origin"] = *origin;
  co_return json::value(std::move(out));
}

}  // namespace vigil::control
