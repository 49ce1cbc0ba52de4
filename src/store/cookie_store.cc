#include "store/cookie_store.h"

#include "store/database.h"

namespace vigil::store {

Result<std::vector<StoredCookie>> CookieStore::All() {
  std::vector<StoredCookie> cookies;
  Statement rows = database_.Prepare("SELECT jar, key, value FROM cookies ORDER BY jar, key");
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) return cookies;
    cookies.push_back(StoredCookie{rows.Text(0), rows.Text(1), rows.Text(2)});
  }
}

Result<> CookieStore::Apply(const std::vector<StoredCookie>& put, const std::vector<StoredCookie>& removed) {
  return database_.Transaction([&]() -> Result<> {
    for (const StoredCookie& cookie : removed) {
      VIGIL_TRY(database_.Run("DELETE FROM cookies WHERE jar = ? AND key = ?", cookie.jar, cookie.key));
    }
    for (const StoredCookie& cookie : put) {
      VIGIL_TRY(database_.Run("INSERT OR REPLACE INTO cookies (jar, key, value) VALUES (?, ?, ?)", cookie.jar,
                              cookie.key, cookie.value));
    }
    return {};
  });
}

Result<> CookieStore::RemoveJar(const std::string& jar) {
  return database_.Run("DELETE FROM cookies WHERE jar = ?", jar);
}

}  // namespace vigil::store
