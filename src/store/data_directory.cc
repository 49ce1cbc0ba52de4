#include "store/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace vigil::store {
namespace {

constexpr const char* kLockName = "vigil.lock";

Error SystemFailure(int error, const std::string& doing, const std::filesystem::path& path) {
  if (error == EACCES || error == EPERM || error == EROFS) {
    return {
        ErrorCode::kPermissionDenied,
        fmt::format("cannot {} {}: {}; give this user write access, or choose another directory with --data",
                    doing, path.string(), std::strerror(error))};
  }
  if (error == ENOSPC || error == EDQUOT) {
    return {ErrorCode::kIo, fmt::format("cannot {} {}: the disk is full; free some space and start again",
                                        doing, path.string())};
  }
  return {ErrorCode::kIo, fmt::format("cannot {} {}: {}; choose another directory with --data", doing,
                                      path.string(), std::strerror(error))};
}

Result<> MakeDirectory(const std::filesystem::path& path) {
  std::error_code error;
  if (path.has_parent_path() && !std::filesystem::exists(path.parent_path(), error)) {
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) return Fail(SystemFailure(error.value(), "create", path.parent_path()));
  }
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  if (errno != EEXIST) return Fail(SystemFailure(errno, "create", path));
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Fail(SystemFailure(errno, "use", path));
  if (!S_ISDIR(info.st_mode)) return Fail(SystemFailure(ENOTDIR, "use", path));
  return {};
}

std::string ReadPid(int fd) {
  char text[32] = {};
  const ssize_t size = ::pread(fd, text, sizeof text - 1, 0);
  std::string pid(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  pid.erase(pid.find_last_not_of("\n ") + 1);
  return pid;
}

}  // namespace

Result<DataDirectory> DataDirectory::Open(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path, error).lexically_normal();
  if (error || path.empty())
    return Fail(ErrorCode::kInvalidArgument, "the data directory's name is empty; name one with --data");
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  VIGIL_TRY(MakeDirectory(absolute));

  const std::filesystem::path lock = absolute / kLockName;
  const int fd = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return Fail(SystemFailure(errno, "write in", absolute));
  DataDirectory directory(absolute, fd);

  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Fail(SystemFailure(errno, "lock", lock));
    const std::string pid = ReadPid(fd);
    return Fail(
        ErrorCode::kAlreadyExists,
        fmt::format("another vigil{} is running on {}; stop it, or choose another directory with --data",
                    pid.empty() ? "" : " (process " + pid + ")", absolute.string()));
  }
  // The number only serves the message above, but a disk that cannot take it cannot take the records either.
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return Fail(SystemFailure(errno, "write", lock));
  }
  return directory;
}

DataDirectory::DataDirectory(std::filesystem::path path, int lock_fd)
    : path_(std::move(path)), lock_fd_(lock_fd) {}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_fd_(std::exchange(other.lock_fd_, -1)) {}

DataDirectory& DataDirectory::operator=(DataDirectory&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_fd_, other.lock_fd_);
  return *this;
}

// The lock file stays: removing it would let two processes lock two files of the same name.
DataDirectory::~DataDirectory() {
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

}  // namespace vigil::store
