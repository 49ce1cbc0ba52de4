// Ports that hold their answers in memory: for embedders' tests and for embedders whose policy is this
// simple. Single-threaded. After a change give the engine the matching input (NetworkChanged,
// PermissionChanged …).
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "vigil/ports.h"

namespace vigil {

class MemoryPolicy : public PolicyPort {
 public:
  bool Allowed(const std::string& origin, SyncKind kind) const override {
    return denied.count({origin, kind}) == 0;
  }
  bool Installed(const std::string& origin) const override { return uninstalled.count(origin) == 0; }
  bool NotificationsAllowed(const std::string& origin) const override {
    return notifications.count(origin) != 0;
  }
  EngagementLevel Engagement(const std::string& origin, Now) const override {
    const auto found = engagement.find(origin);
    return found == engagement.end() ? EngagementLevel::kHigh : found->second;
  }

  std::set<std::pair<std::string, SyncKind>> denied;
  std::set<std::string> uninstalled;
  std::set<std::string> notifications;
  std::map<std::string, EngagementLevel> engagement;  // kHigh where nothing is said
};

class MemoryNetwork : public NetworkPort {
 public:
  bool Online() const override { return online; }
  bool KnownNetwork(const std::string& origin) const override { return unknown_to.count(origin) == 0; }

  bool online = true;
  std::set<std::string> unknown_to;  // origins that were never used on the present network
};

// A fixed sequence: the same seed gives the same run (SplitMix64's constants).
class SeededRandom : public RandomPort {
 public:
  explicit SeededRandom(std::uint64_t seed = 0) : state_(seed) {}
  double NextUnit() override {
    state_ += 0x9E3779B97F4A7C15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
  }

 private:
  std::uint64_t state_;
};

}  // namespace vigil
