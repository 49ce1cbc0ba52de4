#include "storage/idb_schema.h"

#include <algorithm>

namespace vigil::storage {
namespace {

// Numbers stay exact in the façade's doubles.
constexpr std::uint64_t kMaxId = (std::uint64_t{1} << 53) - 1;
constexpr int kMaxStores = 10000;

bool NewId(const ipc::IdbDatabaseInfo& info, std::uint64_t id) { return id >= info.next_id() && id < kMaxId; }

template <class Infos>
bool HasName(const Infos& infos, const std::string& name) {
  return std::any_of(infos.begin(), infos.end(), [&](const auto& info) { return info.name() == name; });
}

template <class Infos>
void Erase(Infos* infos, std::uint64_t id) {
  for (int i = 0; i < infos->size(); ++i) {
    if (infos->Get(i).id() == id) {
      infos->DeleteSubrange(i, 1);
      return;
    }
  }
}

Result<ipc::IdbResult> CreateStore(OperationContext& context, const ipc::IdbOperation& operation) {
  const ipc::IdbOperation::CreateStore& wanted = operation.create_store();
  if (!NewId(context.info, operation.store()) || context.info.stores_size() >= kMaxStores) {
    return Refusal("UnknownError", "The number of the object store is not free.");
  }
  if (HasName(context.info.stores(), wanted.name())) {
    return Refusal("ConstraintError", "An object store with the specified name already exists.");
  }
  ipc::IdbStoreInfo& info = *context.info.add_stores();
  info.set_id(operation.store());
  info.set_name(wanted.name());
  if (wanted.has_key_path()) *info.mutable_key_path() = wanted.key_path();
  info.set_auto_increment(wanted.auto_increment());
  context.info.set_next_id(operation.store() + 1);
  VIGIL_TRY(context.store.SaveStore(info));
  return ipc::IdbResult();
}

Result<ipc::IdbResult> CreateIndex(OperationContext& context, const ipc::IdbOperation& operation,
                                   ipc::IdbStoreInfo& store) {
  const ipc::IdbOperation::CreateIndex& wanted = operation.create_index();
  if (!NewId(context.info, operation.index()) || store.indexes_size() >= kMaxStores) {
    return Refusal("UnknownError", "The number of the index is not free.");
  }
  if (HasName(store.indexes(), wanted.name())) {
    return Refusal("ConstraintError", "An index with the specified name already exists.");
  }
  ipc::IdbIndexInfo& info = *store.add_indexes();
  info.set_id(operation.index());
  info.set_name(wanted.name());
  *info.mutable_key_path() = wanted.key_path();
  info.set_unique(wanted.unique());
  info.set_multi_entry(wanted.multi_entry());
  context.info.set_next_id(operation.index() + 1);
  VIGIL_TRY(context.store.SaveIndex(store.id(), info));
  return ipc::IdbResult();
}

}  // namespace

ipc::IdbStoreInfo* FindStore(ipc::IdbDatabaseInfo& info, StoreId id) {
  for (ipc::IdbStoreInfo& store : *info.mutable_stores()) {
    if (store.id() == id) return &store;
  }
  return nullptr;
}

ipc::IdbIndexInfo* FindIndex(ipc::IdbStoreInfo& store, IndexId id) {
  for (ipc::IdbIndexInfo& index : *store.mutable_indexes()) {
    if (index.id() == id) return &index;
  }
  return nullptr;
}

ipc::IdbResult Refusal(std::string name, std::string message) {
  ipc::IdbResult result;
  result.set_error_name(std::move(name));
  result.set_error_message(std::move(message));
  return result;
}

ipc::IdbResult BadKey() { return Refusal("DataError", "The parameter is not a valid key."); }

Result<ipc::IdbResult> ExecuteSchema(OperationContext& context, const ipc::IdbOperation& operation) {
  using Operation = ipc::IdbOperation;
  if (operation.body_case() == Operation::kCreateStore) return CreateStore(context, operation);
  ipc::IdbStoreInfo* store = FindStore(context.info, operation.store());
  if (!store) return Refusal("NotFoundError", "The object store does not exist.");
  if (operation.body_case() == Operation::kDeleteStore) {
    VIGIL_TRY(context.store.DeleteStore(store->id()));
    Erase(context.info.mutable_stores(), operation.store());
    return ipc::IdbResult();
  }
  if (operation.body_case() == Operation::kRenameStore) {
    store->set_name(operation.rename_store());
    VIGIL_TRY(context.store.SaveStore(*store));
    return ipc::IdbResult();
  }
  if (operation.body_case() == Operation::kCreateIndex) return CreateIndex(context, operation, *store);
  ipc::IdbIndexInfo* index = FindIndex(*store, operation.index());
  if (!index) return Refusal("NotFoundError", "The index does not exist.");
  if (operation.body_case() == Operation::kDeleteIndex) {
    VIGIL_TRY(context.store.DeleteIndex(store->id(), index->id()));
    Erase(store->mutable_indexes(), operation.index());
    return ipc::IdbResult();
  }
  index->set_name(operation.rename_index());
  VIGIL_TRY(context.store.SaveIndex(store->id(), *index));
  return ipc::IdbResult();
}

}  // namespace vigil::storage
