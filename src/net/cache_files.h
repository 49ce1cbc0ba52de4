// The files of the HTTP cache: names, layout, room. Blocks on the disk; one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "net/http_cache_store.h"

namespace vigil::net {

// A descriptor that closes itself.
class CacheFile {
 public:
  explicit CacheFile(int fd) : fd_(fd) {}
  ~CacheFile();
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// An open file of a stored response.
struct CachedBody {
  std::unique_ptr<CacheFile> file;
  std::string name;
  std::uint64_t generation = 0;  // tells this file from an earlier one of the same name
  StoredHead head;
  std::size_t head_room = 0;
  std::uint64_t offset = 0;  // of the next piece, from the body's beginning
  std::uint64_t size = 0;
  std::uint32_t wanted_sum = 0, sum = 0;
  std::optional<std::string> whole;  // all of it, when it is small
};

// A response that is being written.
struct CacheDraft {
  std::unique_ptr<CacheFile> file;
  std::filesystem::path path;
  std::string name;
  std::size_t head_size = 0, head_room = 0;
  std::uint32_t head_sum = 0, body_sum = 0;
  std::uint64_t size = 0;
  bool failed = false;
};

class CacheFiles {
 public:
  static constexpr std::size_t kPieceBytes = 64 * 1024;

  CacheFiles(std::filesystem::path directory, std::uint64_t max_bytes);

  // Null: there is none, or what there is cannot be read (it is removed then).
  std::shared_ptr<CachedBody> Open(const HttpCacheKey& key);
  Result<std::string> Read(CachedBody& body);
  void Update(CachedBody& body, const HttpCacheKey& key, const StoredHead& head);

  std::shared_ptr<CacheDraft> Begin(const HttpCacheKey& key, const StoredHead& head);
  void Append(CacheDraft& draft, std::string_view data);
  void Commit(CacheDraft& draft);
  void Discard(CacheDraft& draft);

  void Remove(const HttpCacheKey& key);
  void Clear(const std::string& partition);

 private:
  struct Entry {
    std::uint64_t bytes = 0;
    std::uint64_t used = 0;  // a counter, not a time
    std::uint64_t generation = 0;
  };
  void Scan();
  void Forget(const std::string& name);
  void MakeRoom();
  void Touch(const std::string& name, Entry& entry);
  std::uint64_t max_entry_bytes() const { return max_bytes_ / 8; }

  const std::filesystem::path directory_;
  const std::uint64_t max_bytes_;
  bool scanned_ = false;
  std::uint64_t bytes_ = 0;
  std::uint64_t last_use_ = 0;
  std::uint64_t last_draft_ = 0;
  std::map<std::string, Entry> entries_;                  // by file name relative to the directory
  std::set<std::pair<std::uint64_t, std::string>> used_;  // (Entry::used, name), oldest first
};

}  // namespace vigil::net
