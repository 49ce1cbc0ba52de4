// The records of the Service Workers specification (section 2): service worker registrations and service
// workers, here "versions". Plain data; Registry holds them, Lifecycle moves them. Event-loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/clock.h"
#include "host/process.h"
#include "host/static_routes.h"
#include "host/waiter.h"
#include "vigil/time.h"

namespace vigil::net {
class ContentSecurityPolicies;
}  // namespace vigil::net

namespace vigil::host {

enum class VersionState { kParsed, kInstalling, kInstalled, kActivating, kActivated, kRedundant };
const char* VersionStateName(VersionState state);  // as ServiceWorker.state

// One script of a version's script resource map. Never changes once the version is installed.
struct ScriptResource {
  std::string url;
  std::string response_url;
  std::string body;
  std::string type = {};      // of a module, as import attributes name it; empty: JavaScript
  std::string importer = {};  // response URL of the module that imports it; empty: the main script does
  std::string referrer_policy = {};  // of what it imports; empty: the worker's
};

// A service worker: one script of one registration, and its process while it runs.
struct Version {
  std::uint64_t id = 0;
  std::uint64_t registration_id = 0;
  std::string origin;
  std::string script_url;
  bool module = false;
  VersionState state = VersionState::kParsed;
  std::string referrer_policy;
  std::string csp, csp_report_only;  // Content-Security-Policy headers; see SetPolicies()
  std::shared_ptr<const net::ContentSecurityPolicies> policies;  // null: none
  std::vector<std::shared_ptr<const ScriptResource>> scripts;    // the main script first
  std::vector<std::string> listeners;                            // event types, after the first run
  StaticRoutes routes;                                           // InstallEvent.addRoutes()
  bool skip_waiting = false;

  std::shared_ptr<WorkerProcess> process;       // also while starting
  std::optional<Waiter<StartResult>> starting;  // set while the script's first run is awaited
  int events_pending = 0;                       // events that wait for the start or are under way
  bool stop_when_idle = false;                  // an event timed out: do not wait for the idle limit
  TimerId idle_timer = 0;
  std::vector<Waiter<bool>> awaiting_activation;  // false: it became redundant instead

  bool Handles(const std::string& event_type) const;
  // A request of its clients may concern it.
  bool TakesFetches() const { return !routes.empty() || Handles("fetch"); }
  const ScriptResource* FindScript(const std::string& url, const std::string& type) const;
  // The module whose response came from there; null: none.
  const ScriptResource* FindModule(const std::string& response_url) const;
};

// Service Workers §3.5, as stored with the registration.
struct NavigationPreloadState {
  bool enabled = false;
  std::string header_value = "true";
};

struct Registration {
  std::uint64_t id = 0;
  std::string origin;
  std::string scope;
  std::string update_via_cache = "imports";
  WallTime last_update_check{};
  std::shared_ptr<Version> installing;
  std::shared_ptr<Version> waiting;
  std::shared_ptr<Version> active;
  bool unregistered = false;
  NavigationPreloadState preload;

  // "Get Newest Worker" of the specification.
  std::shared_ptr<Version> Newest() const { return installing ? installing : waiting ? waiting : active; }
};

// A page: a window client.
struct Page {
  std::string id;      // client id, a UUID
  std::string window;  // client id of the first page in this page's place: navigations keep it
  std::string url;
  std::string origin;
  std::string title;
  std::string manifest_url;
  bool document_parsed = false;
  bool kept = false;
  bool visible = true;
  std::uint64_t opened = 0;       // counts up: order of creation
  std::uint64_t navigations = 0;  // that were begun from here: the latest one counts
  bool loading = true;
  std::vector<Waiter<bool>> awaiting_load;
  std::shared_ptr<Version> controller;
  std::shared_ptr<WorkerProcess> process;
  std::function<void(std::string level, std::string text, std::string source)> console;
  std::vector<std::pair<std::string, std::string>> session_storage;  // UTF-16 keys and values
};

}  // namespace vigil::host
