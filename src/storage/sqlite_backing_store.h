// IndexedDB databases as SQLite files, one per database: root/<origin>/idb/<name>.sqlite.
//
// Storage thread only. The directories must outlive the factory, and the factory the stores it opened.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/backing_store.h"
#include "storage/origin_directories.h"

namespace vigil::storage {

class SqliteBackingStoreFactory : public BackingStoreFactory {
 public:
  explicit SqliteBackingStoreFactory(OriginDirectories& directories) : directories_(directories) {}
  Result<std::unique_ptr<BackingStore>> Open(const std::string& origin, const std::string& name) override;
  Result<> Delete(const std::string& origin, const std::string& name) override;
  Result<bool> Exists(const std::string& origin, const std::string& name) override;
  Result<std::vector<std::string>> List(const std::string& origin) override;
  Result<> DeleteAll(const std::string& origin) override;

 private:
  std::filesystem::path PathOf(const std::string& origin, const std::string& name) const;

  OriginDirectories& directories_;
  std::map<std::filesystem::path, std::string> open_;  // file → name; each is its store's alone
};

}  // namespace vigil::storage
