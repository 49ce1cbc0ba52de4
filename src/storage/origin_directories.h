// Where each origin's stored data lives, and how much of it there may be.
//
// root/<escaped origin>/idb/<escaped database name>.sqlite, root/<escaped origin>/caches.sqlite
//
// Storage thread only. Owned by the host; must outlive the services that use it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

namespace vigil::storage {

// What a script is told when its storage cannot be used; the daemon's log has the file and the reason.
inline constexpr const char* kStorageFailed = "The storage cannot be used: the disk is full or failing.";

// Bytes on disk.
struct Usage {
  std::uint64_t indexed_db = 0;
  std::uint64_t caches = 0;
  std::uint64_t total() const { return indexed_db + caches; }
};

// Turns any byte string into a file name: letters, digits, '-' and '.' (not first) stay, the rest becomes
// %XX. What would be too long is cut and ends in '~' and a hash of the whole.
std::string EscapeFileName(std::string_view name);

class OriginDirectories {
 public:
  // quota_bytes: per origin, for everything its scripts store.
  OriginDirectories(std::filesystem::path root, std::uint64_t quota_bytes);

  std::uint64_t quota() const { return quota_; }
  // The directory of an origin, made (0700) if it is missing. Errors: kIo.
  Result<std::filesystem::path> Open(const std::string& origin);
  // The same without making it.
  std::filesystem::path PathOf(const std::string& origin) const;
  // Looks at the files. An origin without any has no usage.
  Usage Measure(const std::string& origin) const;

  // True if the origin may store `bytes` more. Counts them as stored until the next measurement, which is
  // made when enough has been written since the last one to matter.
  bool Reserve(const std::string& origin, std::uint64_t bytes);
  // Something was deleted: measure before the next refusal.
  void Forget(const std::string& origin) { known_.erase(origin); }
  // Deletes the origin's directory. Whoever has files open there closes them first. Errors: kIo.
  Result<> Remove(const std::string& origin);

 private:
  struct Known {
    std::uint64_t measured = 0;
    std::uint64_t written_since = 0;
  };
  const std::filesystem::path root_;
  const std::uint64_t quota_;
  std::unordered_map<std::string, Known> known_;
};

}  // namespace vigil::storage
