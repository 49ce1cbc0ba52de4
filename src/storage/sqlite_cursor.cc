#include "storage/sqlite_cursor.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace vigil::storage {
namespace {

using store::Database;
using store::Statement;

class SqliteCursor : public RecordCursor {
 public:
  // The statement points into options.
  SqliteCursor(Database& db, ScanOptions options)
      : options_(std::move(options)), statement_(db.Prepare(options_.index == 0 ? StoreSql() : IndexSql())) {
    int next = 1;
    if (options_.index != 0 && options_.with_values) statement_.Bind(next++, options_.store);
    statement_.Bind(next++, options_.index == 0 ? options_.store : options_.index);
    const KeyRange& range = options_.range;
    if (range.lower) statement_.BindBlob(next++, *range.lower);
    if (options_.start_primary && !options_.reverse) statement_.BindBlob(next++, *options_.start_primary);
    if (range.upper) statement_.BindBlob(next++, *range.upper);
    if (options_.start_primary && options_.reverse) statement_.BindBlob(next, *options_.start_primary);
  }

  Result<std::optional<View>> Next() override {
    VIGIL_ASSIGN(const bool row, statement_.Step());
    if (!row) return std::optional<View>();
    View view;
    view.key = statement_.View(0);
    if (options_.index != 0) view.primary = statement_.View(1);
    if (options_.with_values) view.value = statement_.View(options_.index == 0 ? 1 : 2);
    return std::optional<View>(view);
  }

 private:
  std::string StoreSql() const {
    return fmt::format("SELECT key{} FROM records WHERE store = ?{} ORDER BY key {}",
                       options_.with_values ? ", value" : "", RangeSql(options_.range, "key"),
                       options_.reverse ? "DESC" : "ASC");
  }
  std::string IndexSql() const {
    const char* order = options_.reverse ? "DESC" : "ASC";
    const char* tables = options_.with_values
                             ? "entries AS e CROSS JOIN records AS r ON r.store = ? AND r.key = e.pkey"
                             : "entries AS e";
    return fmt::format("SELECT e.key, e.pkey{} FROM {} WHERE e.idx = ?{}{} ORDER BY e.key {}, e.pkey {}",
                       options_.with_values ? ", r.value" : "", tables, LowerSql(), UpperSql(), order, order);
  }
  // A start within the records of one key is a comparison of pairs, which SQLite answers from the primary
  // key.
  std::string LowerSql() const {
    if (!options_.range.lower) return "";
    if (options_.start_primary && !options_.reverse) {
      return options_.start_after ? " AND (e.key, e.pkey) > (?, ?)" : " AND (e.key, e.pkey) >= (?, ?)";
    }
    return options_.range.lower_open ? " AND e.key > ?" : " AND e.key >= ?";
  }
  std::string UpperSql() const {
    if (!options_.range.upper) return "";
    if (options_.start_primary && options_.reverse) {
      return options_.start_after ? " AND (e.key, e.pkey) < (?, ?)" : " AND (e.key, e.pkey) <= (?, ?)";
    }
    return options_.range.upper_open ? " AND e.key < ?" : " AND e.key <= ?";
  }

  const ScanOptions options_;
  Statement statement_;
};

}  // namespace

std::string RangeSql(const KeyRange& range, const char* column) {
  std::string sql;
  if (range.lower) sql += fmt::format(" AND {} {} ?", column, range.lower_open ? ">" : ">=");
  if (range.upper) sql += fmt::format(" AND {} {} ?", column, range.upper_open ? "<" : "<=");
  return sql;
}

void BindRange(Statement& statement, int first, const KeyRange& range) {
  if (range.lower) statement.BindBlob(first++, *range.lower);
  if (range.upper) statement.BindBlob(first, *range.upper);
}

std::unique_ptr<RecordCursor> OpenSqliteCursor(Database& db, ScanOptions options) {
  return std::make_unique<SqliteCursor>(db, std::move(options));
}

}  // namespace vigil::storage
