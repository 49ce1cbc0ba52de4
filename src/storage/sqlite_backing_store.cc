#include "storage/sqlite_backing_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <system_error>

#include "base/log.h"
#include "storage/sqlite_cursor.h"
#include "store/database.h"

namespace vigil::storage {
namespace fs = std::filesystem;
namespace {

using store::Database;
using store::Statement;

constexpr std::int32_t kApplicationId = 0x56474944;  // "VGID"
constexpr const char* kSchemaV1 = R"sql(
  CREATE TABLE database (id INTEGER PRIMARY KEY CHECK (id = 1), name BLOB NOT NULL, version INTEGER NOT NULL,
                         next_id INTEGER NOT NULL);
  CREATE TABLE stores (id INTEGER PRIMARY KEY, info BLOB NOT NULL, generator REAL NOT NULL);
  CREATE TABLE indexes (id INTEGER PRIMARY KEY, store INTEGER NOT NULL, info BLOB NOT NULL);
  CREATE TABLE records (store INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
                        PRIMARY KEY (store, key)) WITHOUT ROWID;
  CREATE TABLE entries (idx INTEGER NOT NULL, key BLOB NOT NULL, pkey BLOB NOT NULL,
                        PRIMARY KEY (idx, key, pkey)) WITHOUT ROWID;
  CREATE INDEX entries_by_primary ON entries (idx, pkey);
)sql";

// The façade's numbers are doubles; what it cannot read exactly it refuses to read at all.
bool NumbersAreReadable(const ipc::IdbDatabaseInfo& info) {
  constexpr std::uint64_t most = (std::uint64_t{1} << 53) - 1;
  if (info.version() > most || info.next_id() > most) return false;
  return std::all_of(info.stores().begin(), info.stores().end(), [](const ipc::IdbStoreInfo& store) {
    return store.id() <= most &&
           std::all_of(store.indexes().begin(), store.indexes().end(),
                       [](const ipc::IdbIndexInfo& index) { return index.id() <= most; });
  });
}

// Two long names may share a file name.
tl::unexpected<Error> HoldsAnother(const fs::path& path) {
  return Fail(ErrorCode::kCorrupt, fmt::format("{} holds another database", path.string()));
}

class SqliteBackingStore : public BackingStore {
 public:
  SqliteBackingStore(std::unique_ptr<Database> db, std::function<void()> on_close)
      : db_(std::move(db)), on_close_(std::move(on_close)) {}
  ~SqliteBackingStore() override {
    Rollback();
    db_.reset();
    on_close_();
  }

  // Writes the name into a new file; refuses a file of another name.
  Result<> Claim(const std::string& name) {
    Statement read = db_->Prepare("SELECT name FROM database");
    VIGIL_ASSIGN(const bool row, read.Step());
    if (row && read.View(0) == name) return {};
    if (row) return HoldsAnother(db_->path());
    Statement write = db_->Prepare("INSERT INTO database VALUES (1, ?, 0, 1)");
    return write.BindBlob(1, name).Run();
  }

  Result<ipc::IdbDatabaseInfo> Load() override {
    ipc::IdbDatabaseInfo info;
    Statement head = db_->Prepare("SELECT name, version, next_id FROM database");
    VIGIL_ASSIGN(const bool row, head.Step());
    if (!row) return Fail(ErrorCode::kCorrupt, fmt::format("{} has no head", db_->path().string()));
    info.set_name(head.Text(0));
    info.set_version(head.Uint(1));
    info.set_next_id(head.Uint(2));
    VIGIL_TRY(LoadStores(info));
    if (!NumbersAreReadable(info)) return Damaged();
    return info;
  }

