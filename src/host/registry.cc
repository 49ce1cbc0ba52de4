#include "host/registry.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "host/worker_policies.h"
#include "net/fetch_headers.h"
#include "net/url.h"
#include "store/stores.h"

namespace vigil::host {
namespace asio = boost::asio;
bool IsUrlOf(const std::string& url, const std::string& origin) {
  if (!IsUtf8(url)) return false;
  const auto parsed = net::Url::Parse(url);
  return parsed && parsed->Origin() == origin;
}

namespace {

std::optional<VersionState> ParseState(const std::string& state) {
  if (state == "installed") return VersionState::kInstalled;
  if (state == "activating") return VersionState::kActivating;
  if (state == "activated") return VersionState::kActivated;
  return std::nullopt;
}

bool IsId(std::uint64_t id) { return id != 0 && id <= static_cast<std::uint64_t>(kMostInScripts); }

// Everything else relies on these: what a damaged row says otherwise must not become a worker.
bool Sound(const store::StoredRegistration& registration) {
  const auto own = [&](const std::string& url) { return IsUrlOf(url, registration.origin); };
  const auto runs = [&](const std::optional<store::StoredVersion>& version) {
    return !version ||
           (IsId(version->id) && own(version->script_url) && !version->scripts.empty() &&
            IsUtf8(version->referrer_policy) && IsUtf8(version->csp) && IsUtf8(version->csp_report_only) &&
            std::all_of(version->scripts.begin(), version->scripts.end(), [](const auto& script) {
              return IsUtf8(script.url) && IsUtf8(script.response_url) && IsUtf8(script.type) &&
                     IsUtf8(script.importer) && IsUtf8(script.referrer_policy);
            }));
  };
  return IsId(registration.id) && own(registration.scope) && IsUtf8(registration.update_via_cache) &&
         IsUtf8(registration.preload_header) && net::IsHeaderValue(registration.preload_header) &&
         runs(registration.waiting) && runs(registration.active);
}

// Without its routes a worker gets all requests itself: that is slower, and right.
StaticRoutes RoutesFromStored(const std::string& bytes, const std::string& script_url) {
  StaticRoutes routes;
  ipc::RouterRules rules;
  if (!rules.ParseFromString(bytes) || !routes.Add(rules))
    log::Warning("the stored static routes of {} make no sense and are passed over", script_url);
  return routes;
}

std::shared_ptr<Version> FromStored(store::StoredVersion stored,
                                    const store::StoredRegistration& registration) {
  auto version = std::make_shared<Version>();
  version->id = stored.id;
  version->registration_id = registration.id;
  version->origin = registration.origin;
  version->script_url = std::move(stored.script_url);
  version->module = stored.module;
  version->state = ParseState(stored.state).value_or(VersionState::kInstalled);
  version->listeners = std::move(stored.listeners);
  version->referrer_policy = std::move(stored.referrer_policy);
  SetPolicies(*version, std::move(stored.csp), std::move(stored.csp_report_only));
  version->routes = RoutesFromStored(stored.static_routes, version->script_url);
  for (auto& script : stored.scripts) {
    version->scripts.push_back(std::make_shared<ScriptResource>(ScriptResource{
        std::move(script.url), std::move(script.response_url), std::move(script.body), std::move(script.type),
        std::move(script.importer), std::move(script.referrer_policy)}));
  }
  return version;
}

store::StoredVersion ToStored(const Version& version) {
  store::StoredVersion stored;
  stored.id = version.id;
  stored.script_url = version.script_url;
  stored.state = VersionStateName(version.state);
  stored.module = version.module;
  stored.listeners = version.listeners;
  stored.referrer_policy = version.referrer_policy;
  stored.csp = version.csp;
  stored.csp_report_only = version.csp_report_only;
  stored.static_routes = version.routes.rules().SerializeAsString();
  for (const auto& script : version.scripts) {
    stored.scripts.push_back(store::StoredScript{script->url, script->response_url, script->body,
                                                 script->type, script->importer, script->referrer_policy});
  }
  return stored;
}

void FillWorker(const Version& version, ipc::WorkerInfo* info) {
  info->set_version_id(version.id);
  info->set_script_url(version.script_url);
  info->set_state(VersionStateName(version.state));
}
}  // namespace

const char* VersionStateName(VersionState state) {
  switch (state) {
    case VersionState::kParsed:
      return "parsed";
    case VersionState::kInstalling:
      return "installing";
    case VersionState::kInstalled:
      return "installed";
    case VersionState::kActivating:
      return "activating";
    case VersionState::kActivated:
      return "activated";
    case VersionState::kRedundant:
      return "redundant";
  }
  return "redundant";
}

bool Version::Handles(const std::string& event_type) const {
  for (const auto& type : listeners) {
    if (type == event_type) return true;
  }
  return false;
}

const ScriptResource* Version::FindScript(const std::string& url, const std::string& type) const {
  for (const auto& script : scripts) {
    if (script->url == url && script->type == type) return script.get();
  }
  return nullptr;
}

const ScriptResource* Version::FindModule(const std::string& response_url) const {
  for (const auto& script : scripts) {
    if (script->response_url == response_url && script->type.empty()) return script.get();
  }
  return nullptr;
}

asio::awaitable<Result<>> Registry::Load() {
  auto* stores = &stores_;
  auto load = [stores] { return stores->service_workers.Load(); };
  auto loaded = co_await storage_.Run(std::move(load));
  if (!loaded) co_return Fail(loaded.error());
  last_registration_id_ = loaded->last_registration_id;
  last_version_id_ = loaded->last_version_id;
  for (auto& stored : loaded->registrations) {
    if (!Sound(stored)) {
      log::Warning("the stored service worker of {} makes no sense and is passed over", ToUtf8(stored.scope));
      continue;
    }
    auto registration = std::make_shared<Registration>();
    registration->id = stored.id;
    registration->origin = stored.origin;
    registration->scope = stored.scope;
    registration->update_via_cache = stored.update_via_cache;
    registration->last_update_check = stored.last_update_check;
    registration->preload = {stored.preload_enabled, stored.preload_header};
    if (stored.waiting) registration->waiting = FromStored(std::move(*stored.waiting), stored);
    if (stored.active) registration->active = FromStored(std::move(*stored.active), stored);
    registrations_.emplace(stored.id, std::move(registration));
  }
  co_return Result<>();
}

std::shared_ptr<Registration> Registry::Create(const std::string& origin, const std::string& scope,
                                               const std::string& update_via_cache) {
  auto registration = std::make_shared<Registration>();
  registration->id = ++last_registration_id_;
  registration->origin = origin;
  registration->scope = scope;
  registration->update_via_cache = update_via_cache;
  registrations_.emplace(registration->id, registration);
  return registration;
}

std::shared_ptr<Version> Registry::CreateVersion(const Registration& registration,
                                                 const std::string& script_url, bool module) {
  auto version = std::make_shared<Version>();
  version->id = ++last_version_id_;
  version->registration_id = registration.id;
  version->origin = registration.origin;
  version->script_url = script_url;
  version->module = module;
  return version;
}

void Registry::Remove(Registration& registration) {
  registration.unregistered = true;
  std::uint64_t id = registration.id;
  registrations_.erase(id);
  storage_.Post([stores = &stores_, id] {
    if (auto removed = stores->service_workers.Remove(id); !removed) {
      log::Error("cannot remove a service worker registration: {}", removed.error().message);
    }
  });
}

std::shared_ptr<Registration> Registry::ById(std::uint64_t id) const {
  auto found = registrations_.find(id);
  return found == registrations_.end() ? nullptr : found->second;
}

std::shared_ptr<Registration> Registry::ByScope(const std::string& scope) const {
  for (const auto& [id, registration] : registrations_) {
    if (registration->scope == scope) return registration;
  }
  return nullptr;
}

std::shared_ptr<Registration> Registry::Match(std::string_view url) const {
  url = url.substr(0, url.find('#'));
  std::shared_ptr<Registration> best;
  for (const auto& [id, registration] : registrations_) {
    if (url.starts_with(registration->scope) && (!best || registration->scope.size() > best->scope.size())) {
      best = registration;
    }
  }
  return best;
}

std::shared_ptr<Version> Registry::VersionById(std::uint64_t id) const {
  for (const auto& [key, registration] : registrations_) {
    for (const auto& version : {registration->active, registration->waiting, registration->installing}) {
      if (version && version->id == id) return version;
    }
  }
  return nullptr;
}

std::vector<std::shared_ptr<Registration>> Registry::All() const {
  std::vector<std::shared_ptr<Registration>> all;
  for (const auto& [id, registration] : registrations_) all.push_back(registration);
  return all;
}

std::vector<std::shared_ptr<Registration>> Registry::OfOrigin(const std::string& origin) const {
  std::vector<std::shared_ptr<Registration>> all;
  for (const auto& [id, registration] : registrations_) {
    if (registration->origin == origin) all.push_back(registration);
  }
  return all;
}

void Registry::Save(const Registration& registration) {
  if (registration.unregistered || (!registration.waiting && !registration.active)) return;
  store::StoredRegistration stored;
  stored.id = registration.id;
  stored.origin = registration.origin;
  stored.scope = registration.scope;
  stored.update_via_cache = registration.update_via_cache;
  stored.last_update_check = registration.last_update_check;
  stored.preload_enabled = registration.preload.enabled;
  stored.preload_header = registration.preload.header_value;
  if (registration.waiting) stored.waiting = ToStored(*registration.waiting);
  if (registration.active) stored.active = ToStored(*registration.active);
  storage_.Post([stores = &stores_, stored = std::move(stored)] {
    if (auto saved = stores->service_workers.Save(stored); !saved) {
      log::Error("cannot store the service worker of {}: {}", stored.scope, saved.error().message);
    }
  });
}

void Registry::SaveUpdateCheck(const Registration& registration) {
  if (registration.unregistered || (!registration.waiting && !registration.active)) return;
  storage_.Post([stores = &stores_, id = registration.id, when = registration.last_update_check] {
    if (auto saved = stores->service_workers.SetLastUpdateCheck(id, when); !saved) {
      log::Warning("cannot store the time of an update check: {}", saved.error().message);
    }
  });
}

asio::awaitable<Result<>> Registry::SavePreload(const Registration& registration) {
  auto save = [stores = &stores_, id = registration.id, preload = registration.preload] {
    return stores->service_workers.SetPreload(id, preload.enabled, preload.header_value);
  };
  co_return co_await storage_.Run(std::move(save));
}

ipc::RegistrationInfo Registry::Info(const Registration& registration) {
  ipc::RegistrationInfo info;
  info.set_id(registration.id);
  info.set_scope(registration.scope);
  info.set_update_via_cache(registration.update_via_cache);
  if (registration.installing) FillWorker(*registration.installing, info.mutable_installing());
  if (registration.waiting) FillWorker(*registration.waiting, info.mutable_waiting());
  if (registration.active) FillWorker(*registration.active, info.mutable_active());
  info.set_unregistered(registration.unregistered);
  return info;
}

}  // namespace vigil::host
