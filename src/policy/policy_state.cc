#include "policy/policy_state.h"

#include <utility>

namespace vigil::policy {

bool PolicyState::SetPermission(const std::string& origin, std::string_view name, std::optional<bool> allow) {
  if (name != kBackgroundSyncPermission && name != kPeriodicBackgroundSyncPermission &&
      name != kNotificationsPermission) {
    return false;
  }
  auto& settings = settings_[origin];
  if (allow) {
    settings[std::string(name)] = *allow;
  } else if (const auto found = settings.find(name); found != settings.end()) {
    settings.erase(found);
  }
  if (settings.empty()) settings_.erase(origin);
  return true;
}

PermissionFacts PolicyState::Facts(const std::string& origin) const {
  PermissionFacts facts;
  facts.secure = IsPotentiallyTrustworthyOrigin(origin);
  facts.installed = Installed(origin);
  const auto settings = settings_.find(origin);
  if (settings == settings_.end()) return facts;
  const auto setting = [&](std::string_view name) -> std::optional<bool> {
    const auto found = settings->second.find(name);
    if (found == settings->second.end()) return std::nullopt;
    return found->second;
  };
  facts.background_sync = setting(kBackgroundSyncPermission);
  facts.periodic_background_sync = setting(kPeriodicBackgroundSyncPermission);
  facts.notifications = setting(kNotificationsPermission);
  return facts;
}

std::optional<Permission> PolicyState::Decide(const std::string& origin, std::string_view name) const {
  const PermissionFacts facts = Facts(origin);
  if (name == kBackgroundSyncPermission) return DecideBackgroundSync(facts);
  if (name == kPeriodicBackgroundSyncPermission) return DecidePeriodicBackgroundSync(facts, parameters_);
  if (name == kNotificationsPermission) return DecideNotifications(facts);
  return std::nullopt;
}

void PolicyState::SetInstalled(const std::string& origin, bool installed) {
  if (installed) {
    installed_.insert(origin);
  } else {
    installed_.erase(origin);
  }
}

void PolicyState::SetNetwork(bool online, std::string network_id) {
  online_ = online;
  network_id_ = std::move(network_id);
}

bool PolicyState::NoteUseOnNetwork(const std::string& origin) {
  return online_ && known_networks_[origin].insert(network_id_).second;
}

void PolicyState::LoadKnownNetwork(const std::string& origin, std::string network_id) {
  known_networks_[origin].insert(std::move(network_id));
}

void PolicyState::ForgetOrigin(const std::string& origin) {
  known_networks_.erase(origin);
  engagement_.Remove(origin);
}

bool PolicyState::Allowed(const std::string& origin, SyncKind kind) const {
  const PermissionFacts facts = Facts(origin);
  if (kind == SyncKind::kPeriodic) return PeriodicSettingAllows(facts);
  return DecideBackgroundSync(facts) == Permission::kGranted;
}

bool PolicyState::Installed(const std::string& origin) const { return installed_.count(origin) != 0; }

bool PolicyState::NotificationsAllowed(const std::string& origin) const {
  return DecideNotifications(Facts(origin)) == Permission::kGranted;
}

EngagementLevel PolicyState::Engagement(const std::string& origin, Now now) const {
  return engagement_.Level(origin, now.wall);
}

bool PolicyState::KnownNetwork(const std::string& origin) const {
  const auto found = known_networks_.find(origin);
  return online_ && found != known_networks_.end() && found->second.count(network_id_) != 0;
}

}  // namespace vigil::policy
