// The methods of an open file of the fault VFS.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "store/testing/fault_vfs_impl.h"

namespace vigil::store::testing {
namespace {

HandleState& StateOf(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file)->state; }
const Handle* Self(sqlite3_file* file) { return reinterpret_cast<Handle*>(file); }

void ReleaseShared(HandleState& state, const Handle* self) {
  if (state.shared_memory == nullptr) return;
  for (int i = 0; i < SQLITE_SHM_NLOCK; ++i) {
    auto& slot = state.shared_memory->slots[static_cast<std::size_t>(i)];
    if ((state.shared_slots & (1 << i)) != 0) --slot.readers;
    if (slot.writer == self) slot.writer = nullptr;
  }
  state.shared_slots = state.exclusive_slots = 0;
}

void LowerLock(HandleState& state, const Handle* self, int level) {
  Node& node = *state.node;
  if (level < SQLITE_LOCK_RESERVED && node.reserved == self) node.reserved = nullptr;
  if (level < SQLITE_LOCK_PENDING && node.exclusive == self) node.exclusive = nullptr;
  if (level < SQLITE_LOCK_SHARED && state.lock >= SQLITE_LOCK_SHARED) --node.readers;
  state.lock = std::min(state.lock, level);
}

int Close(sqlite3_file* file) {
  HandleState* state = &StateOf(file);
  FaultVfs::Impl& vfs = *state->vfs;
  const std::lock_guard guard(vfs.mutex);
  int code = SQLITE_OK;
  if (state->disk) {
    Node& node = *state->node;
    if (node.opened == 1) node.unsynced.Cut(*state->disk, 1.0, vfs.lots);  // all of it makes it
    code = state->real()->pMethods->xClose(state->real());
  } else {
    ReleaseShared(*state, Self(file));
    LowerLock(*state, Self(file), SQLITE_LOCK_NONE);
    if (state->delete_on_close) vfs.nodes.erase(state->node->name);
  }
  vfs.Closed(*state);
  delete state;
  file->pMethods = nullptr;
  return code;
}

int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  HandleState& state = StateOf(file);
  const std::lock_guard guard(state.vfs->mutex);
  if (state.node->dead) return SQLITE_IOERR_READ;
  return state.node->unsynced.Read(state.medium(), {static_cast<char*>(to), static_cast<std::size_t>(size)},
                                   at);
}

int Write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  HandleState& state = StateOf(file);
  FaultVfs::Impl& vfs = *state.vfs;
  const std::lock_guard guard(vfs.mutex);
  if (state.node->dead) return SQLITE_IOERR_WRITE;
  const auto verdict = vfs.JudgeWrite(*state.node, static_cast<std::size_t>(size));
  if (verdict.take > 0) {
    const int code =
        state.node->unsynced.Write(state.medium(), {static_cast<const char*>(from), verdict.take}, at,
                                   vfs.options.write_through, vfs.lots);
    if (code != SQLITE_OK) return code;
  }
  if (verdict.code != SQLITE_OK) state.last_errno = verdict.error;
  return verdict.code;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  HandleState& state = StateOf(file);
  FaultVfs::Impl& vfs = *state.vfs;
  const std::lock_guard guard(vfs.mutex);
  if (state.node->dead || vfs.JudgeWrite(*state.node, 0).code != SQLITE_OK) {
    state.last_errno = EIO;
    return SQLITE_IOERR_TRUNCATE;
  }
  return state.node->unsynced.Truncate(state.medium(), size, vfs.options.write_through, vfs.lots);
}

int Sync(sqlite3_file* file, int flags) {
  HandleState& state = StateOf(file);
  FaultVfs::Impl& vfs = *state.vfs;
  const std::lock_guard guard(vfs.mutex);
  if (state.node->dead) return SQLITE_IOERR_FSYNC;
  if (vfs.SyncFails(*state.node)) {
    state.node->unsynced.FailSync(state.medium(), vfs.lots);
    state.last_errno = EIO;
    return SQLITE_IOERR_FSYNC;
  }
  if (vfs.faults.lies) return SQLITE_OK;
  vfs.SyncName(*state.node);
  return state.node->unsynced.Sync(state.medium(), flags);
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  HandleState& state = StateOf(file);
  const std::lock_guard guard(state.vfs->mutex);
  if (state.node->dead) return SQLITE_IOERR_FSTAT;
  std::int64_t found = 0;
  const int code = state.node->unsynced.Size(state.medium(), &found);
  *size = found;
  return code;
}

int Lock(sqlite3_file* file, int level) {
  HandleState& state = StateOf(file);
  const std::lock_guard guard(state.vfs->mutex);
  if (state.disk) return state.real()->pMethods->xLock(state.real(), level);
  Node& node = *state.node;
  const Handle* self = Self(file);
  if (node.dead) return SQLITE_IOERR_LOCK;
  if (level <= state.lock) return SQLITE_OK;
  if (node.exclusive != nullptr && node.exclusive != self) return SQLITE_BUSY;
  if (state.lock == SQLITE_LOCK_NONE) {
    ++node.readers;
    state.lock = SQLITE_LOCK_SHARED;
  }
  if (level >= SQLITE_LOCK_RESERVED) {
    if (node.reserved != nullptr && node.reserved != self) return SQLITE_BUSY;
    node.reserved = self;
    state.lock = std::max(state.lock, SQLITE_LOCK_RESERVED);
  }
  if (level >= SQLITE_LOCK_PENDING) {
    node.exclusive = self;
    state.lock = std::max(state.lock, SQLITE_LOCK_PENDING);
    if (node.readers > 1) return SQLITE_BUSY;
    state.lock = level;
  }
  return SQLITE_OK;
}

