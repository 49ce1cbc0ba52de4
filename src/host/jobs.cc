#include "host/jobs.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cctype>
#include <utility>

#include "base/log.h"
#include "host/lifecycle.h"
#include "host/processes.h"
#include "host/registry.h"
#include "host/runner.h"
#include "host/script_update.h"
#include "host/worker_policies.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kMaxUrlBytes = 16 * 1024;  // each is kept for as long as its registration

// %2f and %5c in a path would let a script pretend to lie in another directory (Service Workers, "Start
// Register").
bool HidesSlash(const net::Url& url) {
  std::string path = url.path();
  for (char& c : path) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return path.find("%2f") != std::string::npos || path.find("%5c") != std::string::npos;
}

ScriptError Removed() { return {"AbortError", "the registration was removed meanwhile"}; }

std::string DirectoryOf(const net::Url& url) {
  return url.Origin() + url.path().substr(0, url.path().rfind('/') + 1);
}
}  // namespace

// "Start Register". Fills in the scope.
std::optional<ScriptError> Jobs::CheckRegister(RegisterCall& call) const {
  auto script = net::Url::Parse(call.script_url);
  if (!script)
    return ScriptError{"TypeError", fmt::format("the script URL '{}' is not a URL", call.script_url)};
  if (!script->IsHttp()) {
    return ScriptError{
        "TypeError", fmt::format("the URL protocol of the script ('{}') is not supported", call.script_url)};
  }
  if (HidesSlash(*script)) {
    return ScriptError{"TypeError", "the script URL's path holds an escaped slash (%2f or %5c)"};
  }
  script->ClearFragment();
  call.script_url = script->Href();
  if (call.scope.empty()) call.scope = DirectoryOf(*script);
  auto scope = net::Url::Parse(call.scope);
  if (!scope || !scope->IsHttp())
    return ScriptError{"TypeError", fmt::format("the scope '{}' is not supported", call.scope)};
  if (HidesSlash(*scope))
    return ScriptError{"TypeError", "the scope's path holds an escaped slash (%2f or %5c)"};
  scope->ClearFragment();
  call.scope = scope->Href();
  if (!net::IsPotentiallyTrustworthy(*script)) {
    return ScriptError{"SecurityError",
                       "only secure origins (https, or http on this machine) can have service workers"};
  }
  if (script->Origin() != call.client_origin) {
    return ScriptError{"SecurityError",
                       fmt::format("the origin of the script ('{}') is not the page's ('{}')",
                                   script->Origin(), call.client_origin)};
  }
  if (scope->Origin() != call.client_origin) {
    return ScriptError{"SecurityError", fmt::format("the origin of the scope ('{}') is not the page's ('{}')",
                                                    scope->Origin(), call.client_origin)};
  }
  if (call.script_url.size() > kMaxUrlBytes || call.scope.size() > kMaxUrlBytes) {
    return ScriptError{"TypeError",
                       fmt::format("the script URL or the scope is longer than {} bytes", kMaxUrlBytes)};
  }
  if (call.update_via_cache.empty()) call.update_via_cache = "imports";
  if (call.update_via_cache != "imports" && call.update_via_cache != "all" &&
      call.update_via_cache != "none") {
    return ScriptError{"TypeError", "updateViaCache is none of imports, all and none"};
  }
  return std::nullopt;
}

asio::awaitable<JobResult> Jobs::Register(RegisterCall call) {
  if (auto error = CheckRegister(call)) {
    failures_[call.client_origin] = error->message;
    error->message = "Failed to register a ServiceWorker: " + error->message;
    co_return JobResult{nullptr, *error};
  }
  auto job = std::make_shared<Job>(context_.executor);
  job->type = Type::kRegister;
  job->origin = call.client_origin;
  job->scope = call.scope;
  job->call = std::move(call);
  auto promise = Schedule(std::move(job));
  co_return co_await promise.Get();
}

asio::awaitable<JobResult> Jobs::Update(std::shared_ptr<Registration> registration, bool force,
                                        std::string client_url) {
  auto newest = registration->Newest();
  if (registration->unregistered || !newest) {
    co_return JobResult{nullptr, {"InvalidStateError", "the registration has no service worker to update"}};
  }
  auto job = std::make_shared<Job>(context_.executor);
  job->type = Type::kUpdate;
  job->origin = registration->origin;
  job->scope = registration->scope;
  job->force = force;
  job->call.client_origin = registration->origin;
  job->call.client_url = client_url.empty() ? newest->script_url : std::move(client_url);
  job->call.script_url = newest->script_url;
  job->call.scope = registration->scope;
  job->call.module = newest->module;
  job->call.update_via_cache = registration->update_via_cache;
  auto promise = Schedule(std::move(job));
  co_return co_await promise.Get();
}

