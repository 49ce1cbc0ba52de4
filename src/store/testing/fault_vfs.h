// A SQLite VFS for tests that behaves like a bad disk: it forgets what was not synced when the power is cut,
// and fails when it is told to.
//
// In memory, files outlive the databases that have them open, so that a "restart" inside one process finds
// them again; Database opens them by OpenOptions::vfs. On disk, the files are real, but what was written and
// not synced is kept in this process's memory: `kill -9` is then a power cut. Either way each written sector
// (512 bytes) reaches the medium at once with a seeded probability, in any order, as a kernel may do it.
//
// On disk, closing a file writes everything, without a sync. Creating, renaming and deleting a file are at
// once durable there; in memory, a new file is durable after its first sync, and a deletion after the
// directory's.
//
// Threads: any; one lock guards everything. Lifetime: registered from construction to destruction; close all
// databases before it goes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vigil::store::testing {

class FaultVfs {
 public:
  enum class Files { kInMemory, kOnDisk };
  enum class Lasts { kOnce, kUntilHealed };

  struct Options {
    std::string name = "vigil-fault";
    Files files = Files::kInMemory;
    std::uint64_t seed = 1;
    // Probability that a written sector reaches the medium without a sync.
    double write_through = 0.25;
    // Whether databases that name no VFS use it.
    bool make_default = false;
  };

  struct Counters {
    std::uint64_t writes = 0;
    std::uint64_t syncs = 0;
    std::uint64_t faults = 0;  // writes, cuts of files and syncs that failed
    std::uint64_t power_cuts = 0;
    std::uint64_t lost_sectors = 0;  // by power cuts
  };

  explicit FaultVfs(const Options& options);
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // For OpenOptions::vfs.
  const std::string& name() const;

  // In memory only. What was not synced is forgotten but for a random part of it, and everything that is open
  // fails from now on. Close it, then open it again.
  void PowerCut();

  // Only files whose name contains this fail, from now on; empty: all.
  void Aim(std::string name_part);
  // SQLITE_IOERR_WRITE; a random part of the bytes is written nevertheless.
  void FailWrites(Lasts lasts);
  // SQLITE_IOERR_FSYNC; a random part arrives, and the rest is never written, as on Linux.
  void FailSyncs(Lasts lasts);
  // SQLITE_FULL once so many more bytes were written. Once: the first write beyond them frees the disk again.
  void FillAfter(std::uint64_t bytes, Lasts lasts);
  // Besides: each write and each sync fails with this probability.
  void FailAtRandom(double rate);
  // Syncs succeed and do nothing, as on a disk that lies: to see that a test notices.
  void Lie();
  // No faults any more.
  void Heal();

  Counters counters() const;

  // Files in memory, as programs see them, by full name.
  std::vector<std::string> List() const;
  bool Exists(const std::string& name) const;
  std::string Content(const std::string& name) const;
  // Makes or replaces a file, durably. Nobody may have it open.
  void SetContent(const std::string& name, std::string content);
  void Remove(const std::string& name);

  // Private to the implementation.
  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace vigil::store::testing
