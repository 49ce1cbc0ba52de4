#include "storage/origin_directories.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <system_error>

namespace vigil::storage {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMaxFileName = 160;

__extension__ using Uint128 = unsigned __int128;

// FNV-1a over 128 bits: tells long names apart; whoever opens the file still compares the full name inside.
std::string Hash(std::string_view bytes) {
  Uint128 hash = (static_cast<Uint128>(0x6c62272e07bb0142u) << 64) | 0x62b821756295c58du;
  constexpr Uint128 kPrime = (static_cast<Uint128>(0x0000000001000000u) << 64) | 0x13bu;
  for (char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= kPrime;
  }
  return fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(hash >> 64),
                     static_cast<std::uint64_t>(hash));
}

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

std::uint64_t SizeOf(const fs::path& directory) {
  std::uint64_t total = 0;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (!it->is_regular_file(ignored)) continue;
    if (it->path().extension().string().ends_with("-shm")) continue;  // shared memory of SQLite, not data
    const std::uintmax_t size = it->file_size(ignored);
    if (!ignored) total += size;
  }
  return total;
}

}  // namespace

std::string EscapeFileName(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (IsPlain(name[i]) && !(name[i] == '.' && i == 0)) {
      out.push_back(name[i]);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(name[i]));
    }
  }
  if (out.empty()) return "%";
  if (out.size() > kMaxFileName) out = out.substr(0, kMaxFileName - 40) + "~" + Hash(name);
  return out;
}

OriginDirectories::OriginDirectories(fs::path root, std::uint64_t quota_bytes)
    : root_(std::move(root)), quota_(quota_bytes) {}

fs::path OriginDirectories::PathOf(const std::string& origin) const { return root_ / EscapeFileName(origin); }

Result<fs::path> OriginDirectories::Open(const std::string& origin) {
  fs::path path = PathOf(origin);
  std::error_code error;
  fs::create_directories(path / "idb", error);
  if (error) {
    return Fail(ErrorCode::kIo,
                fmt::format("cannot make the directory {}: {}. Check its permissions and free space",
                            path.string(), error.message()));
  }
  // The data directory above is private already; this keeps a copy of it private too.
  (void)::chmod(path.c_str(), 0700);
  return path;
}

Usage OriginDirectories::Measure(const std::string& origin) const {
  const fs::path path = PathOf(origin);
  return Usage{.indexed_db = SizeOf(path / "idb"), .caches = SizeOf(path)};
}

bool OriginDirectories::Reserve(const std::string& origin, std::uint64_t bytes) {
  constexpr std::uint64_t kMegabyte = 1 << 20;
  auto [it, fresh] = known_.try_emplace(origin);
  Known& known = it->second;
  const bool full = known.measured + known.written_since + bytes > quota_;
  // Measuring looks at every file: only when a decision hangs on it.
  if (fresh || (full && known.written_since > std::min(kMegabyte, quota_ / 64))) {
    known = Known{.measured = Measure(origin).total()};
  }
  if (known.measured + known.written_since + bytes > quota_) return false;
  known.written_since += bytes;
  return true;
}

Result<> OriginDirectories::Remove(const std::string& origin) {
  known_.erase(origin);
  std::error_code error;
  fs::remove_all(PathOf(origin), error);
  if (error) {
    return Fail(ErrorCode::kIo, fmt::format("cannot delete {}: {}. Delete it by hand",
                                            PathOf(origin).string(), error.message()));
  }
  return {};
}

}  // namespace vigil::storage
