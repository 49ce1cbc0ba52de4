// The versionchange operations on a database's schema: part of idb_operations.h, see there.
#pragma once

#include "storage/idb_operations.h"

namespace vigil::storage {

ipc::IdbStoreInfo* FindStore(ipc::IdbDatabaseInfo& info, StoreId id);
ipc::IdbIndexInfo* FindIndex(ipc::IdbStoreInfo& store, IndexId id);
ipc::IdbResult Refusal(std::string name, std::string message);
ipc::IdbResult BadKey();

// operation is one of create_store … rename_index.
Result<ipc::IdbResult> ExecuteSchema(OperationContext& context, const ipc::IdbOperation& operation);

}  // namespace vigil::storage
