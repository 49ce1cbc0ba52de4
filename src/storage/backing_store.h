// What IndexedDB asks of the disk: the records of one database, ordered by encoded key.
//
// Two implementations, tested by the same contract test: SQLite (sqlite_backing_store.h) and memory
// (memory_backing_store.h). Isolation between transactions is not their business: IdbDatabase's locks see to
// it that nobody reads what another transaction is writing. They give atomicity and durability to one writer
// at a time.
//
// Storage thread only. All errors are kIo, kCorrupt, kTooLarge (disk full) or kInternal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ipc/storage.pb.h"

namespace vigil::storage {

using StoreId = std::uint64_t;
using IndexId = std::uint64_t;

// Encoded keys; absent: unbounded.
struct KeyRange {
  std::optional<std::string> lower, upper;
  bool lower_open = false, upper_open = false;
};

struct StoredRecord {
  std::string key;      // of the index, or of the store
  std::string primary;  // empty for records of a store
  std::string value;    // empty if not asked for
};

// A read of many records in order. Views stay valid until the next call.
class RecordCursor {
 public:
  virtual ~RecordCursor() = default;
  struct View {
    std::string_view key, primary, value;
  };
  // The next record, or nothing at the end.
  virtual Result<std::optional<View>> Next() = 0;
};

struct ScanOptions {
  StoreId store = 0;
  IndexId index = 0;  // 0: the store's own records
  KeyRange range;
  bool reverse = false;
  bool with_values = true;
  // With an index: start at this primary key within the records of range's first key in the direction (which
  // must be closed on that side). Exclusive if after is set.
  std::optional<std::string> start_primary;
  bool start_after = false;
};

class BackingStore {
 public:
  virtual ~BackingStore() = default;

  // Schema and version as last committed, or as the present writer has made them.
  virtual Result<ipc::IdbDatabaseInfo> Load() = 0;

  // One writer. strict: what Commit has done survives a power cut, else the death of the process. After an
  // error of Commit nothing of it is kept.
  virtual Result<> Begin(bool strict) = 0;
  virtual Result<> Commit() = 0;
  virtual void Rollback() = 0;

  // Schema. Within Begin/Commit; the caller keeps ids and names consistent.
  virtual Result<> SetVersion(std::uint64_t version) = 0;
  virtual Result<> SaveStore(const ipc::IdbStoreInfo& store) = 0;  // insert or replace, without its indexes
  virtual Result<> DeleteStore(StoreId store) = 0;                 // with records and indexes
  virtual Result<> SaveIndex(StoreId store, const ipc::IdbIndexInfo& index) = 0;
  virtual Result<> DeleteIndex(StoreId store, IndexId index) = 0;  // with its records

  // Key generator: the next number (1 at first).
  virtual Result<double> GetGenerator(StoreId store) = 0;
  virtual Result<> SetGenerator(StoreId store, double next) = 0;

  // Records. Delete does not touch indexes; index entries of primary keys in a range are removed by
  // DeleteIndexEntries.
  virtual Result<std::optional<std::string>> Get(StoreId store, std::string_view key) = 0;
  virtual Result<bool> Has(StoreId store, std::string_view key) = 0;
  virtual Result<> Put(StoreId store, std::string_view key, std::string_view value) = 0;
  virtual Result<> Delete(StoreId store, const KeyRange& range) = 0;

  // Primary key of the first entry with that index key.
  virtual Result<std::optional<std::string>> GetPrimary(IndexId index, std::string_view key) = 0;
  virtual Result<> PutIndexEntry(IndexId index, std::string_view key, std::string_view primary) = 0;
  virtual Result<> DeleteIndexEntries(IndexId index, const KeyRange& primaries) = 0;

  virtual Result<std::uint64_t> Count(StoreId store, IndexId index, const KeyRange& range) = 0;
  // The cursor must be gone before the next write.
  virtual Result<std::unique_ptr<RecordCursor>> Scan(const ScanOptions& options) = 0;
};

// Makes, lists and deletes the backing stores of an origin. Names are UTF-16, big-endian.
class BackingStoreFactory {
 public:
  virtual ~BackingStoreFactory() = default;
  // The database is made if it does not exist (version 0).
  virtual Result<std::unique_ptr<BackingStore>> Open(const std::string& origin, const std::string& name) = 0;
  // Nothing has it open. Deleting what does not exist succeeds.
  virtual Result<> Delete(const std::string& origin, const std::string& name) = 0;
  virtual Result<bool> Exists(const std::string& origin, const std::string& name) = 0;
  // Names of all databases of the origin.
  virtual Result<std::vector<std::string>> List(const std::string& origin) = 0;
  virtual Result<> DeleteAll(const std::string& origin) = 0;
};

}  // namespace vigil::storage
