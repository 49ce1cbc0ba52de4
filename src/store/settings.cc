#include "store/settings.h"

#include "store/database.h"

namespace vigil::store {

Result<std::optional<std::string>> Settings::Get(std::string_view key) {
  Statement rows = database_.Prepare("SELECT value FROM settings WHERE key = ?");
  rows.Bind(1, key);
  VIGIL_ASSIGN(const bool row, rows.Step());
  return row ? std::optional<std::string>(rows.Text(0)) : std::nullopt;
}

Result<> Settings::Set(std::string_view key, std::string_view value) {
  return database_.Run("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", key, value);
}

Result<> Settings::Unset(std::string_view key) {
  return database_.Run("DELETE FROM settings WHERE key = ?", key);
}

Result<std::map<std::string, std::string>> Settings::All(std::string_view prefix) {
  std::map<std::string, std::string> all;
  Statement rows = database_.Prepare("SELECT key, value FROM settings WHERE key >= ? ORDER BY key");
  rows.Bind(1, prefix);
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row || !rows.View(0).starts_with(prefix)) return all;
    all.emplace(rows.Text(0), rows.Text(1));
  }
}

}  // namespace vigil::store
