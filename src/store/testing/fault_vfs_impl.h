// Private to the fault VFS: its files, their handles, and what is to fail.
#pragma once

#include <sqlite3.h>

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/testing/fault_vfs.h"
#include "store/testing/unsynced.h"

namespace vigil::store::testing {

struct Handle;

// A -shm file and its locks, in memory.
struct SharedMemory {
  struct Slot {
    int readers = 0;
    const Handle* writer = nullptr;
  };
  std::vector<std::unique_ptr<char[]>> regions;
  std::array<Slot, SQLITE_SHM_NLOCK> slots{};
};

// A file under its name. A power cut puts another node in its place, and those who hold this one have lost
// it.
struct Node {
  std::string name;
  MemoryMedium memory;  // in memory only
  Unsynced unsynced;
  bool durable = false;          // its name is in the directory on the medium
  bool syncs_directory = false;  // with its first sync: SQLite's unix VFS does so for journals
  bool dead = false;
  int opened = 0;
  int readers = 0;  // database locks
  const Handle* reserved = nullptr;
  const Handle* exclusive = nullptr;
  std::shared_ptr<SharedMemory> shared_memory;
};

// What SQLite calls the file.
struct HandleState {
  FaultVfs::Impl* vfs = nullptr;
  std::shared_ptr<Node> node;
  std::shared_ptr<SharedMemory> shared_memory;  // the node's, as of when this handle first used it
  std::unique_ptr<char[]> below;                // the real file's sqlite3_file; on disk only
  std::optional<DiskMedium> disk;
  int lock = SQLITE_LOCK_NONE;
  int shared_slots = 0;  // bit masks
  int exclusive_slots = 0;
  int last_errno = 0;
  bool delete_on_close = false;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(below.get()); }
  Medium& medium() { return disk ? static_cast<Medium&>(*disk) : node->memory; }
};

struct Handle {
  sqlite3_file base;
  HandleState* state;
};

class FaultVfs::Impl {
 public:
  explicit Impl(const Options& options);
  ~Impl();

  const sqlite3_io_methods* methods() const;  // fault_file.cc
  int Open(const char* name, sqlite3_file* file, int flags, int* out_flags);
  int Delete(const char* name, int sync_directory);
  int Access(const char* name, int flags, int* result);
  void Closed(HandleState& handle);
  void PowerCut();
  void SyncName(Node& node);
  std::shared_ptr<Node> Find(const std::string& name) const;

  // How a write ends: its code, and how many of its bytes are written nevertheless.
  struct Verdict {
    int code = SQLITE_OK;
    std::size_t take = 0;
    int error = 0;  // errno
  };
  Verdict JudgeWrite(const Node& node, std::size_t size);
  bool SyncFails(const Node& node);

  struct Faults {
    std::optional<Lasts> writes;
    std::optional<Lasts> syncs;
    std::optional<Lasts> full;
    std::uint64_t room = 0;
    double rate = 0;
    bool lies = false;
  };

  Options options;
  sqlite3_vfs vfs{};
  sqlite3_vfs* real;
  mutable std::mutex mutex;
  Lots lots;
  std::string aim;
  Faults faults;
  Counters counters;
  std::map<std::string, std::shared_ptr<Node>, std::less<>> nodes;    // as programs see them
  std::map<std::string, std::shared_ptr<Node>, std::less<>> deleted;  // still in the medium's directory

 private:
  bool Hits(std::optional<Lasts>& fault);
};

}  // namespace vigil::store::testing
