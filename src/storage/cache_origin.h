// The caches of one origin in their SQLite file: root/<origin>/caches.sqlite. Part of cache_service.h, see
// there.
//
// Storage thread only. Owned by CacheService.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ipc/storage.pb.h"
#include "store/database.h"

namespace vigil::storage {

// A failure that is the script's business, by name.
struct CacheRefusal {
  std::string name;
  std::string message;
};

class CacheOrigin {
 public:
  // The directory exists. Errors: as of store::Database::Open.
  static Result<std::unique_ptr<CacheOrigin>> Open(const std::string& origin,
                                                   const std::filesystem::path& directory);

  Result<std::uint64_t> OpenCache(const std::string& name);
  Result<bool> Has(const std::string& name);
  // The cache goes on existing for those who have it open, until Purge.
  Result<bool> Remove(const std::string& name);
  Result<std::vector<std::string>> Names();
  // Fills responses or requests of the reply.
  Result<> Match(const ipc::CacheRequest::Match& match, std::size_t limit, bool responses,
                 ipc::CacheReply& reply);
  Result<bool> RemoveEntries(const ipc::CacheRequest::Match& match);
  // Bodies are inline. All entries or none.
  Result<std::optional<CacheRefusal>> Put(std::uint64_t cache, const std::vector<ipc::CacheEntry>& entries);
  Result<std::string> ReadBody(std::uint64_t body, std::uint64_t offset, std::uint32_t limit);
  // Really deletes what was removed while it might still be read.
  Result<> Purge();

 private:
  struct Entry {
    std::uint64_t id = 0;
    ipc::HttpRequest request;
    ipc::HttpResponse response;
    std::optional<std::uint64_t> body_size;
    std::optional<std::string> body;  // when it was read along
  };
  explicit CacheOrigin(std::unique_ptr<store::Database> db) : db_(std::move(db)) {}
  Result<std::vector<Entry>> Find(std::uint64_t cache, const ipc::CacheRequest::Match& match,
                                  std::size_t limit);
  Result<> AddResponse(Entry entry, std::uint64_t& budget, ipc::CacheReply& reply);
  Result<> Drop(const Entry& entry);
  Result<> Insert(std::uint64_t cache, const ipc::CacheEntry& entry);

  std::unique_ptr<store::Database> db_;
};

}  // namespace vigil::storage