asio::awaitable<JobResult> Jobs::Unregister(std::shared_ptr<Registration> registration) {
  auto job = std::make_shared<Job>(context_.executor);
  job->type = Type::kUnregister;
  job->origin = registration->origin;
  job->scope = registration->scope;
  auto promise = Schedule(std::move(job));
  co_return co_await promise.Get();
}

void Jobs::Remove(const std::shared_ptr<Registration>& registration) {
  const auto queue = queues_.find(registration->scope);
  if (queue != queues_.end()) Cancel(queue->second);
  context_.lifecycle->Unregister(registration, true);
}

void Jobs::RemoveAll(const std::string& origin) {
  for (const auto& [scope, queue] : queues_) {
    if (!queue.empty() && queue.front()->origin == origin) Cancel(queue);
  }
  for (const auto& registration : context_.registry->OfOrigin(origin)) {
    context_.lifecycle->Unregister(registration, true);
  }
}

// Each fails when its turn comes, the one under way when it next looks.
void Jobs::Cancel(const std::deque<JobPtr>& queue) {
  for (const auto& job : queue) {
    job->cancelled = true;
    if (!job->version) continue;
    job->version->state = VersionState::kRedundant;
    context_.runner->Stop(*job->version, "was stopped: its registration was removed");
  }
}

void Jobs::SoftUpdate(const std::shared_ptr<Registration>& registration) {
  if (context_.stopping || registration->unregistered || !registration->Newest()) return;
  // An offline machine would only find out that it is offline.
  if (!context_.deps.network.current().online) return;
  context_.Spawn([](Jobs* self, std::shared_ptr<Registration> target) -> asio::awaitable<void> {
    auto result = co_await self->Update(target, false);
    if (!result.registration) log::Debug("update check of {}: {}", target->scope, result.error.Told());
  }(this, registration));
}

void Jobs::SoftUpdateIfStale(const std::shared_ptr<Registration>& registration) {
  Duration age = context_.deps.clock.now().wall - registration->last_update_check;
  if (age > context_.options.update_interval) SoftUpdate(registration);
}

std::optional<std::string> Jobs::TakeFailure(const std::string& origin) {
  auto found = failures_.find(origin);
  if (found == failures_.end()) return std::nullopt;
  auto text = std::move(found->second);
  failures_.erase(found);
  return text;
}

bool Jobs::HasJobs(const std::string& origin) const {
  for (const auto& [scope, queue] : queues_) {
    if (!queue.empty() && queue.front()->origin == origin) return true;
  }
  return false;
}

// "Schedule Job": a job equal to the last waiting one shares its outcome.
Waiter<JobResult> Jobs::Schedule(JobPtr job) {
  auto& queue = queues_[job->scope];
  if (!queue.empty()) {
    const auto& last = queue.back();
    bool equal = last->type == job->type && last->call.script_url == job->call.script_url &&
                 last->call.module == job->call.module &&
                 last->call.update_via_cache == job->call.update_via_cache && last->force == job->force;
    if (equal && !last->cancelled && !last->promise.ready()) return last->promise;
  }
  queue.push_back(job);
  if (queue.size() == 1) context_.Spawn(RunQueue(job->scope));
  return job->promise;
}

asio::awaitable<void> Jobs::RunQueue(std::string scope) {
  for (;;) {
    auto job = queues_[scope].front();
    if (context_.stopping) {
      Reject(job, {"AbortError", "Vigil is stopping"});
    } else if (job->cancelled && job->type != Type::kUnregister) {
      Reject(job, Removed());
    } else if (job->type == Type::kRegister) {
      co_await RunRegister(job);
    } else if (job->type == Type::kUpdate) {
      co_await RunUpdate(job);
    } else {
      RunUnregister(job);
    }
    auto& queue = queues_[scope];
    queue.pop_front();
    if (queue.empty()) break;
  }
  queues_.erase(scope);
}

void Jobs::Reject(const JobPtr& job, ScriptError error) {
  const bool registers = job->type == Type::kRegister;
  if (registers) failures_[job->origin] = error.Told();
  if (error.detail.empty()) error.detail = error.message;
  error.message =
      fmt::format("Failed to {} a ServiceWorker for scope ('{}') with script ('{}'): {}",
                  registers ? "register" : "update", job->scope, job->call.script_url, error.message);
  job->promise.Set(JobResult{nullptr, std::move(error)});
}

// "Register"
asio::awaitable<void> Jobs::RunRegister(JobPtr job) {
  auto registration = context_.registry->ByScope(job->scope);
  if (registration) {
    auto newest = registration->Newest();
    if (newest && newest->script_url == job->call.script_url && newest->module == job->call.module &&
        registration->update_via_cache == job->call.update_via_cache) {
      job->promise.Set(JobResult{registration, {}});
      co_return;
    }
  }
  co_await RunUpdate(job);
}

