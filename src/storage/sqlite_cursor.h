// Ranges of keys, and reads of many records, in the SQL of sqlite_backing_store.h's tables.
#pragma once

#include <memory>
#include <string>

#include "storage/backing_store.h"
#include "store/database.h"

namespace vigil::storage {

// The part of WHERE that keeps `column` in the range.
std::string RangeSql(const KeyRange& range, const char* column);
// What to bind for it, from this parameter on.
void BindRange(store::Statement& statement, int first, const KeyRange& range);

// The database must outlive it.
std::unique_ptr<RecordCursor> OpenSqliteCursor(store::Database& db, ScanOptions options);

}  // namespace vigil::storage
