// The daemon's side of service workers, pages and apps: what a browser process does for them, without a
// browser.
//
// Thread: everything on the event-loop thread. Lifetime: the collaborators of HostDependencies outlive the
// Host; call Stop() and let the loop run it to its end before destroying the Host. Errors: Result with a
// one-line message that can be shown to the user as it is.
//
// Finding things by URL: an app or registration argument matches the registration with the longest scope that
// is a prefix of it, else the app with that start_url, manifest URL, scope or origin; otherwise kNotFound
// with a message that lists what exists.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/caps.h"
#include "host/inspector.h"
#include "host/ports.h"
#include "vigil/time.h"

namespace vigil::store {
class Stores;
}  // namespace vigil::store
namespace vigil::net {
class Fetcher;
class WebSockets;
class ConnectivityObserver;
}  // namespace vigil::net

namespace vigil::host {
class Clock;
class StorageThread;

struct HostOptions {
  std::filesystem::path worker_executable;  // empty: "vigil-worker" beside the running executable
  std::filesystem::path
      storage_directory;  // databases of what scripts store, one directory per origin; made if absent
  std::string user_agent = "Mozilla/5.0 (X11; Linux x86_64) Vigil";  // navigator.userAgent, fetch events
  std::vector<std::string> languages = {"en-US", "en"};
  // On the Clock.
  Duration start_limit = std::chrono::minutes(1);          // of an installed worker
  Duration install_start_limit = std::chrono::minutes(5);  // of a new one
  Duration event_limit = std::chrono::minutes(5);
  Duration sync_event_limit = std::chrono::minutes(3);
  Duration idle_stop = std::chrono::seconds(30);
  Duration update_interval =
      std::chrono::hours(24);  // a script not checked for this long bypasses the HTTP cache
  // In real time, whatever the Clock: safety against processes that do not answer.
  Duration answer_limit = std::chrono::seconds(20);
  // Of one worker process; 0: the worker's own default.
  std::uint64_t heap_bytes = 0;
  std::uint64_t array_buffer_bytes = 0;
  std::uint64_t cpu_seconds = 0;
  Caps caps;
  // Real time: the zygote is replaced after so many forks, or so long. 0: never.
  std::int64_t zygote_max_forks = 2000;
  std::chrono::microseconds zygote_max_age = std::chrono::hours(4);
  bool test_natives = false;  // exposes __vigilTest to scripts; for tests of the sandbox
};

struct HostDependencies {
  boost::asio::io_context& loop;
  Clock& clock;
  StorageThread& storage;
  store::Stores& stores;  // used on the storage thread only
  net::Fetcher& fetcher;
  net::WebSockets& web_sockets;
  net::ConnectivityObserver& network;
  PermissionSource& permissions;
  EngagementSink& engagement;
  AppObserver& app_observer;
};

// ---------------------------------------------------------------------------------------------------- what
// is shown
struct WorkerView {
  std::uint64_t version_id = 0;
  std::string script_url;
  std::string state;    // parsed installing installed activating activated redundant
  std::string running;  // stopped starting running
  int pid = 0;          // 0: no process
};
struct RegistrationView {
  std::uint64_t id = 0;
  std::string scope;
  std::string origin;
  std::string update_via_cache;
  std::optional<WorkerView> installing, waiting, active;
  std::int64_t last_update_check_us = 0;  // wall clock; 0: never
};
struct AppView {
  std::string id;  // the manifest's id, resolved: an absolute URL
  std::string origin;
  std::string name;
  std::string short_name;
  std::string start_url;
  std::string scope;
  std::string display;
  std::string manifest_url;
  std::string manifest_json;
  std::uint64_t registration_id = 0;  // 0: no registration matches its scope now
  std::int64_t installed_at_us = 0;   // wall clock
};
struct PageView {
  std::string id;  // the client's id
  std::string url;
  std::string title;
  std::string origin;
  std::string manifest_url;  // as the document links it; empty: none
  std::uint64_t controller_version_id = 0;
  int pid = 0;
  bool kept = false;
};
struct NotificationView {
  std::string id;
  std::uint64_t registration_id = 0;
  std::string scope;
  std::string title;
  std::string body;
  std::string tag;
  std::string icon;
  std::string options_json;
  std::int64_t shown_at_us = 0;
};
// One console line of a page or worker, or a message of Vigil about it (source "vigil").
struct ConsoleLine {
  std::string level;  // log info warn error debug
  std::string text;
  std::string source;  // "url:line:column" when known
  std::string origin;
  std::string client_id;              // of a page; empty: of a worker
  std::uint64_t registration_id = 0;  // of a worker
  std::uint64_t version_id = 0;
};
using ConsoleSink = std::function<void(const ConsoleLine&)>;

struct PageOptions {
  bool keep = false;        // stays open until ClosePage; otherwise closed once the script has settled
  std::string script;       // run after the page's own scripts; empty: none
  std::string script_name;  // shown in stack traces
  bool launched = false;    // opened from the app's shortcut: counts as a launch for the site engagement
  bool link = false;        // a link was followed to it: earns no engagement
  std::function<void(const std::string& id)>
      opened;  // the page is there; its scripts have run, `script` has not
};
// The outcome of a script that was run in a page.
struct EvaluateOutcome {
  bool ok = true;    // false: it threw, or its promise rejected
  std::string json;  // JSON of the value, empty when it has none
  std::string text;  // value or error as a developer expects to read it
};
struct OpenedPage {
  PageView page;
  std::optional<EvaluateOutcome> script;  // when PageOptions::script was given
};
// Something a user should hear about: "service worker of https://… was killed: out of memory".
struct HostReport {
  std::string origin;
  std::uint64_t registration_id = 0;
  std::string text;
};

class HostImpl;

class Host final : public SyncDispatcher {
 public:
  template <class T = void>
  using Async = boost::asio::awaitable<Result<T>>;

