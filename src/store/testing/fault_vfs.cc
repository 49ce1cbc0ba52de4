#include "store/testing/fault_vfs.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "store/testing/fault_vfs_impl.h"

namespace vigil::store::testing {
namespace {

FaultVfs::Impl* ImplOf(sqlite3_vfs* vfs) { return static_cast<FaultVfs::Impl*>(vfs->pAppData); }
sqlite3_vfs* Real(sqlite3_vfs* vfs) { return ImplOf(vfs)->real; }

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  return ImplOf(vfs)->Open(name, file, flags, out_flags);
}
int Delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  return ImplOf(vfs)->Delete(name, sync_directory);
}
int Access(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  return ImplOf(vfs)->Access(name, flags, result);
}
int FullPathname(sqlite3_vfs* vfs, const char* name, int size, char* out) {
  if (ImplOf(vfs)->options.files == FaultVfs::Files::kOnDisk)
    return Real(vfs)->xFullPathname(Real(vfs), name, size, out);
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}
int Randomness(sqlite3_vfs* vfs, int size, char* out) { return Real(vfs)->xRandomness(Real(vfs), size, out); }
int Sleep(sqlite3_vfs* vfs, int microseconds) { return Real(vfs)->xSleep(Real(vfs), microseconds); }
int CurrentTime(sqlite3_vfs* vfs, double* time) { return Real(vfs)->xCurrentTime(Real(vfs), time); }
int CurrentTimeInt64(sqlite3_vfs* vfs, sqlite3_int64* time) {
  return Real(vfs)->xCurrentTimeInt64(Real(vfs), time);
}
int GetLastError(sqlite3_vfs* vfs, int size, char* out) {
  return Real(vfs)->xGetLastError(Real(vfs), size, out);
}

}  // namespace

FaultVfs::Impl::Impl(const Options& given)
    : options(given), real(sqlite3_vfs_find(nullptr)), lots(given.seed) {
  vfs.iVersion = 2;
  vfs.szOsFile = std::max(static_cast<int>(sizeof(Handle)), real->szOsFile);
  vfs.mxPathname = real->mxPathname;
  vfs.zName = options.name.c_str();
  vfs.pAppData = this;
  vfs.xOpen = testing::Open;
  vfs.xDelete = testing::Delete;
  vfs.xAccess = testing::Access;
  vfs.xFullPathname = FullPathname;
  vfs.xRandomness = Randomness;
  vfs.xSleep = Sleep;
  vfs.xCurrentTime = CurrentTime;
  vfs.xCurrentTimeInt64 = CurrentTimeInt64;
  vfs.xGetLastError = GetLastError;
  if (sqlite3_vfs_register(&vfs, options.make_default ? 1 : 0) != SQLITE_OK) std::abort();
}

FaultVfs::Impl::~Impl() { sqlite3_vfs_unregister(&vfs); }

