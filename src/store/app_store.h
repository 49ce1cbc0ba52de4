// Installed apps and their manifests. Storage thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "vigil/time.h"

namespace vigil::store {

class Database;

struct StoredApp {
  std::string id;  // the manifest's processed id, a URL; the key
  std::string origin;
  std::string name;
  std::string start_url;
  std::string scope;
  std::string manifest_url;
  std::string manifest_json;  // as fetched
  std::string install_url;    // what the user gave to `vigil install`
  WallTime installed_at{};
  std::optional<WallTime> launched_at;
};

class AppStore {
 public:
  explicit AppStore(Database& database) : database_(database) {}

  Result<std::vector<StoredApp>> All();  // by id
  Result<> Put(const StoredApp& app);
  // false: there was none.
  Result<bool> Remove(const std::string& id);

 private:
  Database& database_;
};

}  // namespace vigil::store
