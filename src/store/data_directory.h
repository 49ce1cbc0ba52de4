// The directory that holds everything durable of one daemon: created with mode 0700, owned by one process at
// a time.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace vigil::store {

// Holds an exclusive lock on the directory for as long as it lives; the kernel gives the lock back when the
// process dies, however it dies. Movable, not copyable. Any thread, one at a time.
//
// Open fails with
//   kAlreadyExists     another process holds the lock (the message names its pid)
//   kPermissionDenied  the directory cannot be created or written
//   kIo                the file system failed (full disk, not a directory …)
class DataDirectory {
 public:
  static Result<DataDirectory> Open(const std::filesystem::path& path);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&& other) noexcept;
  ~DataDirectory();

  // Absolute.
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path File(std::string_view name) const { return path_ / name; }

 private:
  DataDirectory(std::filesystem::path path, int lock_fd);

  std::filesystem::path path_;
  int lock_fd_ = -1;
};

}  // namespace vigil::store
