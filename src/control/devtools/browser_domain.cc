#include "control/devtools/browser_domain.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "control/policy_service.h"
#include "host/host.h"

namespace vigil::control::devtools {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

struct Setting {
  std::string name;  // as in the Permissions specification
  std::optional<bool> allow;
};

asio::awaitable<Reply> Apply(PolicyService& policy, std::string origin, std::vector<Setting> settings) {
  for (Setting& setting : settings) {
    const auto set = co_await policy.SetPermission(origin, std::move(setting.name), setting.allow);
    if (!set) co_return Refuse(set.error().message);
  }
  co_return json::object();
}

// PermissionType of the protocol → the specification's name; others are called the same.
std::string PermissionName(const std::string& type) {
  static const std::map<std::string, std::string> names = {
      {"backgroundSync", "background-sync"},
      {"periodicBackgroundSync", "periodic-background-sync"},
      {"durableStorage", "persistent-storage"},
  };
  const auto found = names.find(type);
  return found == names.end() ? type : found->second;
}

tl::expected<std::string, ProtocolError> OriginParam(const json::object& params) {
  auto origin = StringParam(params, "origin");
  if (!origin) return Refuse("Permissions are kept for each origin: pass origin");
  while (!origin->empty() && origin->back() == '/') origin->pop_back();
  return origin;
}

}  // namespace

const BrowserDomain::Methods& BrowserDomain::Table() {
  static const Methods table = {
      {"getVersion", &BrowserDomain::GetVersion},
      {"getWindowForTarget", &BrowserDomain::GetWindowForTarget},
      {"grantPermissions", &BrowserDomain::GrantPermissions},
      {"resetPermissions", &BrowserDomain::ResetPermissions},
      {"setDownloadBehavior", &BrowserDomain::SetDownloadBehavior},
      {"setPermission", &BrowserDomain::SetPermission},
  };
  return table;
}

void BrowserDomain::GetVersion(const Params&, const Answer& answer) {
  answer(json::object{
      {"protocolVersion", "1.3"},
      {"product", "Vigil/" + session_.services.version},
      {"revision", ""},
      {"userAgent", fmt::format("Mozilla/5.0 (X11; Linux x86_64) Vigil/{}", session_.services.version)},
      {"jsVersion", ""}});
}

void BrowserDomain::GetWindowForTarget(const Params&, const Answer& answer) {
  answer(Refuse("Browser window not found: Vigil's pages have none"));
}

void BrowserDomain::SetDownloadBehavior(const Params&, const Answer& answer) { answer(json::object()); }

void BrowserDomain::SetPermission(const Params& params, const Answer& answer) {
  const auto origin = OriginParam(params);
  const auto setting = StringParam(params, "setting");
  if (!origin) return answer(tl::make_unexpected(origin.error()));
  if (!setting) return answer(tl::make_unexpected(setting.error()));
  const json::value* descriptor = params.if_contains("permission");
  if (descriptor == nullptr || !descriptor->is_object())
    return answer(RefuseParams("params.permission: object expected"));
  auto name = StringParam(descriptor->get_object(), "name");
  if (!name) return answer(tl::make_unexpected(name.error()));
  Setting change{std::move(*name), std::nullopt};
  if (*setting == "granted") {
    change.allow = true;
  } else if (*setting == "denied") {
    change.allow = false;
  } else if (*setting != "prompt") {
    return answer(RefuseParams("params.setting: granted, denied or prompt expected"));
  }
  Spawn(Apply(session_.services.policy, *origin, {std::move(change)}), answer);
}

void BrowserDomain::GrantPermissions(const Params& params, const Answer& answer) {
  const auto origin = OriginParam(params);
  if (!origin) return answer(tl::make_unexpected(origin.error()));
  const json::value* types = params.if_contains("permissions");
  if (types == nullptr || !types->is_array())
    return answer(RefuseParams("params.permissions: array expected"));
  std::vector<Setting> settings;
  for (const json::value& type : types->get_array()) {
    if (!type.is_string()) return answer(RefuseParams("params.permissions: strings expected"));
    settings.push_back({PermissionName(std::string(type.get_string())), true});
  }
  Spawn(Apply(session_.services.policy, *origin, std::move(settings)), answer);
}

// Of every origin: that is what a test that ends means by it.
void BrowserDomain::ResetPermissions(const Params&, const Answer& answer) {
  std::set<std::string> origins;
  for (const auto& registration : session_.services.host.Registrations()) origins.insert(registration.origin);
  for (const auto& app : session_.services.host.Apps()) origins.insert(app.origin);
  const auto reset = [](PolicyService& policy, std::set<std::string> all) -> asio::awaitable<Reply> {
    for (const std::string& origin : all) {
      for (const auto& permission : policy.Permissions(origin)) {
        if (!permission.setting) continue;
        const auto set = co_await policy.SetPermission(origin, permission.name, std::nullopt);
        if (!set) co_return Refuse(set.error().message);
      }
    }
    co_return json::object();
  };
  Spawn(reset(session_.services.policy, std::move(origins)), answer);
}

}  // namespace vigil::control::devtools
