// Everything the engine asks about, held in memory: settings, installed apps, engagement, networks. The
// embedder loads it from its stores, changes it here first, stores the change, and then gives the engine the
// matching input.
//
// Use from one thread, the engine's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "policy/permissions.h"
#include "vigil/ports.h"
#include "vigil/site_engagement.h"

namespace vigil::policy {

class PolicyState final : public PolicyPort, public NetworkPort {
 public:
  explicit PolicyState(const Parameters& parameters) : parameters_(parameters), engagement_(parameters) {}

  // name: one of the permission names of permissions.h; nullopt: back to the default. false: no such name.
  bool SetPermission(const std::string& origin, std::string_view name, std::optional<bool> allow);
  // nullopt: a name this class does not decide.
  std::optional<Permission> Decide(const std::string& origin, std::string_view name) const;

  void SetInstalled(const std::string& origin, bool installed);

  // network_id: see net::NetworkState. An identity that cannot be told ("") is an identity like any other.
  void SetNetwork(bool online, std::string network_id);
  // The app was used by its user on the present network. true: that is new and has to be stored. Offline:
  // false.
  bool NoteUseOnNetwork(const std::string& origin);
  void LoadKnownNetwork(const std::string& origin, std::string network_id);
  // Settings stay; what the origin's use left behind goes.
  void ForgetOrigin(const std::string& origin);

  SiteEngagement& engagement() { return engagement_; }
  const SiteEngagement& engagement() const { return engagement_; }
  bool online() const { return online_; }
  const std::string& network_id() const { return network_id_; }

  // PolicyPort
  bool Allowed(const std::string& origin, SyncKind kind) const override;
  bool Installed(const std::string& origin) const override;
  bool NotificationsAllowed(const std::string& origin) const override;
  EngagementLevel Engagement(const std::string& origin, Now now) const override;
  // NetworkPort
  bool Online() const override { return online_; }
  bool KnownNetwork(const std::string& origin) const override;

 private:
  PermissionFacts Facts(const std::string& origin) const;

  Parameters parameters_;
  SiteEngagement engagement_;
  std::map<std::string, std::map<std::string, bool, std::less<>>> settings_;
  std::set<std::string> installed_;
  std::map<std::string, std::set<std::string>> known_networks_;
  bool online_ = false;
  std::string network_id_;
};

}  // namespace vigil::policy
