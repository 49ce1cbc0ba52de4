#include "storage/memory_backing_store.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace vigil::storage {

using Records = std::map<std::string, std::string, std::less<>>;
using Entry = std::pair<std::string, std::string>;  // index key, primary key
using Entries = std::map<Entry, std::string>;       // the value is not used: one cursor serves both maps

struct MemoryDatabase {
  ipc::IdbDatabaseInfo info;
  std::map<StoreId, Records> records;
  std::map<IndexId, Entries> entries;
  std::map<StoreId, double> generators;
};

namespace {

bool Below(const KeyRange& range, std::string_view key) {
  return range.lower && (range.lower_open ? key <= *range.lower : key < *range.lower);
}
bool Above(const KeyRange& range, std::string_view key) {
  return range.upper && (range.upper_open ? key >= *range.upper : key > *range.upper);
}

ipc::IdbStoreInfo* FindStore(ipc::IdbDatabaseInfo& info, StoreId id) {
  for (ipc::IdbStoreInfo& store : *info.mutable_stores()) {
    if (store.id() == id) return &store;
  }
  return nullptr;
}

template <class Infos>
void EraseById(Infos* infos, std::uint64_t id) {
  for (int i = 0; i < infos->size(); ++i) {
    if (infos->Get(i).id() == id) {
      infos->DeleteSubrange(i, 1);
      return;
    }
  }
}

// Walks a copy of what is in the range: the simplest thing that cannot go wrong.
class ListCursor : public RecordCursor {
 public:
  explicit ListCursor(std::vector<StoredRecord> records) : records_(std::move(records)) {}
  Result<std::optional<View>> Next() override {
    if (next_ == records_.size()) return std::optional<View>();
    const StoredRecord& record = records_[next_++];
    return std::optional<View>(View{record.key, record.primary, record.value});
  }

 private:
  std::vector<StoredRecord> records_;
  std::size_t next_ = 0;
};

class MemoryBackingStore : public BackingStore {
 public:
  explicit MemoryBackingStore(std::shared_ptr<MemoryDatabase> database) : db_(std::move(database)) {}
  ~MemoryBackingStore() override { Rollback(); }

  Result<ipc::IdbDatabaseInfo> Load() override { return db_->info; }

  Result<> Begin(bool) override {
    if (writing_) return Fail(ErrorCode::kInternal, "a writer is active already");
    writing_ = true;
    return {};
  }
  Result<> Commit() override {
    if (!writing_) return Fail(ErrorCode::kInternal, "no writer is active");
    writing_ = false;
    undo_.clear();
    return {};
  }
  void Rollback() override {
    for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) (*step)();
    undo_.clear();
    writing_ = false;
  }

  Result<> SetVersion(std::uint64_t version) override {
    SaveInfo();
    db_->info.set_version(version);
    return {};
  }
  Result<> SaveStore(const ipc::IdbStoreInfo& store) override {
    SaveInfo();
    ipc::IdbStoreInfo* known = FindStore(db_->info, store.id());
    if (!known) known = db_->info.add_stores();
    ipc::IdbStoreInfo copy = store;
    copy.mutable_indexes()->Swap(known->mutable_indexes());
    known->Swap(&copy);
    NoteId(store.id());
    return {};
  }
  Result<> DeleteStore(StoreId store) override {
    SaveInfo();
    if (ipc::IdbStoreInfo* known = FindStore(db_->info, store)) {
      for (const ipc::IdbIndexInfo& index : known->indexes()) DropEntries(index.id());
    }
    EraseById(db_->info.mutable_stores(), store);
    undo_.push_back(
        [this, store, old = std::exchange(db_->records[store], {})] { db_->records[store] = old; });
    undo_.push_back([this, store, old = GeneratorOf(store)] { db_->generators[store] = old; });
    db_->generators.erase(store);
    return {};
  }
  Result<> SaveIndex(StoreId store, const ipc::IdbIndexInfo& index) override {
    SaveInfo();
    ipc::IdbStoreInfo* known = FindStore(db_->info, store);
    if (!known) return Fail(ErrorCode::kInternal, "index of an unknown store");
    for (ipc::IdbIndexInfo& present : *known->mutable_indexes()) {
      if (present.id() == index.id()) {
        present = index;
        return {};
      }
    }
    *known->add_indexes() = index;
    NoteId(index.id());
    return {};
  }
  Result<> DeleteIndex(StoreId store, IndexId index) override {
    SaveInfo();
    if (ipc::IdbStoreInfo* known = FindStore(db_->info, store)) EraseById(known->mutable_indexes(), index);
    DropEntries(index);
    return {};
  }

  Result<double> GetGenerator(StoreId store) override { return GeneratorOf(store); }
  Result<> SetGenerator(StoreId store, double next) override {
    undo_.push_back([this, store, old = GeneratorOf(store)] { db_->generators[store] = old; });
    db_->generators[store] = next;
    return {};
  }

