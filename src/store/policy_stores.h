// What users decided and did, per origin: permissions, engagement, known networks. Storage thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "vigil/time.h"

namespace vigil::store {

class Database;

struct StoredPermission {
  std::string origin;
  std::string name;  // background-sync | periodic-background-sync | notifications …
  bool allow = true;
};

// Only what a user set; an absent entry means the default of that permission.
class PermissionStore {
 public:
  explicit PermissionStore(Database& database) : database_(database) {}
  Result<std::vector<StoredPermission>> All();  // by origin, then name
  Result<std::optional<bool>> Get(const std::string& origin, const std::string& name);
  Result<> Set(const StoredPermission& permission);
  Result<> Unset(const std::string& origin, const std::string& name);

 private:
  Database& database_;
};

// The four stored numbers of a site's engagement score (behaviour of policy/).
struct StoredEngagement {
  std::string origin;
  double raw_score = 0;
  double points_added_today = 0;
  WallTime last_engagement{};
  std::optional<WallTime> last_shortcut_launch;
};

class EngagementStore {
 public:
  explicit EngagementStore(Database& database) : database_(database) {}
  Result<std::vector<StoredEngagement>> All();                 // by origin
  Result<> Put(const std::vector<StoredEngagement>& entries);  // one transaction
  Result<> Remove(const std::string& origin);

 private:
  Database& database_;
};

struct KnownNetwork {
  std::string origin;
  std::string network_id;  // net::NetworkState::network_id
  WallTime last_used{};
};

// On which networks a user has used an app. At most kMaxPerOrigin are kept, the longest unused goes first.
class NetworkStore {
 public:
  static constexpr int kMaxPerOrigin = 64;
  explicit NetworkStore(Database& database) : database_(database) {}
  Result<std::vector<KnownNetwork>> All();  // by origin, then id
  Result<> Put(const KnownNetwork& network);
  Result<> Remove(const std::string& origin, const std::string& network_id);
  Result<> RemoveOrigin(const std::string& origin);

 private:
  Database& database_;
};

}  // namespace vigil::store
