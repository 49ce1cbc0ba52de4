#include "store/notification_store.h"

#include <utility>

#include "store/database.h"
#include "store/times.h"

namespace vigil::store {
namespace {

Result<std::vector<StoredNotification>> Read(Statement rows) {
  std::vector<StoredNotification> notifications;
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) return notifications;
    StoredNotification& notification = notifications.emplace_back();
    notification.id = rows.Text(0);
    notification.origin = rows.Text(1);
    notification.registration_id = rows.Uint(2);
    notification.title = rows.Text(3);
    notification.body = rows.Text(4);
    notification.tag = rows.Text(5);
    notification.icon = rows.Text(6);
    notification.options_json = rows.Text(7);
    notification.data = rows.Text(8);
    notification.shown_at = ToWallTime(rows.Int(9));
  }
}

}  // namespace

Result<std::vector<StoredNotification>> NotificationStore::All() {
  return Read(database_.Prepare(
      "SELECT id, origin, registration, title, body, tag, icon, options_json, data, shown_at_us "
      "FROM notifications ORDER BY position"));
}

Result<std::vector<StoredNotification>> NotificationStore::OfOrigin(const std::string& origin) {
  Statement rows = database_.Prepare(
      "SELECT id, origin, registration, title, body, tag, icon, options_json, data, shown_at_us "
      "FROM notifications WHERE origin = ? ORDER BY position");
  rows.Bind(1, origin);
  return Read(std::move(rows));
}

Result<std::vector<std::string>> NotificationStore::Show(const StoredNotification& notification) {
  std::vector<std::string> replaced;
  VIGIL_TRY(database_.Transaction([&]() -> Result<> {
    if (!notification.tag.empty()) {
      Statement old = database_.Prepare(
          "DELETE FROM notifications WHERE origin = ? AND tag = ? AND id != ? RETURNING id");
      old.With(notification.origin, notification.tag, notification.id);
      while (true) {
        VIGIL_ASSIGN(const bool row, old.Step());
        if (!row) break;
        replaced.push_back(old.Text(0));
      }
    }
    Statement put = database_.Prepare(
        "INSERT OR REPLACE INTO notifications (id, origin, registration, title, body, tag, icon, "
        "options_json, data, "
        "shown_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    put.With(notification.id, notification.origin, notification.registration_id, notification.title,
             notification.body, notification.tag, notification.icon, notification.options_json)
        .BindBlob(9, notification.data)
        .Bind(10, notification.shown_at.time_since_epoch().count());
    return put.Run();
  }));
  return replaced;
}

Result<bool> NotificationStore::Close(const std::string& id) {
  VIGIL_TRY(database_.Run("DELETE FROM notifications WHERE id = ?", id));
  return database_.changes() > 0;
}

Result<> NotificationStore::RemoveRegistration(std::uint64_t registration_id) {
  return database_.Run("DELETE FROM notifications WHERE registration = ?", registration_id);
}

}  // namespace vigil::store
