// Background sync and policy as small in-memory stands, for tests of the host.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/ports.h"

namespace vigil::host {

// Accepts every registration and remembers it.
class TestSyncService final : public SyncService {
 public:
  void Register(SyncRegisterCall call, Done done) override {
    calls.push_back(call);
    done({});
  }
  void GetTags(SyncKind kind, std::uint64_t registration_id, TagsDone done) override {
    std::vector<std::string> tags;
    for (const auto& call : calls) {
      if (call.kind == kind && call.registration_id == registration_id) tags.push_back(call.tag);
    }
    done(std::move(tags));
  }
  void Unregister(std::uint64_t, std::string, Done done) override { done({}); }
  void Acknowledge(std::uint64_t, std::string tag, std::uint64_t) override { acknowledged.push_back(tag); }
  void CallerGone(std::uint64_t) override {}
  void RegistrationKnown(std::uint64_t id, std::string origin) override { known[id] = origin; }
  void RegistrationDeleted(std::uint64_t id) override { known.erase(id); }
  void OriginCleared(std::string) override {}
  void WindowClientsChanged(std::string origin, int count) override { windows[origin] = count; }

  std::vector<SyncRegisterCall> calls;
  std::vector<std::string> acknowledged;
  std::map<std::uint64_t, std::string> known;
  std::map<std::string, int> windows;
};

class TestPolicy final : public PermissionSource, public EngagementSink, public AppObserver {
 public:
  std::optional<PermissionState> Query(const std::string& origin, const std::string& name) const override {
    if (name == "notifications") return notifications;
    if (name == "periodic-background-sync") {
      return installed.contains(origin) ? PermissionState::kGranted : PermissionState::kDenied;
    }
    if (name == "background-sync") return PermissionState::kGranted;
    return std::nullopt;
  }
  void PageOpened(const std::string&, const std::string&, Navigation navigation) override {
    ++(navigation == Navigation::kLink ? links_followed : pages_opened);
  }
  void PageShown(const std::string&) override {}
  void PageClosed(const std::string&) override {}
  bool Input(const std::string&, const std::string&) override { return true; }
  bool Media(const std::string&, const std::string&, bool) override { return true; }
  void NotificationClicked(const std::string&) override { ++clicks; }
  void AppLaunched(const std::string&) override { ++launches; }
  void AppInstalled(const std::string& origin) override { installed.insert(origin); }
  void AppUninstalled(const std::string& origin) override { installed.erase(origin); }

  PermissionState notifications = PermissionState::kGranted;
  std::set<std::string> installed;
  int pages_opened = 0, links_followed = 0, clicks = 0, launches = 0;
};

}  // namespace vigil::host
