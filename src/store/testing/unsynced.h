// Private to the fault VFS: what was written to a file and not synced yet, sector by sector, over a medium
// that holds what a power cut leaves.
//
// A sector (512 bytes) is written whole or not at all. Sizes behave as on a file system that keeps its
// metadata in order: a cut of the file reaches the medium before anything that was written after it.
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace vigil::store::testing {

// Small and seeded (splitmix64): the same seed draws the same lots.
class Lots {
 public:
  explicit Lots(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Next();
  // true with this probability.
  bool Draw(double probability);
  // 0 … bound - 1; bound > 0.
  std::uint64_t Below(std::uint64_t bound) { return Next() % bound; }

 private:
  std::uint64_t state_;
};

// What survives. Results are SQLite's codes.
class Medium {
 public:
  virtual ~Medium() = default;
  // Bytes beyond the end read as zeros.
  virtual int Read(std::span<char> to, std::int64_t at) = 0;
  virtual int Write(std::string_view bytes, std::int64_t at) = 0;
  virtual int Truncate(std::int64_t size) = 0;
  virtual int Size(std::int64_t* size) = 0;
  virtual int Sync(int flags) = 0;
};

class MemoryMedium final : public Medium {
 public:
  MemoryMedium() = default;
  explicit MemoryMedium(std::string content) : content_(std::move(content)) {}
  int Read(std::span<char> to, std::int64_t at) override;
  int Write(std::string_view bytes, std::int64_t at) override;
  int Truncate(std::int64_t size) override;
  int Size(std::int64_t* size) override;
  int Sync(int) override { return SQLITE_OK; }
  const std::string& content() const { return content_; }

 private:
  std::string content_;
};

// A file of the VFS below.
class DiskMedium final : public Medium {
 public:
  explicit DiskMedium(sqlite3_file* file) : file_(file) {}
  int Read(std::span<char> to, std::int64_t at) override;
  int Write(std::string_view bytes, std::int64_t at) override;
  int Truncate(std::int64_t size) override;
  int Size(std::int64_t* size) override;
  int Sync(int flags) override;

 private:
  sqlite3_file* file_;
};

class Unsynced {
 public:
  // As sqlite3_io_methods::xRead: SQLITE_IOERR_SHORT_READ, and zeros, beyond the end.
  int Read(Medium& medium, std::span<char> to, std::int64_t at);
  // Each sector reaches the medium at once with probability `through`.
  int Write(Medium& medium, std::string_view bytes, std::int64_t at, double through, Lots& lots);
  int Truncate(Medium& medium, std::int64_t size, double through, Lots& lots);
  int Size(Medium& medium, std::int64_t* size);
  int Sync(Medium& medium, int flags);
  // A sync that failed, as on Linux: some of it arrived; the rest is still read, but no later sync writes it.
  int FailSync(Medium& medium, Lots& lots);
  // The power is cut: each sector made it in time with probability `through`; the others are forgotten.
  // Returns how many.
  std::uint64_t Cut(Medium& medium, double through, Lots& lots);

 private:
  static constexpr std::int64_t kSectorSize = 512;
  struct Sector {
    std::array<char, kSectorSize> bytes{};
    bool doomed = false;  // by a failed sync
  };
  int ViewSize(Medium& medium, std::int64_t* size);
  int ReadMedium(Medium& medium, std::span<char> to, std::int64_t at);
  int Flush(Medium& medium, std::int64_t number, const Sector& sector);
  int FlushCut(Medium& medium);

  std::map<std::int64_t, Sector> sectors_;  // by number
  std::optional<std::int64_t> size_;        // as read; absent: the medium's
  std::optional<std::int64_t> cut_;         // the medium is to be cut to this
};

}  // namespace vigil::store::testing
