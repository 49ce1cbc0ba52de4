#include "storage/idb_operations.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/idb_put.h"
#include "storage/idb_schema.h"
#include "storage/key_codec.h"

namespace vigil::storage {
namespace {

using Operation = ipc::IdbOperation;

Result<std::optional<KeyRange>> ReadRange(const ipc::IdbRange& given) {
  KeyRange range;
  if (!given.lower().empty()) range.lower = given.lower();
  if (!given.upper().empty()) range.upper = given.upper();
  if ((range.lower && !IsValidKey(*range.lower)) || (range.upper && !IsValidKey(*range.upper))) {
    return std::optional<KeyRange>();
  }
  range.lower_open = given.lower_open();
  range.upper_open = given.upper_open();
  return std::optional<KeyRange>(std::move(range));
}

// True: nothing can be in it.
bool IsEmpty(const KeyRange& range) {
  if (!range.lower || !range.upper) return false;
  return *range.lower > *range.upper ||
         (*range.lower == *range.upper && (range.lower_open || range.upper_open));
}

// ------------------------------------------------------------------------------------------------ read
// Narrows the range to what comes after the position, or from the target on.
bool ApplyPosition(const Operation::Read& read, bool index, ScanOptions& scan) {
  const bool target = !read.target_key().empty();
  const std::string& key = target ? read.target_key() : read.after_key();
  const std::string& primary = target ? read.target_primary() : read.after_primary();
  if (key.empty()) return primary.empty();
  if (!IsValidKey(key) || (!primary.empty() && (!index || !IsValidKey(primary)))) return false;
  const bool open = !target && primary.empty();
  std::optional<std::string>& edge = scan.reverse ? scan.range.upper : scan.range.lower;
  bool& edge_open = scan.reverse ? scan.range.upper_open : scan.range.lower_open;
  const bool narrower = !edge || (scan.reverse ? key < *edge : key > *edge);
  if (!narrower && key != *edge) return true;  // the range itself begins later
  edge_open = narrower ? open : edge_open || open;
  edge = key;
  if (!primary.empty() && !edge_open) {
    scan.start_primary = primary;
    scan.start_after = !target;
  }
  return true;
}

class ReadOperation {
 public:
  ReadOperation(OperationContext& context, const ipc::IdbStoreInfo& store, const ipc::IdbIndexInfo* index,
                const Operation::Read& read)
      : context_(context), store_(store), index_(index), read_(read) {}

  Result<ipc::IdbResult> Run() {
    VIGIL_ASSIGN(auto range, ReadRange(read_.range()));
    if (!range) return BadKey();
    if (IsOneRecord(*range)) return ReadOne(*range->lower);
    ScanOptions scan{.store = store_.id(), .index = index_ ? index_->id() : 0, .range = std::move(*range)};
    scan.reverse = read_.reverse();
    // Of records with the same key the lowest primary key is wanted: going backwards it comes last.
    lowest_ = read_.unique() && index_ && scan.reverse;
    scan.with_values = !read_.keys_only() && !lowest_;
    if (!ApplyPosition(read_, index_ != nullptr, scan)) return BadKey();
    if (IsEmpty(scan.range)) return std::move(result_);
    VIGIL_ASSIGN(const std::unique_ptr<RecordCursor> cursor, context_.store.Scan(scan));
    std::uint32_t skip = read_.skip();
    for (;;) {
      VIGIL_ASSIGN(const auto record, cursor->Next());
      if (!record) break;
      if (read_.unique() && index_) {
        if (last_key_ && record->key == *last_key_) continue;
        last_key_ = std::string(record->key);
      }
      if (skip > 0) {
        --skip;
        continue;
      }
      VIGIL_ASSIGN(const bool go_on, Add(*record));
      if (!go_on) break;
    }
    return std::move(result_);
  }

