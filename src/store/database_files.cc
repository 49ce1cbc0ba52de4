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
constexpr std::string_view kDamaged = ".damaged-";
constexpr std::string_view kLostLog = ".lost-log-";
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

Result<> FlushDirectoryOf(const std::filesystem::path& path) {
  const File directory(path.parent_path(), O_RDONLY | O_DIRECTORY);
  if (directory.fd() < 0 || ::fsync(directory.fd()) != 0)
    return Fail(FileFailure(errno, "write in", path.parent_path()));
  return {};
}

// NAME + suffix + the first number that is free.
std::filesystem::path FreeName(const std::filesystem::path& path, std::string_view suffix) {
  std::error_code ignored;
  for (int n = 1;; ++n) {
    std::filesystem::path candidate = With(path, fmt::format("{}{}", suffix, n));
    if (!std::filesystem::exists(candidate, ignored)) return candidate;
  }
}

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
  if (HasLog(path)) return std::string();
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
  const std::filesystem::path target = FreeName(path, kDamaged);
  std::filesystem::rename(path, target, error);
  if (error) return Fail(FileFailure(error.value(), "set aside the damaged file", path));
  // Without its log the file would be older than it was.
  std::filesystem::rename(With(path, "-wal"), With(target, "-wal"), error);
  std::filesystem::remove(With(path, "-shm"), error);
  ClearOpenMarker(path);
  ClearSuspect(path);
  return target;
}

std::vector<std::filesystem::path> ListSetAside(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (int n = 1;; ++n) {
    std::filesystem::path candidate = With(path, fmt::format("{}{}", kDamaged, n));
    if (!std::filesystem::exists(candidate, error)) return found;
    found.push_back(std::move(candidate));
  }
}

std::vector<std::filesystem::path> ListTraces(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool trace = name.find(kDamaged) != std::string::npos || name.find(kLostLog) != std::string::npos;
    if (trace && !name.ends_with("-wal")) found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<> SetOpenMarker(const std::filesystem::path& path, const std::string& session) {
  const std::filesystem::path provisional = With(path, "-open.new");
  std::ofstream(provisional, std::ios::binary | std::ios::trunc) << session;
  return Publish(provisional, With(path, "-open"));
}

std::string ReadOpenMarker(const std::filesystem::path& path) {
  std::string session;
  std::getline(std::ifstream(With(path, "-open"), std::ios::binary) >> std::ws, session);
  return session;
}

void ClearOpenMarker(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::remove(With(path, "-open"), ignored)) (void)FlushDirectoryOf(path);
}

bool HasLog(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(With(path, "-wal"), error);
  return !error && size > 0;
}

Result<std::filesystem::path> NoteLostLog(const std::filesystem::path& path) {
  std::filesystem::path note = FreeName(path, kLostLog);
  if (::rename(With(path, "-open").c_str(), note.c_str()) != 0)
    return Fail(FileFailure(errno, "create", note));
  return note;
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
  return FlushDirectoryOf(to);
}

Result<> RemoveFiles(const std::filesystem::path& path) {
  for (const std::string_view suffix : {"", "-wal", "-shm", "-journal", "-open"}) {
    std::error_code error;
    std::filesystem::remove(With(path, suffix), error);
    if (error) return Fail(FileFailure(error.value(), "remove", With(path, suffix)));
  }
  return {};
}

}  // namespace vigil::store