  Result<> Begin(bool strict) override {
    if (writing_) return Fail(ErrorCode::kInternal, "a writer is active already");
    if (strict != strict_) {
      VIGIL_TRY(db_->Exec(strict ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
      strict_ = strict;
    }
    VIGIL_TRY(db_->Run("BEGIN IMMEDIATE"));
    writing_ = true;
    return {};
  }
  Result<> Commit() override {
    if (!writing_) return Fail(ErrorCode::kInternal, "no writer is active");
    if (auto committed = db_->Run("COMMIT"); !committed) {
      Rollback();
      return committed;
    }
    writing_ = false;
    return {};
  }
  void Rollback() override {
    if (!writing_) return;
    writing_ = false;
    // SQLite may have rolled back already, after a full disk for example.
    if (auto done = db_->Run("ROLLBACK"); !done) log::Debug("rollback: {}", done.error().message);
  }

  Result<> SetVersion(std::uint64_t version) override {
    return db_->Run("UPDATE database SET version = ?", version);
  }
  Result<> SaveStore(const ipc::IdbStoreInfo& store) override {
    ipc::IdbStoreInfo bare = store;
    bare.clear_indexes();
    VIGIL_TRY(NoteId(store.id()));
    Statement save = db_->Prepare(
        "INSERT INTO stores VALUES (?, ?, 1) ON CONFLICT (id) DO UPDATE SET info = excluded.info");
    const std::string bytes = bare.SerializeAsString();
    return save.Bind(1, store.id()).BindBlob(2, bytes).Run();
  }
  Result<> DeleteStore(StoreId store) override {
    VIGIL_TRY(db_->Run("DELETE FROM entries WHERE idx IN (SELECT id FROM indexes WHERE store = ?)", store));
    VIGIL_TRY(db_->Run("DELETE FROM indexes WHERE store = ?", store));
    VIGIL_TRY(db_->Run("DELETE FROM records WHERE store = ?", store));
    return db_->Run("DELETE FROM stores WHERE id = ?", store);
  }
  Result<> SaveIndex(StoreId store, const ipc::IdbIndexInfo& index) override {
    VIGIL_TRY(NoteId(index.id()));
    Statement save = db_->Prepare(
        "INSERT INTO indexes VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET info = excluded.info");
    const std::string bytes = index.SerializeAsString();
    return save.Bind(1, index.id()).Bind(2, store).BindBlob(3, bytes).Run();
  }
  Result<> DeleteIndex(StoreId, IndexId index) override {
    VIGIL_TRY(db_->Run("DELETE FROM entries WHERE idx = ?", index));
    return db_->Run("DELETE FROM indexes WHERE id = ?", index);
  }

  Result<double> GetGenerator(StoreId store) override {
    Statement read = db_->Prepare("SELECT generator FROM stores WHERE id = ?");
    VIGIL_ASSIGN(const bool row, read.Bind(1, store).Step());
    return row ? read.Real(0) : 1.0;
  }
  Result<> SetGenerator(StoreId store, double next) override {
    return db_->Run("UPDATE stores SET generator = ? WHERE id = ?", next, store);
  }

  Result<std::optional<std::string>> Get(StoreId store, std::string_view key) override {
    Statement read = db_->Prepare("SELECT value FROM records WHERE store = ? AND key = ?");
    VIGIL_ASSIGN(const bool row, read.Bind(1, store).BindBlob(2, key).Step());
    return row ? std::optional<std::string>(read.Text(0)) : std::nullopt;
  }
  Result<bool> Has(StoreId store, std::string_view key) override {
    Statement read = db_->Prepare("SELECT 1 FROM records WHERE store = ? AND key = ?");
    return read.Bind(1, store).BindBlob(2, key).Step();
  }
  Result<> Put(StoreId store, std::string_view key, std::string_view value) override {
    Statement write = db_->Prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?)");
    return write.Bind(1, store).BindBlob(2, key).BindBlob(3, value).Run();
  }
  Result<> Delete(StoreId store, const KeyRange& range) override {
    Statement write = db_->Prepare("DELETE FROM records WHERE store = ?" + RangeSql(range, "key"));
    write.Bind(1, store);
    BindRange(write, 2, range);
    return write.Run();
  }

  Result<std::optional<std::string>> GetPrimary(IndexId index, std::string_view key) override {
    Statement read = db_->Prepare("SELECT pkey FROM entries WHERE idx = ? AND key = ? ORDER BY pkey LIMIT 1");
    VIGIL_ASSIGN(const bool row, read.Bind(1, index).BindBlob(2, key).Step());
    return row ? std::optional<std::string>(read.Text(0)) : std::nullopt;
  }
  Result<> PutIndexEntry(IndexId index, std::string_view key, std::string_view primary) override {
    Statement write = db_->Prepare("INSERT OR IGNORE INTO entries VALUES (?, ?, ?)");
    return write.Bind(1, index).BindBlob(2, key).BindBlob(3, primary).Run();
  }
  Result<> DeleteIndexEntries(IndexId index, const KeyRange& primaries) override {
    Statement write = db_->Prepare("DELETE FROM entries WHERE idx = ?" + RangeSql(primaries, "pkey"));
    write.Bind(1, index);
    BindRange(write, 2, primaries);
    return write.Run();
  }

  Result<std::uint64_t> Count(StoreId store, IndexId index, const KeyRange& range) override {
    const char* table = index == 0 ? "records WHERE store = ?" : "entries WHERE idx = ?";
    Statement read = db_->Prepare(fmt::format("SELECT count(*) FROM {}{}", table, RangeSql(range, "key")));
    read.Bind(1, index == 0 ? store : index);
    BindRange(read, 2, range);
    VIGIL_TRY(read.Step());
    return read.Uint(0);
  }
  Result<std::unique_ptr<RecordCursor>> Scan(const ScanOptions& options) override {
    return OpenSqliteCursor(*db_, options);
  }

 private:
  Result<> LoadStores(ipc::IdbDatabaseInfo& info) {
    Statement stores = db_->Prepare("SELECT info FROM stores ORDER BY id");
    for (;;) {
      VIGIL_ASSIGN(const bool row, stores.Step());
      if (!row) return {};
      ipc::IdbStoreInfo& store = *info.add_stores();
      if (!store.ParseFromString(stores.Text(0))) return Damaged();
      Statement indexes = db_->Prepare("SELECT info FROM indexes WHERE store = ? ORDER BY id");
      indexes.Bind(1, store.id());
      for (;;) {
        VIGIL_ASSIGN(const bool more, indexes.Step());
        if (!more) break;
        if (!store.add_indexes()->ParseFromString(indexes.Text(0))) return Damaged();
      }
    }
  }
  Result<> NoteId(std::uint64_t id) {
    return db_->Run("UPDATE database SET next_id = ? + 1 WHERE next_id <= ?", id, id);
  }
  tl::unexpected<Error> Damaged() const {
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{} is damaged: its schema cannot be read", db_->path().string()));
  }

  std::unique_ptr<Database> db_;
  std::function<void()> on_close_;
  bool writing_ = false;
  bool strict_ = false;
};

store::OpenOptions OptionsFor(const std::string& origin) {
  store::OpenOptions options;
  options.what = "an IndexedDB database of " + origin;
  options.application_id = kApplicationId;
  options.migrations = {kSchemaV1};
  options.sync = store::Sync::kNormal;
  options.exclusive = true;
  return options;
}

}  // namespace

fs::path SqliteBackingStoreFactory::PathOf(const std::string& origin, const std::string& name) const {
  // Most names are ASCII: their file names stay readable when the zero bytes go. '%' cannot come from a plain
  // name.
  std::string readable;
  for (std::size_t i = 0; i + 1 < name.size(); i += 2) {
    if (name[i] != 0) readable.push_back(name[i]);
    readable.push_back(name[i + 1]);
  }
  const bool ascii = readable.size() * 2 == name.size();
  return directories_.PathOf(origin) / "idb" /
         ((ascii ? "" : "u") + EscapeFileName(ascii ? readable : name) + ".sqlite");
}

Result<std::unique_ptr<BackingStore>> SqliteBackingStoreFactory::Open(const std::string& origin,
                                                                      const std::string& name) {
  VIGIL_TRY(directories_.Open(origin));
  const fs::path path = PathOf(origin, name);
  if (open_.contains(path)) return HoldsAnother(path);
  VIGIL_ASSIGN(auto db, Database::Open(path, OptionsFor(origin)));
  open_.emplace(path, name);
  auto store = std::make_unique<SqliteBackingStore>(std::move(db), [this, path] { open_.erase(path); });
  VIGIL_TRY(store->Claim(name));
  return std::unique_ptr<BackingStore>(std::move(store));
}

Result<> SqliteBackingStoreFactory::Delete(const std::string& origin, const std::string& name) {
  directories_.Forget(origin);
  return Database::Remove(PathOf(origin, name));
}

Result<bool> SqliteBackingStoreFactory::Exists(const std::string& origin, const std::string& name) {
  std::error_code error;
  return fs::exists(PathOf(origin, name), error);
}

Result<std::vector<std::string>> SqliteBackingStoreFactory::List(const std::string& origin) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(directories_.PathOf(origin) / "idb", error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() != ".sqlite") continue;
    if (const auto open = open_.find(it->path()); open != open_.end()) {
      names.push_back(open->second);
      continue;
    }
    store::OpenOptions options = OptionsFor(origin);
    options.create = false;
    auto db = Database::Open(it->path(), options);
    if (!db) {
      log::Warning("{}", db.error().message);
      continue;
    }
    Statement read = (*db)->Prepare("SELECT name FROM database");
    const auto row = read.Step();
    if (row && *row) names.push_back(read.Text(0));
  }
  return names;
}

Result<> SqliteBackingStoreFactory::DeleteAll(const std::string& origin) {
  directories_.Forget(origin);
  std::error_code error;
  fs::remove_all(directories_.PathOf(origin) / "idb", error);
  if (error)
    return Fail(ErrorCode::kIo,
                fmt::format("cannot delete the databases of {}: {}", origin, error.message()));
  return {};
}

}  // namespace vigil::storage
