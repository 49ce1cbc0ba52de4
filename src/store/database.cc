#include "store/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "store/database_files.h"
#include "store/statement_cache.h"

namespace vigil::store {
namespace {

// More texts than this are not worth keeping compiled.
constexpr std::size_t kMaxCachedStatements = 512;

// What the operating system said when a write failed. The connection's own note of it may be overwritten by
// then; the files still know.
int SystemError(sqlite3* db) {
  int error = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &error);
  if (error != 0) return error;
  sqlite3_file* log = nullptr;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log != nullptr &&
      log->pMethods != nullptr && log->pMethods->xFileControl != nullptr) {
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &error);
  }
  return error != 0 ? error : sqlite3_system_errno(db);
}

}  // namespace

std::vector<std::filesystem::path> Database::SetAside(const std::filesystem::path& path) {
  return ListSetAside(path);
}

std::vector<std::filesystem::path> Database::TracesOfDamage(const std::filesystem::path& directory) {
  return ListTraces(directory);
}

Result<> Database::Remove(const std::filesystem::path& path) {
  ClearSuspect(path);
  return RemoveFiles(path);
}

Database::Database(std::filesystem::path path, std::string what)
    : path_(std::move(path)), what_(std::move(what)) {}

Database::~Database() {
  statements_.clear();
  // Before SQLite removes the log.
  if (guarded_ && !opening_) ClearOpenMarker(path_);
  sqlite3_close(db_);
}

Result<std::int64_t> Database::Pragma(const char* name) {
  Statement statement = Prepare(fmt::format("PRAGMA {}", name));
  VIGIL_TRY(statement.Step());
  return statement.Int(0);
}

Statement Database::Prepare(std::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    if (statements_.size() >= kMaxCachedStatements) {
      for (auto it = statements_.begin(); it != statements_.end();) {
        const bool idle =
            std::none_of(it->second.begin(), it->second.end(), [](const auto& c) { return c->in_use; });
        it = idle ? statements_.erase(it) : std::next(it);
      }
    }
    found = statements_.emplace(std::string(sql), std::vector<std::unique_ptr<Statement::Cached>>()).first;
  }
  for (const auto& cached : found->second) {
    if (cached->in_use) continue;
    cached->in_use = true;
    return Statement(this, cached.get(), std::nullopt);
  }
  sqlite3_stmt* handle = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
  if (code != SQLITE_OK) return Statement(this, nullptr, Failure(code));
  found->second.push_back(std::make_unique<Statement::Cached>(handle));
  found->second.back()->in_use = true;
  return Statement(this, found->second.back().get(), std::nullopt);
}

Result<> Database::Exec(const std::string& script) {
  const int code = sqlite3_exec(db_, script.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Fail(Failure(code));
  return {};
}

Result<> Database::Transaction(const std::function<Result<>()>& work) {
  const bool outermost = depth_ == 0;
  const std::string name = fmt::format("level{}", depth_);
  VIGIL_TRY(Exec(outermost ? "BEGIN IMMEDIATE" : "SAVEPOINT " + name));
  ++depth_;
  Result<> result = work();
  --depth_;
  if (result && TransactionLost())
    result = Fail(ErrorCode::kAborted, fmt::format("{}: the transaction was undone", what_));
  if (result) result = Exec(outermost ? "COMMIT" : "RELEASE " + name);
  // After some errors (full disk) SQLite has undone everything already.
  if (!result && sqlite3_get_autocommit(db_) == 0) {
    if (Result<> undone = Exec(outermost ? "ROLLBACK" : "ROLLBACK TO " + name + "; RELEASE " + name);
        !undone) {
      log::Error("{}: cannot undo a transaction: {}", what_, undone.error().message);
    }
  }
  return result;
}

// True inside a Transaction that SQLite has given up by itself: what runs now would commit on its own.
bool Database::TransactionLost() const { return sqlite3_get_autocommit(db_) != 0; }

std::int64_t Database::last_insert_rowid() const { return sqlite3_last_insert_rowid(db_); }

std::int64_t Database::changes() const { return sqlite3_changes64(db_); }

std::int64_t Database::FileBytes() {
  const Result<std::int64_t> pages = Pragma("page_count");
  const Result<std::int64_t> size = Pragma("page_size");
  return pages && size ? *pages * *size : 0;
}

Result<> Database::Checkpoint() {
  const int code = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code != SQLITE_OK) return Fail(Failure(code));
  return {};
}

Error Database::Failure(int code) {
  if (db_ == nullptr) return {ErrorCode::kIo, fmt::format("{}: out of memory", what_)};
  const int system = SystemError(db_);
  const std::string detail = sqlite3_errmsg(db_);
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      if (opening_) return {ErrorCode::kCorrupt, fmt::format("it is damaged ({})", detail)};
      if (!in_memory_ && !elsewhere_) MarkSuspect(path_);
      return {ErrorCode::kCorrupt,
              fmt::format("{} is damaged ({}); restart Vigil, which will check it", what_, detail)};
    case SQLITE_FULL:
      if (limited_ && (in_memory_ || elsewhere_ || HasFreeSpace(path_))) {
        return {ErrorCode::kTooLarge, fmt::format("{} has reached its size limit", what_)};
      }
      return FileFailure(ENOSPC, "write", path_);
    case SQLITE_IOERR:
      return FileFailure(system != 0 ? system : EIO, "write", path_);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return FileFailure(system == EROFS ? EROFS : EACCES, "write", path_);
    case SQLITE_CANTOPEN:
      return FileFailure(system != 0 ? system : EACCES, "open", path_);
    case SQLITE_TOOBIG:
      return {ErrorCode::kTooLarge, fmt::format("{}: the value is too large to be stored", what_)};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kUnavailable,
              fmt::format("{} is locked by another program; close it and try again", what_)};
    case SQLITE_CONSTRAINT:
      return {ErrorCode::kAlreadyExists, fmt::format("{}: {}", what_, detail)};
    default:
      return {ErrorCode::kInternal, fmt::format("{}: {}", what_, detail)};
  }
}

}  // namespace vigil::store