// "Update"
asio::awaitable<void> Jobs::RunUpdate(JobPtr job) {
  auto registration = context_.registry->ByScope(job->scope);
  auto newest = registration ? registration->Newest() : nullptr;
  if (job->type == Type::kUpdate && (!newest || newest->script_url != job->call.script_url)) {
    Reject(job, {"TypeError", "Not found", "the registration is gone or has another script now"});
    co_return;
  }
  bool stale = registration && context_.deps.clock.now().wall - registration->last_update_check >
                                   context_.options.update_interval;
  bool bypass_main = job->force || stale || job->call.update_via_cache != "all";
  bool bypass_imports = job->force || stale || job->call.update_via_cache == "none";
  ScriptFetch call;
  call.origin = job->origin;
  call.referrer = job->call.client_url;
  call.url = job->call.script_url;
  call.module = job->call.module;
  call.bypass_cache = bypass_main;
  call.update = job->type == Type::kUpdate;
  auto fetched = co_await FetchMainScript(context_, std::move(call), job->scope);
  if (!fetched) {
    Reject(job, fetched.error());
    co_return;
  }
  bool same = newest && newest->script_url == job->call.script_url && newest->module == job->call.module &&
              !newest->scripts.empty() && newest->scripts.front()->body == fetched->resource->body;
  if (same && !job->cancelled) {
    bool imports_changed = co_await ImportsChanged(context_, newest, bypass_imports);
    same = !imports_changed;
  }
  if (context_.stopping || job->cancelled || (registration && registration->unregistered)) {
    Reject(job, Removed());
    co_return;
  }
  if (registration) registration->last_update_check = context_.deps.clock.now().wall;
  if (same) {
    registration->update_via_cache = job->call.update_via_cache;
    context_.registry->SaveUpdateCheck(*registration);
    job->promise.Set(JobResult{registration, {}});
    co_return;
  }
  if (!registration) {
    const std::int64_t most = context_.options.caps.service_workers;
    if (most > 0 && context_.registry->OfOrigin(job->origin).size() >= static_cast<std::size_t>(most)) {
      Reject(job, {"QuotaExceededError", fmt::format("the origin has {} service workers already", most)});
      co_return;
    }
    registration = context_.registry->Create(job->origin, job->scope, job->call.update_via_cache);
    registration->last_update_check = context_.deps.clock.now().wall;
    if (context_.sync) context_.sync->RegistrationKnown(registration->id, registration->origin);
  }
  auto version = context_.registry->CreateVersion(*registration, job->call.script_url, job->call.module);
  version->referrer_policy = fetched->referrer_policy;
  SetPolicies(*version, fetched->csp, fetched->csp_report_only);
  version->scripts.push_back(fetched->resource);
  co_await InstallNew(job, registration, version);
}

// "Run Service Worker" for the first time, then "Install".
asio::awaitable<void> Jobs::InstallNew(JobPtr job, std::shared_ptr<Registration> registration,
                                       std::shared_ptr<Version> version) {
  job->version = version;
  auto started = co_await context_.runner->EnsureRunning(version);
  job->version = nullptr;
  bool gone = registration->unregistered || context_.stopping;
  if (!started.ok || gone) {
    version->state = VersionState::kRedundant;
    context_.runner->Stop(*version, "was stopped: it was not installed");
    std::string why = gone ? "the registration was removed meanwhile" : FirstLine(started.error);
    if (!started.error_name.empty() && !why.starts_with(started.error_name))
      why = started.error_name + ": " + why;
    if (!registration->Newest()) context_.lifecycle->Discard(registration);
    if (job->cancelled) {
      Reject(job, Removed());
      co_return;
    }
    // A module graph that could not be had is no failure of a script.
    const bool unlinked = version->module && (started.error_name == "NetworkError" ||
                                              started.error.find("Top-level await") != std::string::npos);
    Reject(job, {"TypeError",
                 unlinked ? "ServiceWorker cannot be started" : "ServiceWorker script evaluation failed",
                 fmt::format("the script {} failed: {}", version->script_url, why)});
    co_return;
  }
  registration->update_via_cache = job->call.update_via_cache;
  if (auto replaced = std::exchange(registration->installing, version)) {
    context_.lifecycle->MakeRedundant(registration, replaced);
  }
  version->state = VersionState::kInstalling;
  job->promise.Set(JobResult{registration, {}});
  // Whoever asked gets the answer first, "updatefound" and the rest follow it: the promise resumes in this
  // turn.
  co_await asio::post(context_.executor, asio::use_awaitable);
  if (registration->installing != version) co_return;
  context_.lifecycle->SetState(registration, version, VersionState::kInstalling);
  auto installed = co_await context_.lifecycle->Install(registration);
  if (!installed && !context_.stopping) {
    failures_[registration->origin] = installed.error().message;
    context_.Report(registration->origin, registration->id, installed.error().message);
  }
}

// "Unregister"
void Jobs::RunUnregister(const JobPtr& job) {
  auto registration = context_.registry->ByScope(job->scope);
  if (registration) context_.lifecycle->Unregister(registration, false);
  job->promise.Set(JobResult{registration, {}});
}

}  // namespace vigil::host
