#include "host/apps.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "host/jobs.h"
#include "host/lifecycle.h"
#include "host/navigation.h"
#include "host/pages.h"
#include "host/registry.h"
#include "host/storage_thread.h"
#include "net/fetcher.h"
#include "net/url.h"
#include "store/stores.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
// Real time. A page that has nothing under way for this long will register no service worker.
constexpr auto kCalmLimit = std::chrono::seconds(5);
constexpr auto kInstallLimit = std::chrono::minutes(5);
constexpr auto kLookInterval = std::chrono::milliseconds(10);

AppView FromStored(const store::StoredApp& stored) {
  AppView app;
  app.id = stored.id;
  app.origin = stored.origin;
  app.name = stored.name;
  app.start_url = stored.start_url;
  app.scope = stored.scope;
  app.manifest_url = stored.manifest_url;
  app.manifest_json = stored.manifest_json;
  app.installed_at_us = stored.installed_at.time_since_epoch().count();
  if (auto manifest = ParseManifest(stored.manifest_json, stored.manifest_url, stored.start_url)) {
    app.short_name = manifest->short_name;
    app.display = manifest->display;
  }
  return app;
}
}  // namespace

asio::awaitable<Result<>> Apps::Load() {
  auto* stores = &context_.deps.stores;
  auto load = [stores] { return stores->apps.All(); };
  auto stored = co_await context_.deps.storage.Run(std::move(load));
  if (!stored) co_return Fail(stored.error());
  std::set<std::string> origins;
  for (const auto& one : *stored) {
    // Removing an app trusts its scope.
    if (!IsUrlOf(one.start_url, one.origin) || !IsUrlOf(one.scope, one.origin)) {
      log::Warning("the stored app {} makes no sense and is passed over", ToUtf8(one.id));
      continue;
    }
    apps_.emplace(one.id, FromStored(one));
    origins.insert(one.origin);
  }
  for (const auto& origin : origins) context_.deps.app_observer.AppInstalled(origin);
  co_return Result<>();
}

// ----------------------------------------------------------------------------------------------------
// install
asio::awaitable<Result<AppView>> Apps::Install(std::string url, ConsoleSink console) {
  auto target = co_await Identify(url);
  if (!target) co_return Fail(target.error());
  std::string origin = net::Url::Parse(target->page_url)->Origin();
  std::set<std::uint64_t> before;
  for (const auto& registration : context_.registry->OfOrigin(origin)) before.insert(registration->id);
  context_.jobs->TakeFailure(origin);
  PageOptions how;
  auto page = co_await context_.pages->OpenClient(target->page_url, std::move(how), std::move(console));
  if (!page) {
    co_await RollBack(origin, before);
    co_return Fail(page.error());
  }
  auto installed = co_await InstallFromPage(url, *target, *page);
  context_.pages->CloseWindow(**page);
  if (!installed) co_await RollBack(origin, before);
  co_return installed;
}

// Is it a page or a manifest?
asio::awaitable<Result<Apps::Target>> Apps::Identify(std::string url) {
  auto parsed = net::Url::Parse(url);
  if (!parsed) co_return Fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a URL", url));
  if (auto why = net::WhyNotAllowed(*parsed)) co_return Fail(ErrorCode::kInvalidArgument, *why);
  ipc::HttpRequest request;
  request.set_method("GET");
  request.set_url(parsed->Href());
  request.set_mode("same-origin");
  request.set_credentials("include");
  request.set_redirect("follow");
  net::FetchClient client;
  client.origin = parsed->Origin();
  client.trusted = true;
  auto fetched = co_await context_.deps.fetcher.FetchAll(client, std::move(request),
                                                         DocumentNavigation::kMaxDocumentBytes);
  if (!fetched) {
    co_return Fail(fetched.error().code,
                   fmt::format("{} cannot be installed: {}", url, fetched.error().message));
  }
  if (fetched->head.status() < 200 || fetched->head.status() > 299) {
    co_return Fail(ErrorCode::kNotFound,
                   fmt::format("{} cannot be installed: the server answers {}", url, fetched->head.status()));
  }
  Target target;
  target.page_url = parsed->Href();
  std::string type = net::HeaderValue(fetched->head, "content-type");
  if (type.starts_with("text/html") || type.starts_with("application/xhtml+xml")) co_return target;
  bool json = type.find("json") != std::string::npos || parsed->path().ends_with(".webmanifest") ||
              parsed->path().ends_with(".json");
  if (!json) {
    co_return Fail(ErrorCode::kInvalidArgument,
                   fmt::format("{} is neither a page nor a web app manifest: its type is '{}'", url, type));
  }
  auto manifest = ParseManifest(fetched->body, parsed->Href(), {});
  if (!manifest) co_return Fail(manifest.error());
  target.page_url = manifest->start_url;
  target.manifest_url = parsed->Href();
  target.manifest_json = std::move(fetched->body);
  co_return target;
}