int Unlock(sqlite3_file* file, int level) {
  HandleState& state = StateOf(file);
  const std::lock_guard guard(state.vfs->mutex);
  if (state.disk) return state.real()->pMethods->xUnlock(state.real(), level);
  LowerLock(state, Self(file), level);
  return SQLITE_OK;
}

int CheckReservedLock(sqlite3_file* file, int* result) {
  HandleState& state = StateOf(file);
  const std::lock_guard guard(state.vfs->mutex);
  if (state.disk) return state.real()->pMethods->xCheckReservedLock(state.real(), result);
  *result = state.node->reserved != nullptr ? 1 : 0;
  return SQLITE_OK;
}

int FileControl(sqlite3_file* file, int op, void* argument) {
  HandleState& state = StateOf(file);
  const std::lock_guard guard(state.vfs->mutex);
  switch (op) {
    case SQLITE_FCNTL_LAST_ERRNO:
      if (state.last_errno == 0 && state.disk) break;
      *static_cast<int*>(argument) = state.last_errno;
      return SQLITE_OK;
    case SQLITE_FCNTL_SIZE_HINT:
    case SQLITE_FCNTL_CHUNK_SIZE:
    case SQLITE_FCNTL_MMAP_SIZE:  // would pass by what is unsynced
      return SQLITE_NOTFOUND;
    default:
      break;
  }
  return state.disk ? state.real()->pMethods->xFileControl(state.real(), op, argument) : SQLITE_NOTFOUND;
}

int SectorSize(sqlite3_file*) { return 4096; }

int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  HandleState& state = StateOf(file);
  const std::lock_guard guard(state.vfs->mutex);
  if (state.disk) return state.real()->pMethods->xShmMap(state.real(), region, size, extend, memory);
  *memory = nullptr;
  if (state.node->dead) return SQLITE_IOERR_SHMMAP;
  if (state.shared_memory == nullptr) {
    if (state.node->shared_memory == nullptr) state.node->shared_memory = std::make_shared<SharedMemory>();
    state.shared_memory = state.node->shared_memory;
  }
  auto& regions = state.shared_memory->regions;
  const auto index = static_cast<std::size_t>(region);
  if (index >= regions.size() && extend == 0) return SQLITE_OK;
  while (index >= regions.size()) regions.push_back(std::make_unique<char[]>(static_cast<std::size_t>(size)));
  *memory = regions[index].get();
  return SQLITE_OK;
}

int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  HandleState& state = StateOf(file);
  const std::lock_guard guard(state.vfs->mutex);
  if (state.disk) return state.real()->pMethods->xShmLock(state.real(), offset, count, flags);
  if (state.node->dead || state.shared_memory == nullptr) return SQLITE_IOERR_SHMLOCK;
  const Handle* self = Self(file);
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  int& held = exclusive ? state.exclusive_slots : state.shared_slots;
  const auto slots = std::span(state.shared_memory->slots)
                         .subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(count));
  if ((flags & SQLITE_SHM_LOCK) != 0) {
    for (const auto& slot : slots) {
      const bool taken = slot.writer != nullptr && slot.writer != self;
      if (taken || (exclusive && slot.readers > 0)) return SQLITE_BUSY;
    }
  }
  for (int i = offset; i < offset + count; ++i) {
    auto& slot = state.shared_memory->slots[static_cast<std::size_t>(i)];
    const bool lock = (flags & SQLITE_SHM_LOCK) != 0;
    const bool has = (held & (1 << i)) != 0;
    if (lock == has) continue;
    if (exclusive) {
      slot.writer = lock ? self : nullptr;
    } else {
      slot.readers += lock ? 1 : -1;
    }
    held ^= 1 << i;
  }
  return SQLITE_OK;
}

void ShmBarrier(sqlite3_file* file) {
  HandleState& state = StateOf(file);
  const std::lock_guard guard(state.vfs->mutex);
  if (state.disk) state.real()->pMethods->xShmBarrier(state.real());
}

int ShmUnmap(sqlite3_file* file, int remove) {
  HandleState& state = StateOf(file);
  const std::lock_guard guard(state.vfs->mutex);
  if (state.disk) return state.real()->pMethods->xShmUnmap(state.real(), remove);
  ReleaseShared(state, Self(file));
  state.shared_memory.reset();
  if (remove != 0) state.node->shared_memory.reset();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = Close,
    .xRead = Read,
    .xWrite = Write,
    .xTruncate = Truncate,
    .xSync = Sync,
    .xFileSize = FileSize,
    .xLock = Lock,
    .xUnlock = Unlock,
    .xCheckReservedLock = CheckReservedLock,
    .xFileControl = FileControl,
    .xSectorSize = SectorSize,
    .xDeviceCharacteristics = DeviceCharacteristics,
    .xShmMap = ShmMap,
    .xShmLock = ShmLock,
    .xShmBarrier = ShmBarrier,
    .xShmUnmap = ShmUnmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

}  // namespace

const sqlite3_io_methods* FaultVfs::Impl::methods() const { return &kMethods; }

}  // namespace vigil::store::testing
