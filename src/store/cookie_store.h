// The lasting cookies of all jars (session cookies are never written). Storage thread.
// net::CookieJar owns the rules; this keeps its entries, one row per cookie.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace vigil::store {

class Database;

struct StoredCookie {
  std::string jar;    // the client origin whose jar it is
  std::string key;    // unique inside the jar (net::Cookie::Key)
  std::string value;  // net::Cookie::Serialize
};

class CookieStore {
 public:
  explicit CookieStore(Database& database) : database_(database) {}
  Result<std::vector<StoredCookie>> All();
  // Writes `put` and removes the keys of `removed` (their values are ignored), in one transaction.
  Result<> Apply(const std::vector<StoredCookie>& put, const std::vector<StoredCookie>& removed);
  Result<> RemoveJar(const std::string& jar);

 private:
  Database& database_;
};

}  // namespace vigil::store