int FaultVfs::Impl::Open(const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const bool on_disk = options.files == Files::kOnDisk;
  // Files that no restart looks for need no tricks.
  constexpr int kKept = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
  if (on_disk && (name == nullptr || (flags & kKept) == 0))
    return real->xOpen(real, name, file, flags, out_flags);

  const std::lock_guard guard(mutex);
  file->pMethods = nullptr;
  auto state = std::make_unique<HandleState>();
  state->vfs = this;
  state->delete_on_close = !on_disk && (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  if (on_disk) {
    state->below = std::make_unique<char[]>(static_cast<std::size_t>(real->szOsFile));
    const int code = real->xOpen(real, name, state->real(), flags, out_flags);
    if (code != SQLITE_OK) {
      if (state->real()->pMethods != nullptr) state->real()->pMethods->xClose(state->real());
      return code;
    }
    state->disk.emplace(state->real());
  } else if (out_flags != nullptr) {
    *out_flags = flags;
  }
  state->node = name == nullptr ? nullptr : Find(name);
  if (state->node == nullptr) {
    if (!on_disk && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    state->node = std::make_shared<Node>();
    state->node->syncs_directory = (flags & SQLITE_OPEN_MAIN_DB) == 0;
    if (name != nullptr) {
      state->node->name = name;
      nodes[name] = state->node;
      deleted.erase(name);
    }
  }
  ++state->node->opened;
  auto* handle = new (file) Handle{};
  handle->state = state.release();
  handle->base.pMethods = methods();
  return SQLITE_OK;
}

void FaultVfs::Impl::Closed(HandleState& handle) {
  Node& node = *handle.node;
  --node.opened;
  if (!handle.disk || node.opened > 0) return;
  nodes.erase(node.name);
}

int FaultVfs::Impl::Delete(const char* name, int sync_directory) {
  if (options.files == Files::kOnDisk) return real->xDelete(real, name, sync_directory);
  const std::lock_guard guard(mutex);
  const auto found = nodes.find(name);
  if (found == nodes.end()) return SQLITE_IOERR_DELETE_NOENT;
  if (found->second->durable && sync_directory == 0 && !lots.Draw(options.write_through)) {
    deleted[found->first] = found->second;
  }
  nodes.erase(found);
  return SQLITE_OK;
}

int FaultVfs::Impl::Access(const char* name, int flags, int* result) {
  if (options.files == Files::kOnDisk) return real->xAccess(real, name, flags, result);
  const std::lock_guard guard(mutex);
  const auto node = Find(name);
  std::int64_t size = 0;
  // As SQLite's own: an empty file counts as absent.
  if (node != nullptr) node->unsynced.Size(node->memory, &size);
  *result = node != nullptr && (flags != SQLITE_ACCESS_EXISTS || size > 0) ? 1 : 0;
  return SQLITE_OK;
}

void FaultVfs::Impl::SyncName(Node& node) {
  if (node.durable) return;
  node.durable = true;
  if (!node.syncs_directory) return;
  const auto directory = [](const std::string& name) { return name.substr(0, name.rfind('/') + 1); };
  const std::string here = directory(node.name);
  std::erase_if(deleted, [&](const auto& entry) { return directory(entry.first) == here; });
  for (auto& [name, other] : nodes) other->durable = other->durable || directory(name) == here;
}

std::shared_ptr<Node> FaultVfs::Impl::Find(const std::string& name) const {
  const auto found = nodes.find(name);
  return found == nodes.end() ? nullptr : found->second;
}

void FaultVfs::Impl::PowerCut() {
  ++counters.power_cuts;
  const double through = options.write_through;
  auto before = std::exchange(nodes, {});
  for (auto& [name, node] : deleted) {
    if (!before.contains(name) && !lots.Draw(through)) before.emplace(name, node);
  }
  deleted.clear();
  for (auto& [name, node] : before) {
    node->dead = true;
    counters.lost_sectors += node->unsynced.Cut(node->memory, through, lots);
    if (!node->durable && !lots.Draw(through)) continue;
    auto& survivor = nodes[name] = std::make_shared<Node>();
    survivor->name = name;
    survivor->memory = MemoryMedium(node->memory.content());
    survivor->durable = true;
  }
}

bool FaultVfs::Impl::Hits(std::optional<Lasts>& fault) {
  if (!fault) return false;
  if (*fault == Lasts::kOnce) fault.reset();
  return true;
}

FaultVfs::Impl::Verdict FaultVfs::Impl::JudgeWrite(const Node& node, std::size_t size) {
  ++counters.writes;
  if (!aim.empty() && node.name.find(aim) == std::string::npos) return {SQLITE_OK, size};
  if (faults.full) {
    if (size > faults.room) {
      const Verdict verdict{SQLITE_FULL, static_cast<std::size_t>(std::exchange(faults.room, 0)), ENOSPC};
      Hits(faults.full);
      ++counters.faults;
      return verdict;
    }
    faults.room -= size;
  }
  if (Hits(faults.writes) || lots.Draw(faults.rate)) {
    ++counters.faults;
    return {SQLITE_IOERR_WRITE, static_cast<std::size_t>(lots.Below(size + 1)), EIO};
  }
  return {SQLITE_OK, size};
}

bool FaultVfs::Impl::SyncFails(const Node& node) {
  ++counters.syncs;
  if (!aim.empty() && node.name.find(aim) == std::string::npos) return false;
  if (!Hits(faults.syncs) && !lots.Draw(faults.rate)) return false;
  ++counters.faults;
  return true;
}

FaultVfs::FaultVfs(const Options& options) : impl_(std::make_unique<Impl>(options)) {}
FaultVfs::~FaultVfs() = default;

const std::string& FaultVfs::name() const { return impl_->options.name; }

void FaultVfs::PowerCut() {
  const std::lock_guard guard(impl_->mutex);
  if (impl_->options.files == Files::kOnDisk) std::abort();  // kill -9 is the cut
  impl_->PowerCut();
}

void FaultVfs::Aim(std::string name_part) {
  const std::lock_guard guard(impl_->mutex);
  impl_->aim = std::move(name_part);
}

void FaultVfs::FailWrites(Lasts lasts) {
  const std::lock_guard guard(impl_->mutex);
  impl_->faults.writes = lasts;
}

void FaultVfs::FailSyncs(Lasts lasts) {
  const std::lock_guard guard(impl_->mutex);
  impl_->faults.syncs = lasts;
}

void FaultVfs::FillAfter(std::uint64_t bytes, Lasts lasts) {
  const std::lock_guard guard(impl_->mutex);
  impl_->faults.full = lasts;
  impl_->faults.room = bytes;
}

void FaultVfs::FailAtRandom(double rate) {
  const std::lock_guard guard(impl_->mutex);
  impl_->faults.rate = rate;
}

void FaultVfs::Lie() {
  const std::lock_guard guard(impl_->mutex);
  impl_->faults.lies = true;
}

void FaultVfs::Heal() {
  const std::lock_guard guard(impl_->mutex);
  impl_->faults = {};
}

FaultVfs::Counters FaultVfs::counters() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->counters;
}

std::vector<std::string> FaultVfs::List() const {
  const std::lock_guard guard(impl_->mutex);
  std::vector<std::string> names;
  for (const auto& [name, node] : impl_->nodes) names.push_back(name);
  return names;
}

bool FaultVfs::Exists(const std::string& name) const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->Find(name) != nullptr;
}

std::string FaultVfs::Content(const std::string& name) const {
  const std::lock_guard guard(impl_->mutex);
  const auto node = impl_->Find(name);
  std::int64_t size = 0;
  if (node == nullptr || node->unsynced.Size(node->memory, &size) != SQLITE_OK) return {};
  std::string content(static_cast<std::size_t>(size), '\0');
  node->unsynced.Read(node->memory, content, 0);
  return content;
}

void FaultVfs::SetContent(const std::string& name, std::string content) {
  const std::lock_guard guard(impl_->mutex);
  auto& node = impl_->nodes[name] = std::make_shared<Node>();
  node->name = name;
  node->memory = MemoryMedium(std::move(content));
  node->durable = true;
}

void FaultVfs::Remove(const std::string& name) {
  const std::lock_guard guard(impl_->mutex);
  impl_->nodes.erase(name);
  impl_->deleted.erase(name);
}

}  // namespace vigil::store::testing
