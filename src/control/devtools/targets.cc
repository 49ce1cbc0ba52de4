#include "control/devtools/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cctype>
#include <set>
#include <utility>

#include "control/changes.h"

namespace vigil::control::devtools {
namespace json = boost::json;
namespace {

// The same for the same text in every run of the daemon, so that a tool that was open finds its app again.
std::string StableId(std::string_view text) {
  std::uint64_t high = 0xcbf29ce484222325ULL;
  std::uint64_t low = 0x84222325cbf29ce4ULL;
  for (const char c : text) {
    high = (high ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
    low = (low ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return fmt::format("{:016X}{:016X}", high, low);
}

}  // namespace

const char* TypeName(Target::Type type) {
  switch (type) {
    case Target::Type::kBrowser:
      return "browser";
    case Target::Type::kApp:
    case Target::Type::kPage:
      return "page";
    case Target::Type::kServiceWorker:
      return "service_worker";
    case Target::Type::kTab:
      return "tab";
  }
  return "other";
}

json::object TargetInfo(const Target& target, bool attached) {
  return json::object{{"targetId", target.id},
                      {"type", TypeName(target.type)},
                      {"title", target.title},
                      {"url", target.url},
                      {"attached", attached},
                      {"canAccessOpener", false},
                      {"browserContextId", kBrowserContextId}};
}

Targets::Targets(const Services& services)
    : services_(services), browser_{Target::Type::kBrowser,
                                    StableId("browser:" + services.data_directory.string()),
                                    "Vigil",
                                    "",
                                    "",
                                    0,
                                    0,
                                    0} {
  host::InspectorObserver observer;
  observer.starting = [this](const host::InspectorTarget&) { Refresh(); };
  observer.ended = [this](std::uint64_t) { RefreshSoon(); };
  services_.host.SetInspectorObserver(std::move(observer));
  services_.host.SetRegistrationObserver([this](const host::RegistrationView& view, bool removed) {
    if (watchers_.empty()) return;
    RefreshSoon();
    Tell([&](const Watcher& watcher) {
      if (watcher.registration) watcher.registration(view, removed);
    });
  });
  changes_ = services_.changes.Listen([this] { RefreshSoon(); });
}

Targets::~Targets() {
  services_.changes.Unlisten(changes_);
  services_.host.SetRegistrationObserver(nullptr);
  services_.host.SetInspectorObserver({});
}

Target Targets::Tab(const Target& page) {
  return {Target::Type::kTab, StableId("tab:" + page.id), page.title, page.url, page.origin, 0, 0, 0};
}

// The client's UUID without its dashes.
std::string Targets::PageId(const std::string& client_id) {
  std::string id;
  for (const char c : client_id) {
    if (c != '-') id += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return id;
}

Target Targets::App(const std::string& origin) {
  return {Target::Type::kApp, StableId("app:" + origin), origin, origin + "/", origin, 0, 0, 0};
}

Target Targets::OfProcess(const host::InspectorTarget& process) const {
  Target target;
  target.origin = process.origin;
  target.process = process.process;
  target.url = process.url;
  if (process.version_id != 0) {
    target.type = Target::Type::kServiceWorker;
    // Another process of the same worker is another target.
    target.id = StableId(fmt::format("worker:{}:{}", browser_.id, process.process));
    target.title = "Service Worker " + process.url;
    target.registration_id = process.registration_id;
    target.version_id = process.version_id;
  } else {
    target.type = Target::Type::kPage;
    target.id = PageId(process.client_id);
    target.title = process.url;
  }
  return target;
}

std::vector<Target> Targets::Look() const {
  std::vector<Target> apps;
  std::set<std::string> origins;
  for (const auto& app : services_.host.Apps()) {
    if (!origins.insert(app.origin).second) continue;
    Target target = App(app.origin);
    target.title = app.name;
    target.url = app.start_url;
    apps.push_back(std::move(target));
  }
  for (const auto& registration : services_.host.Registrations()) {
    if (!origins.insert(registration.origin).second) continue;
    Target target = App(registration.origin);
    target.title = registration.scope;
    target.url = registration.scope;
    apps.push_back(std::move(target));
  }
  std::map<std::string, std::string> titles;
  for (const auto& page : services_.host.Pages()) titles[PageId(page.id)] = page.title;
  std::vector<Target> pages;
  std::vector<Target> workers;
  for (const auto& process : services_.host.InspectorTargets()) {
    Target target = OfProcess(process);
    if (target.type == Target::Type::kServiceWorker) {
      workers.push_back(std::move(target));
      continue;
    }
    if (const auto& title = titles[target.id]; !title.empty()) target.title = title;
    pages.push_back(std::move(target));
  }
  apps.insert(apps.end(), pages.begin(), pages.end());
  std::vector<Target> tabs;
  for (const Target& page : apps) tabs.push_back(Tab(page));
  apps.insert(apps.end(), workers.begin(), workers.end());
  apps.insert(apps.end(), tabs.begin(), tabs.end());
  return apps;
}

std::vector<Target> Targets::List() {
  if (watchers_.empty()) known_ = Look();
  Refresh();
  return known_;
}

std::optional<Target> Targets::Find(std::string_view id) {
  if (id == browser_.id) return browser_;
  for (const Target& target : List()) {
    if (target.id == id) return target;
  }
  return std::nullopt;
}

std::map<std::uint64_t, std::string> Targets::WorkerTargetIds() const {
  std::map<std::uint64_t, std::string> ids;
  for (const auto& process : services_.host.InspectorTargets()) {
    if (process.version_id != 0) ids.emplace(process.version_id, OfProcess(process).id);
  }
  return ids;
}

std::uint64_t Targets::Watch(Watcher watcher) {
  if (watchers_.empty()) known_ = Look();
  watchers_.emplace(next_watcher_, std::move(watcher));
  return next_watcher_++;
}

void Targets::Tell(const std::function<void(const Watcher&)>& tell) {
  const auto watchers = watchers_;
  for (const auto& [id, watcher] : watchers) {
    if (watchers_.count(id) > 0) tell(watcher);
  }
}

void Targets::RefreshSoon() {
  // Nobody to tell: nothing to look at.
  if (refreshing_ || watchers_.empty()) return;
  refreshing_ = true;
  boost::asio::post(services_.loop, [this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    refreshing_ = false;
    Refresh();
    const bool pages_moved = PagesMoved();
    if (!std::exchange(known_moved_, false) && !pages_moved) return;
    Tell([](const Watcher& watcher) {
      if (watcher.pages) watcher.pages();
    });
  });
}

bool Targets::PagesMoved() {
  std::vector<std::pair<std::string, std::uint64_t>> now;
  for (const auto& page : services_.host.Pages()) now.emplace_back(page.id, page.controller_version_id);
  if (now == pages_) return false;
  pages_ = std::move(now);
  return true;
}

void Targets::Refresh() {
  if (watchers_.empty()) return;
  const std::vector<Target> before = std::exchange(known_, Look());
  if (before == known_) return;
  known_moved_ = true;
  const std::vector<Target> now = known_;
  const auto find = [](const std::vector<Target>& list, const std::string& id) {
    return std::find_if(list.begin(), list.end(), [&](const Target& target) { return target.id == id; });
  };
  for (const Target& target : before) {
    if (find(now, target.id) != now.end()) continue;
    Tell([&](const Watcher& watcher) {
      if (watcher.destroyed) watcher.destroyed(target);
    });
  }
  for (const Target& target : now) {
    const auto old = find(before, target.id);
    if (old != before.end() && *old == target) continue;
    const bool fresh = old == before.end();
    Tell([&](const Watcher& watcher) {
      const auto& told = fresh ? watcher.created : watcher.changed;
      if (told) told(target);
    });
  }
}

void Targets::NoteAttached(const std::string& id, int change) {
  if ((attached_[id] += change) <= 0) attached_.erase(id);
}
bool Targets::attached(const std::string& id) const { return attached_.count(id) > 0; }

}  // namespace vigil::control::devtools