asio::awaitable<Result<AppView>> Apps::InstallFromPage(std::string install_url, Target target,
                                                       std::shared_ptr<Page> page) {
  if (target.manifest_url.empty()) {
    target.manifest_url = page->manifest_url;
    if (target.manifest_url.empty()) {
      co_return Fail(ErrorCode::kInvalidArgument,
                     fmt::format("{} links no web app manifest (<link rel=\"manifest\" href=…>)", page->url));
    }
    auto fetched = co_await FetchManifest(page->origin, page->url, target.manifest_url);
    if (!fetched) co_return Fail(fetched.error());
    target.manifest_json = std::move(*fetched);
  }
  auto manifest = ParseManifest(target.manifest_json, target.manifest_url, page->url);
  if (!manifest) co_return Fail(manifest.error());
  auto ready = co_await WaitForWorker(page);
  if (!ready) co_return Fail(ready.error());
  store::StoredApp stored;
  stored.id = manifest->id;
  stored.origin = page->origin;
  stored.name = manifest->name;
  stored.start_url = manifest->start_url;
  stored.scope = manifest->scope;
  stored.manifest_url = target.manifest_url;
  stored.manifest_json = target.manifest_json;
  stored.install_url = std::move(install_url);
  stored.installed_at = context_.deps.clock.now().wall;
  auto* stores = &context_.deps.stores;
  auto store = [stores, stored] { return stores->apps.Put(stored); };
  auto put = co_await context_.deps.storage.Run(std::move(store));
  if (!put) co_return Fail(put.error());
  AppView app = FromStored(stored);
  apps_[app.id] = app;
  context_.deps.app_observer.AppInstalled(app.origin);
  // The app now opens in a window of its own, as it does from its shortcut.
  context_.deps.engagement.AppLaunched(app.origin);
  co_return View(app);
}