  Host(HostDependencies dependencies, HostOptions options);
  ~Host() override;
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // Before Start(). service outlives the host.
  void SetSyncService(SyncService& service);
  // Console lines of everything, and reports. Any time; empty sinks are allowed. Called on the loop thread.
  void SetConsoleSink(ConsoleSink sink);
  void SetReportSink(std::function<void(const HostReport&)> sink);
  // Told at once of each change of a registration and its workers (states, starts and ends of processes), and
  // of its removal, after which nothing more comes of it. Let it only take note: it is called from inside the
  // host. Any time; empty is allowed.
  using RegistrationObserver = std::function<void(const RegistrationView&, bool removed)>;
  void SetRegistrationObserver(RegistrationObserver observer);

  // Loads registrations, scripts and apps, tells SyncService and AppObserver about them, starts the zygote.
  Async<> Start();
  // Ends every process. Events under way end as kNotStarted.
  boost::asio::awaitable<void> Stop();

  // ---- apps. url: a page or the manifest of the app
  Async<AppView> Install(std::string url, ConsoleSink console);
  // Removes the app, its registrations whose scope is in the app's, and nothing its scripts stored
  // (ClearOrigin).
  Async<AppView> Remove(std::string url);
  std::vector<AppView> Apps() const;

  // ---- pages. The sink is called until the page is closed
  Async<OpenedPage> OpenPage(std::string url, PageOptions options, ConsoleSink console);
  Async<EvaluateOutcome> EvaluateInPage(std::string id, std::string code, std::string name);
  // The user did something to a page; kind: "key", "mouse", "touch", "scroll" (input), "media" (a player is
  // active), "show", "hide". The page hears of all but media. Returns whether it earned engagement points.
  Async<bool> InputToPage(std::string id, std::string kind);
  Async<> ClosePage(std::string id);
  std::vector<PageView> Pages() const;

  // ---- service workers
  Async<RegistrationView> StartWorker(std::string url);
  Async<RegistrationView> StopWorker(std::string url);
  Async<RegistrationView> UpdateWorker(std::string url);
  // The waiting worker of the registration, if there is one, becomes active although pages use the old one.
  Result<> SkipWaiting(std::string_view url);
  Async<> Unregister(std::string url);
  // Before a page loads its worker is updated, past the HTTP cache, and the new one activated.
  void ForceUpdateOnPageLoad(bool force);
  std::vector<RegistrationView> Registrations() const;
  Result<RegistrationView> FindRegistration(std::string_view url) const;
  // The origin an argument of a command means (a registration's, an app's, or that of the URL when it is
  // one).
  Result<std::string> FindOrigin(std::string_view url) const;

  void DispatchSyncEvent(SyncEvent event, Done done) override;
  bool CanDispatch(std::uint64_t registration_id) const override;
  boost::asio::awaitable<DispatchOutcome> DispatchSync(std::uint64_t registration_id, std::string tag,
                                                       bool last_chance, Duration limit);
  boost::asio::awaitable<DispatchOutcome> DispatchPeriodicSync(std::uint64_t registration_id, std::string tag,
                                                               Duration limit);
  // A push message as a push service would deliver it; there is none, so only developers send any.
  boost::asio::awaitable<DispatchOutcome> DispatchPush(std::uint64_t registration_id,
                                                       std::optional<std::string> data);

  // ---- notifications. Newest last; url empty: all
  Result<std::vector<NotificationView>> Notifications(std::string_view url) const;
  Async<DispatchOutcome> ClickNotification(std::string id, std::string action);
  Async<DispatchOutcome> CloseNotification(std::string id);

  // ---- developer tools (host/inspector.h)
  void SetInspectorObserver(InspectorObserver observer);  // any time
  std::vector<InspectorTarget> InspectorTargets() const;
  // wait_for_debugger: a process that has not been started does not run its script before
  // Runtime.runIfWaitingForDebugger.
  Result<std::unique_ptr<InspectorSession>> Inspect(std::uint64_t process, InspectorHandlers handlers,
                                                    bool wait_for_debugger = false);

  // The permission source may answer differently now: processes of the origin (empty: of all) are told.
  void PermissionsChanged(const std::string& origin, const std::string& name);
  // Deletes registrations, apps' data, IndexedDB, caches, localStorage and notifications of the origin.
  Async<> ClearOrigin(std::string origin);
  struct StorageUsage {
    std::uint64_t usage = 0, quota = 0, indexed_db = 0, caches = 0;  // bytes
  };
  Async<StorageUsage> Usage(std::string origin);

 private:
  std::unique_ptr<HostImpl> impl_;
};

}  // namespace vigil::host
