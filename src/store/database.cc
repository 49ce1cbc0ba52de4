#include "store/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

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
constexpr int kBusyTimeoutMs = 5000;

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

bool Exists(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace

Result<std::unique_ptr<Database>> Database::Open(const std::filesystem::path& path,
                                                 const OpenOptions& options) {
  if (!options.vfs.empty()) return OpenElsewhere(path, options);
  if (!Exists(path)) {
    if (!options.create) {
      return Fail(ErrorCode::kNotFound,
                  fmt::format("{} is not there: no file {}", options.what, path.string()));
    }
    const std::vector<std::filesystem::path> damaged = SetAside(path);
    if (!damaged.empty()) {
      log::Warning("{} starts empty: the former file is damaged and kept as {}", options.what,
                   damaged.back().string());
    }
    VIGIL_TRY(Create(path, options));
  }
  Result<std::unique_ptr<Database>> opened = OpenExisting(path, options);
  if (opened || opened.error().code != ErrorCode::kCorrupt) return opened;

  VIGIL_ASSIGN(const std::filesystem::path aside, PutAside(path));
  return Fail(
      ErrorCode::kCorrupt,
      fmt::format(
          "{} cannot be read: {}; the damaged file was set aside as {}; put a backup in its place, or start "
          "again to begin with an empty one",
          options.what, opened.error().message, aside.string()));
}

// Under a provisional name until it is complete, so that an empty or half-made file under the real name is
// always damage.
Result<> Database::Create(const std::filesystem::path& path, const OpenOptions& options) {
  if (::faccessat(AT_FDCWD, path.parent_path().c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return Fail(FileFailure(errno, "write in", path.parent_path()));
  }
  const std::filesystem::path provisional = path.string() + ".new";
  VIGIL_TRY(RemoveFiles(provisional));
  {
    std::unique_ptr<Database> database(new Database(provisional, options.what));
    VIGIL_TRY(database->Connect(provisional, options));
    VIGIL_TRY(database->Exec(fmt::format("PRAGMA application_id = {}", options.application_id)));
    VIGIL_TRY(database->Migrate(options));
    VIGIL_TRY(database->Checkpoint());
  }
  return Publish(provisional, path);
}

Result<std::unique_ptr<Database>> Database::OpenExisting(const std::filesystem::path& path,
                                                         const OpenOptions& options) {
  VIGIL_ASSIGN(const std::string wrong, LookAtFile(path));
  if (!wrong.empty()) return Fail(ErrorCode::kCorrupt, wrong);

  std::unique_ptr<Database> database(new Database(path, options.what));
  VIGIL_TRY(database->Connect(path, options));
  VIGIL_TRY(database->CheckKind(options));
  if (options.check_all || IsSuspect(path)) VIGIL_TRY(database->CheckPages(options));
  VIGIL_TRY(database->Migrate(options));
  database->opening_ = false;
  return database;
}

// A file without kind and version is new: a crash before its first migration leaves it so.
Result<std::unique_ptr<Database>> Database::OpenElsewhere(const std::filesystem::path& path,
                                                          const OpenOptions& options) {
  std::unique_ptr<Database> database(new Database(path, options.what));
  database->elsewhere_ = true;
  VIGIL_TRY(database->Connect(path, options));
  VIGIL_ASSIGN(const std::int64_t kind, database->Pragma("application_id"));
  VIGIL_ASSIGN(const std::int64_t version, database->Pragma("user_version"));
  if (kind == 0 && version == 0)
    VIGIL_TRY(database->Exec(fmt::format("PRAGMA application_id = {}", options.application_id)));
  VIGIL_TRY(database->CheckKind(options));
  if (options.check_all) VIGIL_TRY(database->CheckPages(options));
  VIGIL_TRY(database->Migrate(options));
  database->opening_ = false;
  return database;
}

Result<std::unique_ptr<Database>> Database::OpenInMemory(const OpenOptions& options) {
  std::unique_ptr<Database> database(new Database({}, options.what));
  database->in_memory_ = true;
  VIGIL_TRY(database->Connect(":memory:", options));
  VIGIL_TRY(database->Migrate(options));
  database->opening_ = false;
  return database;
}

std::vector<std::filesystem::path> Database::SetAside(const std::filesystem::path& path) {
  return ListSetAside(path);
}

Result<> Database::Remove(const std::filesystem::path& path) {
  ClearSuspect(path);
  return RemoveFiles(path);
}

Database::Database(std::filesystem::path path, std::string what)
    : path_(std::move(path)), what_(std::move(what)) {}

Database::~Database() {
  statements_.clear();
  sqlite3_close(db_);
}

Result<> Database::Connect(const std::filesystem::path& file, const OpenOptions& options) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const char* vfs = options.vfs.empty() ? nullptr : options.vfs.c_str();
  if (const int code = sqlite3_open_v2(file.c_str(), &db_, flags, vfs); code != SQLITE_OK)
    return Fail(Failure(code));
  sqlite3_busy_timeout(db_, kBusyTimeoutMs);
  // SQLite falls back to reading when it may not write; for us that is an error.
  if (sqlite3_db_readonly(db_, "main") == 1) return Fail(FileFailure(EACCES, "write", path_));
  VIGIL_TRY(Exec("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"));
  if (!in_memory_) VIGIL_TRY(Exec("PRAGMA journal_mode = WAL"));
  VIGIL_TRY(Exec(options.sync == Sync::kFull ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"));
  limited_ = options.max_bytes > 0;
  if (limited_) {
    VIGIL_ASSIGN(const std::int64_t page_size, Pragma("page_size"));
    VIGIL_TRY(Exec(
        fmt::format("PRAGMA max_page_count = {}", std::max<std::int64_t>(1, options.max_bytes / page_size))));
  }
  return {};
}

Result<> Database::CheckKind(const OpenOptions& options) {
  VIGIL_ASSIGN(const std::int64_t kind, Pragma("application_id"));
  if (kind != options.application_id) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is a database, but not {}; choose another directory, or move it away",
                            path_.string(), what_));
  }
  VIGIL_ASSIGN(const std::int64_t version, Pragma("user_version"));
  if (version > static_cast<std::int64_t>(options.migrations.size())) {
    return Fail(
        ErrorCode::kUnavailable,
        fmt::format("{} was written by a newer Vigil (format {}, this one knows {}): {} was left as it is; "
                    "install the newer version again, or choose another directory",
                    what_, version, options.migrations.size(), path_.string()));
  }
  return {};
}

// A file that was found damaged before gets the full check, indexes included.
Result<> Database::CheckPages(const OpenOptions&) {
  const bool suspect = !elsewhere_ && IsSuspect(path_);
  Statement check = Prepare(suspect ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)");
  VIGIL_ASSIGN(const bool row, check.Step());
  if (!row || check.View(0) != "ok") {
    // A heading comes before the finding.
    std::string finding = row ? check.Text(0) : "the check said nothing";
    finding.erase(0, finding.rfind('\n') + 1);
    return Fail(ErrorCode::kCorrupt, fmt::format("it is damaged ({})", finding));
  }
  if (suspect) ClearSuspect(path_);
  return {};
}

Result<> Database::Migrate(const OpenOptions& options) {
  VIGIL_ASSIGN(const std::int64_t version, Pragma("user_version"));
  for (std::size_t i = static_cast<std::size_t>(version); i < options.migrations.size(); ++i) {
    VIGIL_TRY(Transaction([&]() -> Result<> {
      VIGIL_TRY(Exec(options.migrations[i]));
      return Exec(fmt::format("PRAGMA user_version = {}", i + 1));
    }));
  }
  return {};
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
