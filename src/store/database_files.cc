#include "store/database_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <string_view>
#include <system_error>

namespace vigil::store {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);
constexpr std::size_t kHeaderSize = 100;
constexpr std::uintmax_t kEnoughBytes = 256 * 1024;

std::filesystem::path With(const std::filesystem::path& path, std::string_view suffix) {
  return path.string() + std::string(suffix);
}

std::uint32_t BigEndian(const unsigned char* at, int bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | at[i];
  return value;
}

class File {
 public:
  File(const std::filesystem::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Error FileFailure(int error, const std::string& doing, const std::filesystem::path& path) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return {ErrorCode::kIo,
            fmt::format("cannot {} {}: the disk is full; nothing was changed; free some space and try again",
                        doing, path.string())};
  }
  if (error == EACCES || error == EPERM || error == EROFS) {
    return {ErrorCode::kPermissionDenied,
            fmt::format("cannot {} {}: {}; give this user write access to the file and its directory", doing,
                        path.string(), std::strerror(error))};
  }
  return {ErrorCode::kIo, fmt::format("cannot {} {}: {}; check the disk and try again", doing, path.string(),
                                      std::strerror(error))};
}

Result<std::string> LookAtFile(const std::filesystem::path& path) {
  const File file(path, O_RDONLY);
  if (file.fd() < 0) return Fail(FileFailure(errno, "open", path));
  std::array<unsigned char, kHeaderSize> header{};
  const ssize_t got = ::pread(file.fd(), header.data(), header.size(), 0);
  if (got < 0) return Fail(FileFailure(errno, "read", path));
  if (got == 0) return std::string("it is empty");
  if (static_cast<std::size_t>(got) < kHeaderSize) return std::string("its beginning is cut off");
  if (std::memcmp(header.data(), kMagic.data(), kMagic.size()) != 0)
    return std::string("it is not a database");

  // With a log beside it, the last pages may still be there instead of here.
  std::error_code error;
  const auto log_size = std::filesystem::file_size(With(path, "-wal"), error);
  if (!error && log_size > 0) return std::string();
  const std::uint32_t raw_page_size = BigEndian(&header[16], 2);
  const std::uint64_t page_size = raw_page_size == 1 ? 65536 : raw_page_size;
  const bool count_is_valid = std::memcmp(&header[24], &header[92], 4) == 0;
  const std::uint64_t expected = page_size * BigEndian(&header[28], 4);
  const off_t size = ::lseek(file.fd(), 0, SEEK_END);
  if (count_is_valid && size >= 0 && static_cast<std::uint64_t>(size) < expected) {
    return fmt::format("its end is cut off ({} of {} bytes are left)", size, expected);
  }
  return std::string();
}

void MarkSuspect(const std::filesystem::path& path) { std::ofstream(With(path, "-suspect")).flush(); }

void ClearSuspect(const std::filesystem::path& path) {
  std::error_code ignored;
  std::filesystem::remove(With(path, "-suspect"), ignored);
}

bool IsSuspect(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(With(path, "-suspect"), ignored);
}

Result<std::filesystem::path> PutAside(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path target;
  for (int n = 1;; ++n) {
    target = With(path, fmt::format(".damaged-{}", n));
    if (!std::filesystem::exists(target, error)) break;
  }
  std::filesystem::rename(path, target, error);
  if (error) return Fail(FileFailure(error.value(), "set aside the damaged file", path));
  // Without its log the file would be older than it was.
  std::filesystem::rename(With(path, "-wal"), With(target, "-wal"), error);
  std::filesystem::remove(With(path, "-shm"), error);
  ClearSuspect(path);
  return target;
}

std::vector<std::filesystem::path> ListSetAside(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (int n = 1;; ++n) {
    std::filesystem::path candidate = With(path, fmt::format(".damaged-{}", n));
    if (!std::filesystem::exists(candidate, error)) return found;
    found.push_back(std::move(candidate));
  }
}

bool HasFreeSpace(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(path, error);
  return !error && space.available >= kEnoughBytes;
}

Result<> Publish(const std::filesystem::path& from, const std::filesystem::path& to) {
  {
    const File file(from, O_RDONLY);
    if (file.fd() < 0 || ::fsync(file.fd()) != 0) return Fail(FileFailure(errno, "write", from));
  }
  if (::rename(from.c_str(), to.c_str()) != 0) return Fail(FileFailure(errno, "create", to));
  const File directory(to.parent_path(), O_RDONLY | O_DIRECTORY);
  if (directory.fd() < 0 || ::fsync(directory.fd()) != 0)
    return Fail(FileFailure(errno, "write in", to.parent_path()));
  return {};
}

Result<> RemoveFiles(const std::filesystem::path& path) {
  for (const std::string_view suffix : {"", "-wal", "-shm", "-journal"}) {
    std::error_code error;
    std::filesystem::remove(With(path, suffix), error);
    if (error) return Fail(FileFailure(error.value(), "remove", With(path, suffix)));
  }
  return {};
}

}  // namespace vigil::store
