// Opening a database: files that are missing, damaged, foreign, newer, or without their log.
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "store/database.h"
#include "store/database_files.h"

namespace vigil::store {
namespace {

constexpr int kBusyTimeoutMs = 5000;

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
    database->Settle();
  }
  return Publish(provisional, path);
}

Result<std::unique_ptr<Database>> Database::OpenExisting(const std::filesystem::path& path,
                                                         const OpenOptions& options) {
  VIGIL_ASSIGN(const std::string wrong, LookAtFile(path));
  if (!wrong.empty()) return Fail(ErrorCode::kCorrupt, wrong);
  const bool has_log = HasLog(path);
  std::unique_ptr<Database> database(new Database(path, options.what));
  VIGIL_TRY(database->Connect(path, options));
  VIGIL_TRY(database->CheckKind(options));
  if (options.check_all || IsSuspect(path)) VIGIL_TRY(database->CheckPages(options));
  if (options.guard_log) VIGIL_TRY(database->CheckLog(has_log));
  VIGIL_TRY(database->Migrate(options));
  if (options.guard_log) database->GuardLog();
  database->Settle();
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
  database->Settle();
  return database;
}

Result<std::unique_ptr<Database>> Database::OpenInMemory(const OpenOptions& options) {
  std::unique_ptr<Database> database(new Database({}, options.what));
  database->in_memory_ = true;
  VIGIL_TRY(database->Connect(":memory:", options));
  VIGIL_TRY(database->Migrate(options));
  database->Settle();
  return database;
}

Result<> Database::Connect(const std::filesystem::path& file, const OpenOptions& options) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const char* vfs = options.vfs.empty() ? nullptr : options.vfs.c_str();
  if (const int code = sqlite3_open_v2(file.c_str(), &db_, flags, vfs); code != SQLITE_OK)
    return Fail(Failure(code));
  sqlite3_busy_timeout(db_, kBusyTimeoutMs);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // SQLite falls back to reading when it may not write; for us that is an error.
  if (sqlite3_db_readonly(db_, "main") == 1) return Fail(FileFailure(EACCES, "write", path_));
  VIGIL_TRY(Exec("PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON"));
  if (options.exclusive) VIGIL_TRY(Exec("PRAGMA locking_mode = EXCLUSIVE"));
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

// The file was not closed properly when there is a marker. Then the last session's name is in it and in the
// database, unless the log that held it there is gone or is another's.
Result<> Database::CheckLog(bool has_log) {
  const std::string expected = ReadOpenMarker(path_);
  if (expected.empty()) return {};
  Statement read = Prepare("SELECT session FROM log_guard");
  const Result<bool> row = read.Step();
  if (row && *row && read.View(0) == expected) return {};
  if (has_log)
    return Fail(ErrorCode::kCorrupt,
                fmt::format("its log {}-wal is damaged, or of another database", path_.string()));
  VIGIL_ASSIGN(const std::filesystem::path note, NoteLostLog(path_));
  return Fail(
      ErrorCode::kIo,
      fmt::format("{} have lost their log: {}-wal is missing, and with it what was stored last; put it "
                  "back, or start again to go on with what is left ({} was made as a reminder)",
                  what_, path_.string(), note.string()));
}

// A disk that does not take it leaves the log without guard; what is stored later will tell that it is full.
void Database::GuardLog() {
  guarded_ = true;
  ClearOpenMarker(path_);
  std::string session;
  const Result<> named = Transaction([&]() -> Result<> {
    VIGIL_TRY(Exec("CREATE TABLE IF NOT EXISTS log_guard (session TEXT NOT NULL); DELETE FROM log_guard"));
    VIGIL_TRY(Exec("INSERT INTO log_guard VALUES (lower(hex(randomblob(16))))"));
    Statement read = Prepare("SELECT session FROM log_guard");
    VIGIL_TRY(read.Step());
    session = read.Text(0);
    return {};
  });
  if (named) (void)SetOpenMarker(path_, session);
}

// From here on the file is in use: closing it writes the log back. Before, it is left as it was found.
void Database::Settle() {
  opening_ = false;
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

}  // namespace vigil::store
