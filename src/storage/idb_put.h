// The operations that store a record, or the index entries of one: part of idb_operations.h, see there.
#pragma once

#include "storage/idb_operations.h"

namespace vigil::storage {

Result<ipc::IdbResult> ExecutePut(OperationContext& context, ipc::IdbStoreInfo& store,
                                  const ipc::IdbOperation::Put& put);
// Of a record that is there already, for a new index.
Result<ipc::IdbResult> SetIndexKeys(OperationContext& context, const ipc::IdbStoreInfo& store,
                                    const ipc::IdbIndexInfo& index,
                                    const ipc::IdbOperation::SetIndexKeys& given);

}  // namespace vigil::storage
