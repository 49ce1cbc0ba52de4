#include "store/service_worker_store.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "store/database.h"
#include "store/times.h"

namespace vigil::store {
namespace {

// Event types hold no line break: a listener type with one is of no use to the host and is left out.
std::string JoinLines(const std::vector<std::string>& lines) {
  std::string joined;
  for (const std::string& line : lines) {
    if (line.find('\n') == std::string::npos) joined += line + '\n';
  }
  return joined;
}

std::vector<std::string> SplitLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

// AUTOINCREMENT keeps the highest number a table ever gave out.
Result<std::uint64_t> HighestId(Database& database, const char* table) {
  Statement statement = database.Prepare("SELECT seq FROM sqlite_sequence WHERE name = ?");
  statement.Bind(1, table);
  VIGIL_ASSIGN(const bool row, statement.Step());
  // A damaged number must not make the next one overflow.
  return row ? static_cast<std::uint64_t>(
                   std::clamp<std::int64_t>(statement.Int(0), 0, std::int64_t{1} << 53))
             : 0;
}

}  // namespace

Result<ServiceWorkerStore::Loaded> ServiceWorkerStore::Load() {
  Loaded loaded;
  std::map<std::uint64_t, std::size_t> position;
  Statement registrations = database_.Prepare(
      "SELECT id, origin, scope, update_via_cache, last_update_check_us, preload_enabled, preload_header "
      "FROM worker_registrations ORDER BY id");
  while (true) {
    VIGIL_ASSIGN(const bool row, registrations.Step());
    if (!row) break;
    StoredRegistration& registration = loaded.registrations.emplace_back();
    registration.id = registrations.Uint(0);
    registration.origin = registrations.Text(1);
    registration.scope = registrations.Text(2);
    registration.update_via_cache = registrations.Text(3);
    registration.last_update_check = ToWallTime(registrations.Int(4));
    registration.preload_enabled = registrations.Bool(5);
    registration.preload_header = registrations.Text(6);
    position[registration.id] = loaded.registrations.size() - 1;
  }
  Statement versions = database_.Prepare(
      "SELECT id, registration, active, script_url, state, module, listeners, referrer_policy, "
      "static_routes, csp, csp_report_only FROM worker_versions");
  while (true) {
    VIGIL_ASSIGN(const bool row, versions.Step());
    if (!row) break;
    StoredVersion version;
    version.id = versions.Uint(0);
    version.script_url = versions.Text(3);
    version.state = versions.Text(4);
    version.module = versions.Bool(5);
    version.listeners = SplitLines(versions.View(6));
    version.referrer_policy = versions.Text(7);
    version.static_routes = versions.Text(8);
    version.csp = versions.Text(9);
    version.csp_report_only = versions.Text(10);
    VIGIL_ASSIGN(version.scripts, Scripts(version.id));
    const auto owner = position.find(versions.Uint(1));
    if (owner == position.end()) continue;
    StoredRegistration& registration = loaded.registrations[owner->second];
    (versions.Bool(2) ? registration.active : registration.waiting) = std::move(version);
  }
  VIGIL_ASSIGN(loaded.last_registration_id, HighestId(database_, "worker_registrations"));
  VIGIL_ASSIGN(loaded.last_version_id, HighestId(database_, "worker_versions"));
  return loaded;
}

Result<> ServiceWorkerStore::Save(const StoredRegistration& registration) {
  return database_.Transaction([&]() -> Result<> {
    VIGIL_TRY(
        database_.Run("INSERT INTO worker_registrations (id, origin, scope, update_via_cache, "
                      "last_update_check_us, preload_enabled, preload_header) VALUES (?, ?, ?, ?, ?, ?, ?) "
                      "ON CONFLICT (id) DO UPDATE SET update_via_cache = excluded.update_via_cache, "
                      "last_update_check_us = excluded.last_update_check_us, "
                      "preload_enabled = excluded.preload_enabled, preload_header = excluded.preload_header",
                      registration.id, registration.origin, registration.scope, registration.update_via_cache,
                      registration.last_update_check.time_since_epoch().count(), registration.preload_enabled,
                      registration.preload_header));
    const std::uint64_t waiting = registration.waiting ? registration.waiting->id : 0;
    const std::uint64_t active = registration.active ? registration.active->id : 0;
    VIGIL_TRY(database_.Run("DELETE FROM worker_versions WHERE registration = ? AND id NOT IN (?, ?)",
                            registration.id, waiting, active));
    if (registration.waiting) VIGIL_TRY(SaveVersion(registration.id, *registration.waiting, false));
    if (registration.active) VIGIL_TRY(SaveVersion(registration.id, *registration.active, true));
    return {};
  });
}

Result<> ServiceWorkerStore::SaveVersion(std::uint64_t registration_id, const StoredVersion& version,
                                         bool active) {
  Statement insert_version = database_.Prepare(
      "INSERT INTO worker_versions (id, registration, active, script_url, state, module, listeners, "
      "referrer_policy, static_routes, csp, csp_report_only) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON "
      "CONFLICT (id) DO UPDATE SET "
      "active = excluded.active, state = excluded.state, listeners = excluded.listeners, "
      "referrer_policy = excluded.referrer_policy, static_routes = excluded.static_routes, "
      "csp = excluded.csp, csp_report_only = excluded.csp_report_only");
  const std::string listeners = JoinLines(version.listeners);
  insert_version
      .With(version.id, registration_id, active, version.script_url, version.state, version.module, listeners,
            version.referrer_policy)
      .BindBlob(9, version.static_routes)
      .Bind(10, version.csp)
      .Bind(11, version.csp_report_only);
  VIGIL_TRY(insert_version.Run());
  for (std::size_t i = 0; i < version.scripts.size(); ++i) {
    const StoredScript& script = version.scripts[i];
    Statement insert = database_.Prepare(
        "INSERT INTO worker_scripts (version, position, url, response_url, body, type, importer, "
        "referrer_policy) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    insert.With(version.id, static_cast<std::uint64_t>(i), script.url, script.response_url)
        .BindBlob(5, script.body)
        .Bind(6, script.type)
        .Bind(7, script.importer)
        .Bind(8, script.referrer_policy);
    VIGIL_TRY(insert.Run());
  }
  return {};
}

Result<> ServiceWorkerStore::Remove(std::uint64_t registration_id) {
  return database_.Transaction([&]() -> Result<> {
    VIGIL_TRY(database_.Run("DELETE FROM sync_registrations WHERE worker_registration = ?", registration_id));
    return database_.Run("DELETE FROM worker_registrations WHERE id = ?", registration_id);
  });
}

Result<> ServiceWorkerStore::SetLastUpdateCheck(std::uint64_t registration_id, WallTime when) {
  return database_.Run("UPDATE worker_registrations SET last_update_check_us = ? WHERE id = ?",
                       when.time_since_epoch().count(), registration_id);
}

Result<> ServiceWorkerStore::SetPreload(std::uint64_t registration_id, bool enabled,
                                        const std::string& header) {
  return database_.Run("UPDATE worker_registrations SET preload_enabled = ?, preload_header = ? WHERE id = ?",
                       enabled, header, registration_id);
}

Result<std::vector<StoredScript>> ServiceWorkerStore::Scripts(std::uint64_t version_id) {
  std::vector<StoredScript> scripts;
  Statement rows = database_.Prepare(
      "SELECT url, response_url, body, type, importer, referrer_policy FROM worker_scripts WHERE version = ? "
      "ORDER BY position");
  rows.Bind(1, version_id);
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) return scripts;
    scripts.push_back(
        StoredScript{rows.Text(0), rows.Text(1), rows.Text(2), rows.Text(3), rows.Text(4), rows.Text(5)});
  }
}

}  // namespace vigil::store
