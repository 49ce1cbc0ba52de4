#include "host/apps.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <utility>

#include "base/log.h"
#include "base/utf8.h"
#include "host/app_installation.h"
#include "host/jobs.h"
#include "host/manifest.h"
#include "host/pages.h"
#include "host/registry.h"
#include "host/storage_thread.h"
#include "net/url.h"
#include "store/stores.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
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
  AppInstallation installation(context_);
  auto prepared = co_await installation.Prepare(std::move(url), std::move(console));
  if (!prepared) {
    co_await installation.Undo();
    co_return Fail(prepared.error());
  }
  auto installed = co_await Record(std::move(*prepared));
  installation.ClosePage();
  if (!installed) co_await installation.Undo();
  co_return installed;
}

asio::awaitable<Result<AppView>> Apps::Record(store::StoredApp stored) {
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
      context_.jobs->Remove(registration);
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
