#include "store/app_store.h"

#include "store/database.h"
#include "store/times.h"

namespace vigil::store {

Result<std::vector<StoredApp>> AppStore::All() {
  std::vector<StoredApp> apps;
  Statement rows = database_.Prepare(
      "SELECT id, origin, name, start_url, scope, manifest_url, manifest_json, install_url, installed_at_us, "
      "launched_at_us "
      "FROM apps ORDER BY id");
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) return apps;
    StoredApp& app = apps.emplace_back();
    app.id = rows.Text(0);
    app.origin = rows.Text(1);
    app.name = rows.Text(2);
    app.start_url = rows.Text(3);
    app.scope = rows.Text(4);
    app.manifest_url = rows.Text(5);
    app.manifest_json = rows.Text(6);
    app.install_url = rows.Text(7);
    app.installed_at = ToWallTime(rows.Int(8));
    if (!rows.IsNull(9)) app.launched_at = ToWallTime(rows.Int(9));
  }
}

Result<> AppStore::Put(const StoredApp& app) {
  Statement put = database_.Prepare(
      "INSERT OR REPLACE INTO apps (id, origin, name, start_url, scope, manifest_url, manifest_json, "
      "install_url, "
      "installed_at_us, launched_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  put.With(app.id, app.origin, app.name, app.start_url, app.scope, app.manifest_url, app.manifest_json,
           app.install_url, app.installed_at.time_since_epoch().count());
  if (app.launched_at) put.Bind(10, app.launched_at->time_since_epoch().count());
  return put.Run();
}

Result<bool> AppStore::Remove(const std::string& id) {
  VIGIL_TRY(database_.Run("DELETE FROM apps WHERE id = ?", id));
  return database_.changes() > 0;
}

}  // namespace vigil::store