asio::awaitable<Result<>> Apps::WaitForWorker(std::shared_ptr<Page> page) {
  using Steady = std::chrono::steady_clock;
  asio::steady_timer pause(context_.executor);
  auto deadline = Steady::now() + kInstallLimit;
  auto calm_since = Steady::now();
  for (;;) {
    // Many pages reload themselves when their worker takes over.
    if (auto now = context_.pages->InWindow(page->window)) page = std::move(now);
    auto registration = context_.registry->Match(page->url);
    if (registration && registration->active && registration->active->state == VersionState::kActivated) {
      co_return Result<>();
    }
    bool waits = registration && (registration->installing || registration->waiting || registration->active);
    if (!waits && !context_.jobs->HasJobs(page->origin)) {
      if (auto failure = context_.jobs->TakeFailure(page->origin)) {
        co_return Fail(ErrorCode::kAborted, fmt::format("{} cannot be installed: {}", page->url, *failure));
      }
    }
    if (!page->process && !page->loading) {
      co_return Fail(ErrorCode::kAborted, fmt::format("{} cannot be installed: its page ended", page->url));
    }
    auto now = Steady::now();
    bool busy = waits || !page->process || page->process->requests_under_way() > 0 ||
                context_.jobs->HasJobs(page->origin);
    if (busy) calm_since = now;
    if (now - calm_since > kCalmLimit) {
      co_return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("{} cannot be installed: the page registers no service worker for itself", page->url));
    }
    if (now > deadline) {
      co_return Fail(
          ErrorCode::kTimeout,
          fmt::format("{} cannot be installed: its service worker does not become active", page->url));
    }
    pause.expires_after(kLookInterval);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<Result<std::string>> Apps::FetchManifest(std::string origin, std::string referrer,
                                                         std::string url) {
  ipc::HttpRequest request;
  request.set_method("GET");
  request.set_url(url);
  request.set_mode("cors");
  request.set_credentials("same-origin");
  request.set_redirect("follow");
  request.set_destination("manifest");
  net::FetchClient client;
  client.origin = std::move(origin);
  client.url = std::move(referrer);
  client.trusted = true;
  auto fetched = co_await context_.deps.fetcher.FetchAll(client, std::move(request), kMaxManifestBytes);
  if (!fetched) {
    co_return Fail(fetched.error().code, fmt::format("the web app manifest {} cannot be fetched: {}", url,
                                                     fetched.error().message));
  }
  if (fetched->head.status() < 200 || fetched->head.status() > 299) {
    co_return Fail(ErrorCode::kNotFound,
                   fmt::format("the web app manifest {} cannot be fetched: the server answers {}", url,
                               fetched->head.status()));
  }
  co_return std::move(fetched->body);
}

// A failed installation leaves no registration behind that was not there before.
asio::awaitable<void> Apps::RollBack(std::string origin, std::set<std::uint64_t> before) {
  asio::steady_timer pause(context_.executor);
  for (int round = 0; round < 1000; ++round) {
    for (const auto& registration : context_.registry->OfOrigin(origin)) {
      if (!before.contains(registration->id)) context_.lifecycle->Unregister(registration, true);
    }
    if (!context_.jobs->HasJobs(origin)) co_return;
    pause.expires_after(kLookInterval);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

// ----------------------------------------------------------------------------------------------------
// remove, list
asio::awaitable<Result<AppView>> Apps::Remove(std::string url) {
  auto found = Find(url);
  if (!found) co_return Fail(found.error());
  AppView app = *found;
  auto* stores = &context_.deps.stores;
  auto remove = [stores, id = app.id] { return stores->apps.Remove(id); };
  auto removed = co_await context_.deps.storage.Run(std::move(remove));
  if (!removed) co_return Fail(removed.error());
  apps_.erase(app.id);
  if (!IsInstalled(app.origin)) context_.deps.app_observer.AppUninstalled(app.origin);
  for (const auto& page : context_.pages->OfOrigin(app.origin)) {
    if (page->url.starts_with(app.scope)) context_.pages->Close(page);
  }
  auto own = context_.registry->Match(app.start_url);
  for (const auto& registration : context_.registry->OfOrigin(app.origin)) {
    bool shared = false;
    for (const auto& [id, other] : apps_) shared = shared || other.start_url.starts_with(registration->scope);
    if (shared) continue;
    if (registration->scope.starts_with(app.scope) || registration == own) {
      co_await context_.jobs->Unregister(registration, true);
    }
  }
  co_return app;
}

AppView Apps::View(const AppView& app) const {
  AppView view = app;
  auto registration = context_.registry->Match(app.start_url);
  view.registration_id = registration ? registration->id : 0;
  return view;
}

std::vector<AppView> Apps::List() const {
  std::vector<AppView> views;
  for (const auto& [id, app] : apps_) views.push_back(View(app));
  return views;
}

bool Apps::IsInstalled(const std::string& origin) const {
  for (const auto& [id, app] : apps_) {
    if (app.origin == origin) return true;
  }
  return false;
}

bool Apps::IsLaunchUrl(const std::string& url) const {
  auto without_fragment = url.substr(0, url.find('#'));
  for (const auto& [id, app] : apps_) {
    if (app.start_url.substr(0, app.start_url.find('#')) == without_fragment) return true;
  }
  return false;
}

// ----------------------------------------------------------------------------------------------------
// finding
std::string Apps::WhatExists() const {
  std::set<std::string> all;
  for (const auto& [id, app] : apps_) all.insert(app.start_url);
  for (const auto& registration : context_.registry->All()) all.insert(registration->scope);
  if (all.empty()) return "nothing is installed yet (see `vigil install --help`)";
  return fmt::format("there are: {}", fmt::join(all, ", "));
}

Result<AppView> Apps::Find(std::string_view url) const {
  auto parsed = net::Url::Parse(url);
  if (!parsed) return Fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a URL", url));
  std::string href = parsed->HrefWithoutFragment();
  const AppView* best = nullptr;
  for (const auto& [id, app] : apps_) {
    if (href == id || href == app.start_url || href == app.manifest_url || href == app.scope)
      return View(app);
    if (href.starts_with(app.scope) && (best == nullptr || app.scope.size() > best->scope.size()))
      best = &app;
  }
  if (best != nullptr) return View(*best);
  // The bare origin names its app when there is only one.
  int of_origin = 0;
  for (const auto& [id, app] : apps_) {
    if (href == app.origin + "/") {
      ++of_origin;
      best = &app;
    }
  }
  if (of_origin == 1) return View(*best);
  return Fail(ErrorCode::kNotFound, fmt::format("no app at {}; {}", url, WhatExists()));
}

Result<std::shared_ptr<Registration>> Apps::FindRegistration(std::string_view url) const {
  auto parsed = net::Url::Parse(url);
  if (!parsed) return Fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a URL", url));
  std::string href = parsed->HrefWithoutFragment();
  if (auto match = context_.registry->Match(href)) return match;
  if (auto app = Find(url)) {
    if (auto match = context_.registry->Match(app->start_url)) return match;
  }
  auto of_origin = context_.registry->OfOrigin(parsed->Origin());
  if (of_origin.size() == 1 && parsed->path() == "/") return of_origin.front();
  return Fail(ErrorCode::kNotFound, fmt::format("no service worker at {}; {}", url, WhatExists()));
}

Result<std::string> Apps::FindOrigin(std::string_view url) const {
  if (auto registration = FindRegistration(url)) return (*registration)->origin;
  if (auto app = Find(url)) return app->origin;
  auto parsed = net::Url::Parse(url);
  if (!parsed) return Fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a URL", url));
  if (!parsed->IsHttp()) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not an http(s) URL", url));
  }
  return parsed->Origin();
}

}  // namespace vigil::host
