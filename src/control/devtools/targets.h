// All targets of developer tools, and who hears of their coming and going. Also the one place that listens to
// the host for them. Event-loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/devtools/target.h"
#include "control/services.h"
#include "host/host.h"

namespace vigil::control::devtools {

class Targets {
 public:
  // Any of them may be empty. A watcher may leave, and others come, while it is told.
  struct Watcher {
    // A session that is attached while a process is told to be created sees its first run.
    std::function<void(const Target&)> created, changed, destroyed;
    // A service worker registration or its workers are different now.
    std::function<void(const host::RegistrationView&, bool removed)> registration;
    // Pages have come, gone or got another controller, or there are other targets.
    std::function<void()> pages;
  };

  // Outlives no host: services.host must live until this is destroyed.
  explicit Targets(const Services& services);
  ~Targets();
  Targets(const Targets&) = delete;
  Targets& operator=(const Targets&) = delete;

  // As of now, in a stable order: the apps, their pages, their workers, and the tabs.
  std::vector<Target> List();
  std::optional<Target> Find(std::string_view id);
  // The target of the daemon itself.
  const Target& browser() const { return browser_; }
  // The app's target; nothing of the origin need be known.
  static Target App(const std::string& origin);
  // The tab of an app or a page.
  static Target Tab(const Target& page);
  // The target of an open page.
  static std::string PageId(const std::string& client_id);
  // The worker processes, by the service worker version that runs in them.
  std::map<std::uint64_t, std::string> WorkerTargetIds() const;

  std::uint64_t Watch(Watcher watcher);
  void Unwatch(std::uint64_t watcher) { watchers_.erase(watcher); }

  // An attached session counts for TargetInfo.attached.
  void NoteAttached(const std::string& id, int change);
  bool attached(const std::string& id) const;

 private:
  std::vector<Target> Look() const;
  bool PagesMoved();
  void Refresh();
  void RefreshSoon();
  void Tell(const std::function<void(const Watcher&)>& tell);
  Target OfProcess(const host::InspectorTarget& process) const;

  const Services& services_;
  const Target browser_;
  std::vector<Target> known_;
  bool known_moved_ = false;                                  // since the watchers were told of pages
  std::vector<std::pair<std::string, std::uint64_t>> pages_;  // client and controlling version
  std::map<std::uint64_t, Watcher> watchers_;
  std::map<std::string, int> attached_;
  std::uint64_t next_watcher_ = 1;
  std::uint64_t changes_ = 0;
  bool refreshing_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace vigil::control::devtools
