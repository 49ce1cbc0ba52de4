// Keeps databases in memory, with the same behaviour as the files: for tests of what uses IndexedDB, and as
// the second witness of the contract test. What is committed survives closing, not the factory.
//
// Storage thread only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "storage/backing_store.h"

namespace vigil::storage {

struct MemoryDatabase;

class MemoryBackingStoreFactory : public BackingStoreFactory {
 public:
  MemoryBackingStoreFactory();
  ~MemoryBackingStoreFactory() override;
  Result<std::unique_ptr<BackingStore>> Open(const std::string& origin, const std::string& name) override;
  Result<> Delete(const std::string& origin, const std::string& name) override;
  Result<bool> Exists(const std::string& origin, const std::string& name) override;
  Result<std::vector<std::string>> List(const std::string& origin) override;
  Result<> DeleteAll(const std::string& origin) override;

 private:
  std::map<std::string, std::map<std::string, std::shared_ptr<MemoryDatabase>>> databases_;
};

}  // namespace vigil::storage
