// The operations of an IndexedDB transaction, each a function from (backing store, schema, what the client
// asks) to a result. Everything the client says is checked here.
//
// Storage thread only. An IdbResult with an error name is the client's business (ConstraintError: the
// transaction may go on); a returned Error means that the transaction cannot go on.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "base/result.h"
#include "ipc/storage.pb.h"
#include "storage/backing_store.h"

namespace vigil::storage {

// What an operation may touch.
struct OperationContext {
  BackingStore& store;
  ipc::IdbDatabaseInfo& info;      // changed by schema operations
  const std::set<StoreId>* scope;  // null: all (versionchange)
  bool may_write = false;
  bool may_change_schema = false;
  std::function<bool(std::uint64_t)> reserve;  // asks the quota for bytes
  std::uint64_t full_budget = 0;               // bytes of records that fit into one reply
  std::uint64_t reply_budget = 0;              // what is left of them
};

bool IsWrite(const ipc::IdbOperation& operation);

Result<ipc::IdbResult> Execute(OperationContext& context, const ipc::IdbOperation& operation);

}  // namespace vigil::storage
