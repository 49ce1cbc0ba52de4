#include <sqlite3.h>

#include <utility>

#include "store/database.h"
#include "store/statement_cache.h"

namespace vigil::store {

Statement::Statement(Database* database, Cached* cached, std::optional<Error> error)
    : database_(database), cached_(cached), error_(std::move(error)) {}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      cached_(std::exchange(other.cached_, nullptr)),
      error_(std::move(other.error_)) {}

Statement::~Statement() {
  if (cached_ == nullptr) return;
  Reset();
  sqlite3_clear_bindings(cached_->handle);
  cached_->in_use = false;
}

void Statement::Reset() {
  if (cached_ != nullptr) sqlite3_reset(cached_->handle);
}

Statement& Statement::Note(int code) {
  if (code != SQLITE_OK && !error_) error_ = database_->Failure(code);
  return *this;
}

Statement& Statement::Bind(int index, std::int64_t value) {
  return cached_ == nullptr ? *this : Note(sqlite3_bind_int64(cached_->handle, index, value));
}

Statement& Statement::Bind(int index, double value) {
  return cached_ == nullptr ? *this : Note(sqlite3_bind_double(cached_->handle, index, value));
}

// An empty view may hold a null pointer, which SQLite would store as NULL.
Statement& Statement::Bind(int index, std::string_view text) {
  if (cached_ == nullptr) return *this;
  const char* data = text.empty() ? "" : text.data();
  return Note(sqlite3_bind_text64(cached_->handle, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

Statement& Statement::BindBlob(int index, std::string_view bytes) {
  if (cached_ == nullptr) return *this;
  const char* data = bytes.empty() ? "" : bytes.data();
  return Note(sqlite3_bind_blob64(cached_->handle, index, data, bytes.size(), SQLITE_STATIC));
}

Statement& Statement::BindNull(int index) {
  return cached_ == nullptr ? *this : Note(sqlite3_bind_null(cached_->handle, index));
}

Result<bool> Statement::Step() {
  if (error_) return Fail(*error_);
  if (database_->depth_ > 0 && database_->TransactionLost()) {
    return Fail(ErrorCode::kAborted, "the transaction was undone after an earlier error");
  }
  const int code = sqlite3_step(cached_->handle);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  error_ = database_->Failure(code);
  return Fail(*error_);
}

Result<> Statement::Run() {
  while (true) {
    VIGIL_ASSIGN(const bool row, Step());
    if (!row) return {};
  }
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(cached_->handle, column) == SQLITE_NULL;
}

std::int64_t Statement::Int(int column) const { return sqlite3_column_int64(cached_->handle, column); }

double Statement::Real(int column) const { return sqlite3_column_double(cached_->handle, column); }

std::string_view Statement::View(int column) const {
  // The order matters: the pointer first, then the size of what it points to.
  const auto* data = static_cast<const char*>(sqlite3_column_blob(cached_->handle, column));
  const int size = sqlite3_column_bytes(cached_->handle, column);
  return data == nullptr ? std::string_view() : std::string_view(data, static_cast<std::size_t>(size));
}

}  // namespace vigil::store
