#include "store/policy_stores.h"

#include "store/database.h"
#include "store/times.h"

namespace vigil::store {
Result<std::vector<StoredPermission>> PermissionStore::All() {
  std::vector<StoredPermission> permissions;
  Statement rows = database_.Prepare("SELECT origin, name, allow FROM permissions ORDER BY origin, name");
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) return permissions;
    permissions.push_back(StoredPermission{rows.Text(0), rows.Text(1), rows.Bool(2)});
  }
}

Result<std::optional<bool>> PermissionStore::Get(const std::string& origin, const std::string& name) {
  Statement rows = database_.Prepare("SELECT allow FROM permissions WHERE origin = ? AND name = ?");
  rows.With(origin, name);
  VIGIL_ASSIGN(const bool row, rows.Step());
  return row ? std::optional<bool>(rows.Bool(0)) : std::nullopt;
}

Result<> PermissionStore::Set(const StoredPermission& permission) {
  return database_.Run("INSERT OR REPLACE INTO permissions (origin, name, allow) VALUES (?, ?, ?)",
                       permission.origin, permission.name, permission.allow);
}

Result<> PermissionStore::Unset(const std::string& origin, const std::string& name) {
  return database_.Run("DELETE FROM permissions WHERE origin = ? AND name = ?", origin, name);
}

Result<std::vector<StoredEngagement>> EngagementStore::All() {
  std::vector<StoredEngagement> entries;
  Statement rows = database_.Prepare(
      "SELECT origin, raw_score, points_added_today, last_engagement_us, last_shortcut_launch_us FROM "
      "engagement ORDER BY origin");
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) return entries;
    StoredEngagement& entry = entries.emplace_back();
    entry.origin = rows.Text(0);
    entry.raw_score = rows.Real(1);
    entry.points_added_today = rows.Real(2);
    entry.last_engagement = ToWallTime(rows.Int(3));
    if (!rows.IsNull(4)) entry.last_shortcut_launch = ToWallTime(rows.Int(4));
  }
}

Result<> EngagementStore::Put(const std::vector<StoredEngagement>& entries) {
  return database_.Transaction([&]() -> Result<> {
    for (const StoredEngagement& entry : entries) {
      Statement put = database_.Prepare(
          "INSERT OR REPLACE INTO engagement (origin, raw_score, points_added_today, last_engagement_us, "
          "last_shortcut_launch_us) VALUES (?, ?, ?, ?, ?)");
      put.With(entry.origin, entry.raw_score, entry.points_added_today,
               ToMicroseconds(entry.last_engagement));
      if (entry.last_shortcut_launch) put.Bind(5, ToMicroseconds(*entry.last_shortcut_launch));
      VIGIL_TRY(put.Run());
    }
    return {};
  });
}

Result<> EngagementStore::Remove(const std::string& origin) {
  return database_.Run("DELETE FROM engagement WHERE origin = ?", origin);
}

Result<std::vector<KnownNetwork>> NetworkStore::All() {
  std::vector<KnownNetwork> networks;
  Statement rows = database_.Prepare(
      "SELECT origin, network_id, last_used_us FROM known_networks ORDER BY origin, network_id");
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) return networks;
    networks.push_back(KnownNetwork{rows.Text(0), rows.Text(1), ToWallTime(rows.Int(2))});
  }
}

Result<> NetworkStore::Put(const KnownNetwork& network) {
  return database_.Transaction([&]() -> Result<> {
    VIGIL_TRY(database_.Run(
        "INSERT OR REPLACE INTO known_networks (origin, network_id, last_used_us) VALUES (?, ?, ?)",
        network.origin, network.network_id, ToMicroseconds(network.last_used)));
    return database_.Run(
        "DELETE FROM known_networks WHERE origin = ?1 AND network_id IN (SELECT network_id FROM "
        "known_networks "
        "WHERE origin = ?1 ORDER BY last_used_us DESC, network_id LIMIT -1 OFFSET ?2)",
        network.origin, kMaxPerOrigin);
  });
}

Result<> NetworkStore::Remove(const std::string& origin, const std::string& network_id) {
  return database_.Run("DELETE FROM known_networks WHERE origin = ? AND network_id = ?", origin, network_id);
}

Result<> NetworkStore::RemoveOrigin(const std::string& origin) {
  return database_.Run("DELETE FROM known_networks WHERE origin = ?", origin);
}

}  // namespace vigil::store