  Result<std::optional<std::string>> Get(StoreId store, std::string_view key) override {
    const Records& records = db_->records[store];
    const auto it = records.find(key);
    return it == records.end() ? std::nullopt : std::optional<std::string>(it->second);
  }
  Result<bool> Has(StoreId store, std::string_view key) override { return db_->records[store].contains(key); }
  Result<> Put(StoreId store, std::string_view key, std::string_view value) override {
    Records& records = db_->records[store];
    const auto it = records.find(key);
    if (it == records.end()) {
      undo_.push_back([this, store, key = std::string(key)] { db_->records[store].erase(key); });
    } else {
      undo_.push_back(
          [this, store, key = std::string(key), old = it->second] { db_->records[store][key] = old; });
    }
    records[std::string(key)] = value;
    return {};
  }
  Result<> Delete(StoreId store, const KeyRange& range) override {
    Records& records = db_->records[store];
    for (auto it = records.begin(); it != records.end();) {
      if (Below(range, it->first) || Above(range, it->first)) {
        ++it;
        continue;
      }
      undo_.push_back([this, store, old = *it] { db_->records[store].insert(old); });
      it = records.erase(it);
    }
    return {};
  }

  Result<std::optional<std::string>> GetPrimary(IndexId index, std::string_view key) override {
    const Entries& entries = db_->entries[index];
    const auto it = entries.lower_bound(Entry(key, ""));
    return it == entries.end() || it->first.first != key ? std::nullopt
                                                         : std::optional<std::string>(it->first.second);
  }
  Result<> PutIndexEntry(IndexId index, std::string_view key, std::string_view primary) override {
    Entry entry(key, primary);
    if (db_->entries[index].emplace(entry, "").second) {
      undo_.push_back([this, index, entry = std::move(entry)] { db_->entries[index].erase(entry); });
    }
    return {};
  }
  Result<> DeleteIndexEntries(IndexId index, const KeyRange& primaries) override {
    Entries& entries = db_->entries[index];
    for (auto it = entries.begin(); it != entries.end();) {
      if (Below(primaries, it->first.second) || Above(primaries, it->first.second)) {
        ++it;
        continue;
      }
      undo_.push_back([this, index, old = *it] { db_->entries[index].insert(old); });
      it = entries.erase(it);
    }
    return {};
  }

  Result<std::uint64_t> Count(StoreId store, IndexId index, const KeyRange& range) override {
    ScanOptions options{.store = store, .index = index, .range = range, .with_values = false};
    return Collect(options).size();
  }
  Result<std::unique_ptr<RecordCursor>> Scan(const ScanOptions& options) override {
    return std::unique_ptr<RecordCursor>(std::make_unique<ListCursor>(Collect(options)));
  }

 private:
  std::vector<StoredRecord> Collect(const ScanOptions& options) {
    std::vector<StoredRecord> found;
    const Records& records = db_->records[options.store];
    if (options.index == 0) {
      for (const auto& [key, value] : records) {
        if (Below(options.range, key) || Above(options.range, key)) continue;
        found.push_back({key, "", options.with_values ? value : ""});
      }
    } else {
      for (const auto& [entry, unused] : db_->entries[options.index]) {
        if (Below(options.range, entry.first) || Above(options.range, entry.first)) continue;
        if (BeforeStart(options, entry)) continue;
        const auto record = records.find(entry.second);
        if (options.with_values && record == records.end()) continue;
        found.push_back({entry.first, entry.second, options.with_values ? record->second : ""});
      }
    }
    if (options.reverse) std::reverse(found.begin(), found.end());
    return found;
  }

  static bool BeforeStart(const ScanOptions& options, const Entry& entry) {
    if (!options.start_primary) return false;
    const auto& edge = options.reverse ? options.range.upper : options.range.lower;
    if (!edge || entry.first != *edge || (options.start_after && entry.second == *options.start_primary)) {
      return edge && entry.first == *edge;
    }
    return options.reverse ? entry.second > *options.start_primary : entry.second < *options.start_primary;
  }

  double GeneratorOf(StoreId store) const {
    const auto it = db_->generators.find(store);
    return it == db_->generators.end() ? 1 : it->second;
  }
  void SaveInfo() {
    undo_.push_back([this, old = db_->info] { db_->info = old; });
  }
  void NoteId(std::uint64_t id) {
    if (db_->info.next_id() <= id) db_->info.set_next_id(id + 1);
  }
  void DropEntries(IndexId index) {
    undo_.push_back(
        [this, index, old = std::exchange(db_->entries[index], {})] { db_->entries[index] = old; });
  }

  std::shared_ptr<MemoryDatabase> db_;
  bool writing_ = false;
  std::vector<std::function<void()>> undo_;
};

}  // namespace

MemoryBackingStoreFactory::MemoryBackingStoreFactory() = default;
MemoryBackingStoreFactory::~MemoryBackingStoreFactory() = default;

Result<std::unique_ptr<BackingStore>> MemoryBackingStoreFactory::Open(const std::string& origin,
                                                                      const std::string& name) {
  std::shared_ptr<MemoryDatabase>& database = databases_[origin][name];
  if (!database) {
    database = std::make_shared<MemoryDatabase>();
    database->info.set_name(name);
    database->info.set_next_id(1);
  }
  return std::unique_ptr<BackingStore>(std::make_unique<MemoryBackingStore>(database));
}
Result<> MemoryBackingStoreFactory::Delete(const std::string& origin, const std::string& name) {
  databases_[origin].erase(name);
  return {};
}
Result<bool> MemoryBackingStoreFactory::Exists(const std::string& origin, const std::string& name) {
  return databases_[origin].contains(name);
}
Result<std::vector<std::string>> MemoryBackingStoreFactory::List(const std::string& origin) {
  std::vector<std::string> names;
  for (const auto& [name, database] : databases_[origin]) names.push_back(name);
  return names;
}
Result<> MemoryBackingStoreFactory::DeleteAll(const std::string& origin) {
  databases_.erase(origin);
  return {};
}

}  // namespace vigil::storage