 private:
  // get() and its like need no cursor.
  bool IsOneRecord(const KeyRange& range) const {
    return !index_ && !read_.keys_only() && read_.skip() == 0 && read_.after_key().empty() &&
           read_.after_primary().empty() && read_.target_key().empty() && range.lower && range.upper &&
           !range.lower_open && !range.upper_open && *range.lower == *range.upper;
  }
  Result<ipc::IdbResult> ReadOne(const std::string& key) {
    VIGIL_ASSIGN(const auto value, context_.store.Get(store_.id(), key));
    if (value) VIGIL_TRY(Add({.key = key, .value = *value}));
    return std::move(result_);
  }
  // False: enough.
  Result<bool> Add(const RecordCursor::View& view) {
    ipc::IdbRecord record;
    record.set_key(std::string(view.key));
    if (index_) record.set_primary(std::string(view.primary));
    if (lowest_) {
      VIGIL_ASSIGN(auto primary, context_.store.GetPrimary(index_->id(), view.key));
      if (primary) record.set_primary(std::move(*primary));
    }
    if (!read_.keys_only()) {
      if (lowest_) {
        VIGIL_ASSIGN(auto value, context_.store.Get(store_.id(), record.primary()));
        if (value) record.set_value(std::move(*value));
      } else {
        record.set_value(std::string(view.value));
      }
    }
    const std::uint64_t size = record.key().size() + record.primary().size() + record.value().size() + 16;
    // One record always fits, so that every reply is progress.
    if (size > context_.reply_budget && !untouched()) {
      result_.set_more(true);
      return false;
    }
    context_.reply_budget -= std::min(size, context_.reply_budget);
    *result_.add_records() = std::move(record);
    return read_.limit() == 0 || static_cast<std::uint32_t>(result_.records_size()) < read_.limit();
  }
  bool untouched() const { return context_.reply_budget == context_.full_budget; }

  OperationContext& context_;
  const ipc::IdbStoreInfo& store_;
  const ipc::IdbIndexInfo* index_;
  const Operation::Read& read_;
  bool lowest_ = false;
  std::optional<std::string> last_key_;
  ipc::IdbResult result_;
};

// ------------------------------------------------------------------------------------------------ the others
Result<ipc::IdbResult> Delete(OperationContext& context, const ipc::IdbStoreInfo& store,
                              const KeyRange& range) {
  if (IsEmpty(range)) return ipc::IdbResult();
  for (const ipc::IdbIndexInfo& index : store.indexes()) {
    VIGIL_TRY(context.store.DeleteIndexEntries(index.id(), range));
  }
  VIGIL_TRY(context.store.Delete(store.id(), range));
  return ipc::IdbResult();
}

Result<ipc::IdbResult> Count(OperationContext& context, const ipc::IdbStoreInfo& store,
                             const ipc::IdbIndexInfo* index, const ipc::IdbRange& given) {
  VIGIL_ASSIGN(const auto range, ReadRange(given));
  if (!range) return BadKey();
  ipc::IdbResult result;
  if (IsEmpty(*range)) return result;
  VIGIL_ASSIGN(const std::uint64_t count, context.store.Count(store.id(), index ? index->id() : 0, *range));
  result.set_count(count);
  return result;
}

bool IsSchema(const Operation& operation) {
  switch (operation.body_case()) {
    case Operation::kCreateStore:
    case Operation::kDeleteStore:
    case Operation::kRenameStore:
    case Operation::kCreateIndex:
    case Operation::kDeleteIndex:
    case Operation::kRenameIndex:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool IsWrite(const Operation& operation) {
  switch (operation.body_case()) {
    case Operation::kRead:
    case Operation::kCount:
    case Operation::BODY_NOT_SET:
      return false;
    default:
      return true;
  }
}

Result<ipc::IdbResult> Execute(OperationContext& context, const Operation& operation) {
  if (IsWrite(operation) && !context.may_write) {
    return Refusal("ReadOnlyError", "The transaction is read-only.");
  }
  if (IsSchema(operation)) {
    if (!context.may_change_schema) return Refusal("InvalidStateError", "Not in an upgrade transaction.");
    return ExecuteSchema(context, operation);
  }
  if (context.scope && !context.scope->contains(operation.store())) {
    return Refusal("NotFoundError", "The object store is not in the transaction's scope.");
  }
  ipc::IdbStoreInfo* store = FindStore(context.info, operation.store());
  if (!store) return Refusal("NotFoundError", "The object store does not exist.");
  const ipc::IdbIndexInfo* index = operation.index() ? FindIndex(*store, operation.index()) : nullptr;
  if (operation.index() && !index) return Refusal("NotFoundError", "The index does not exist.");
  switch (operation.body_case()) {
    case Operation::kPut:
      return ExecutePut(context, *store, operation.put());
    case Operation::kRead:
      return ReadOperation(context, *store, index, operation.read()).Run();
    case Operation::kCount:
      return Count(context, *store, index, operation.count());
    case Operation::kDeleteRange: {
      VIGIL_ASSIGN(const auto range, ReadRange(operation.delete_range()));
      return range ? Delete(context, *store, *range) : BadKey();
    }
    case Operation::kClear:
      return Delete(context, *store, KeyRange{});
    case Operation::kSetIndexKeys:
      return index ? SetIndexKeys(context, *store, *index, operation.set_index_keys()) : BadKey();
    default:
      return Refusal("UnknownError", "The operation is not known.");
  }
}

}  // namespace vigil::storage
