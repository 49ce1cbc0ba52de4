// SQLite behind a small wrapper, the only door to it: opening with migrations and damage control, statements,
// transactions, and errors as values. Users never include sqlite3.h.
//
// Threads: thread-compatible; one Database and its Statements belong to one thread at a time (the storage
// thread). Errors: kCorrupt (damaged file), kUnavailable (made by a newer Vigil), kPermissionDenied
// (read-only), kTooLarge (max_page_count, value too large), kIo (disk full and all else; the message says
// which). A failed transaction leaves nothing behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace vigil::store {

enum class Sync {
  kFull,    // a committed transaction survives a power cut
  kNormal,  // it survives the death of the process; a power cut may take the last ones, never damages the
            // file
};

struct OpenOptions {
  // What the file holds, as users call it: "Vigil's records", "the stored data of https://shop.example".
  std::string what = "the database";
  // Marks the file as ours of this kind (PRAGMA application_id). A file with another mark is refused
  // untouched.
  std::int32_t application_id = 0;
  // migrations[i] is an SQL script that takes the file from user_version i to i+1. Never edit one that was
  // released.
  std::vector<std::string> migrations;
  Sync sync = Sync::kFull;
  bool create = true;
  // Read and check every page while opening. Without it only the header, the schema and what Vigil noticed
  // earlier (a marker beside the file) are checked.
  bool check_all = false;
  // Notice after a crash when the log (NAME-wal), which holds what was committed last, is missing or is
  // another database's. Each session's name is stored in the file (table log_guard) and beside it
  // (NAME-open). Costs a few flushes at opening.
  bool guard_log = false;
  // The only connection to the file while it is open: its locks are held all the time instead of for each
  // transaction, and no memory is shared. Another Open of the file waits a while and fails.
  bool exclusive = false;
  // Upper bound of the file's size in bytes; 0: none. Beyond it writes fail with kTooLarge.
  std::int64_t max_bytes = 0;
  // The SQLite VFS that keeps the file; empty: the default one. Files of a named VFS are opened, or made, in
  // place: they need not be the operating system's, so nothing is looked at, renamed or set aside there.
  std::string vfs;
};

// One prepared statement in use. It resets itself when it goes; get a new one for every run (they are
// cached). Indexes: parameters from 1, columns from 0, as in SQL.
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& Bind(int index, std::int64_t value);
  Statement& Bind(int index, std::uint64_t value) { return Bind(index, static_cast<std::int64_t>(value)); }
  Statement& Bind(int index, int value) { return Bind(index, static_cast<std::int64_t>(value)); }
  Statement& Bind(int index, bool value) { return Bind(index, static_cast<std::int64_t>(value)); }
  Statement& Bind(int index, double value);
  // The bytes are not copied: they must live until the statement has run.
  Statement& Bind(int index, std::string_view text);
  Statement& Bind(int index, const char* text) { return Bind(index, std::string_view(text)); }
  Statement& BindBlob(int index, std::string_view bytes);
  Statement& BindNull(int index);
  // Binds arguments to parameters 1, 2, 3 …
  template <class... Args>
  Statement& With(const Args&... args) {
    int index = 0;
    (Bind(++index, args), ...);
    return *this;
  }

  // true: a row is there; false: done.
  Result<bool> Step();
  // Steps to the end, for statements that return nothing of interest.
  Result<> Run();
  // Ready to be bound and run again.
  void Reset();

  bool IsNull(int column) const;
  std::int64_t Int(int column) const;
  std::uint64_t Uint(int column) const { return static_cast<std::uint64_t>(Int(column)); }
  bool Bool(int column) const { return Int(column) != 0; }
  double Real(int column) const;
  // Valid until the next Step or Reset. Works for text and blobs, NUL bytes included.
  std::string_view View(int column) const;
  std::string Text(int column) const { return std::string(View(column)); }

 private:
  friend class Database;
  struct Cached;
  Statement(class Database* database, Cached* cached, std::optional<Error> error);
  Statement& Note(int code);

  Database* database_;
  Cached* cached_;              // null: it did not compile, or the moved-from husk
  std::optional<Error> error_;  // of Prepare or Bind; Step reports it
};

class Database {
 public:
  // Opens or makes the file. A new file appears under its name only when it is complete.
  // A damaged file is set aside (renamed to NAME.damaged-N, its -wal beside it) and the call fails with a
  // message that says so: nobody gets an empty database in place of a full one without being told. The next
  // Open makes a new one and logs a warning that names what was set aside. A file whose log was removed
  // (guard_log) fails once in the same way, but stays: the next Open goes on with what is left.
  static Result<std::unique_ptr<Database>> Open(const std::filesystem::path& path,
                                                const OpenOptions& options);
  // In memory; for tests and private sessions.
  static Result<std::unique_ptr<Database>> OpenInMemory(const OpenOptions& options);
  // Damaged files that earlier calls set aside, oldest first.
  static std::vector<std::filesystem::path> SetAside(const std::filesystem::path& path);
  // All traces of damage below a directory, sorted: files set aside, and notes of lost logs
  // (NAME.lost-log-N). They stay until somebody deletes them.
  static std::vector<std::filesystem::path> TracesOfDamage(const std::filesystem::path& directory);
  // Removes the file and what belongs to it (-wal, -shm, marker). Close it first. Absent files are fine.
  static Result<> Remove(const std::filesystem::path& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Compiled once per SQL text. Errors of preparing come out of Step or Run. `sql` need not outlive the call.
  Statement Prepare(std::string_view sql);
  // A statement without result rows: Run("DELETE FROM t WHERE id = ?", id).
  template <class... Args>
  Result<> Run(std::string_view sql, const Args&... args) {
    Statement statement = Prepare(sql);
    statement.With(args...);
    return statement.Run();
  }
  // Several statements, no parameters, not cached.
  Result<> Exec(const std::string& script);

  // Runs `work` in one transaction (BEGIN IMMEDIATE): committed when it succeeds, rolled back entirely when
  // it, or the commit, fails. Inside another transaction it becomes part of it as a savepoint.
  Result<> Transaction(const std::function<Result<>()>& work);

  std::int64_t last_insert_rowid() const;
  std::int64_t changes() const;
  // Bytes in the main file, counting unused pages as used.
  std::int64_t FileBytes();
  // Writes the log back into the main file.
  Result<> Checkpoint();
  // Empty for a database in memory.
  const std::filesystem::path& path() const { return path_; }

 private:
  friend class Statement;
  Database(std::filesystem::path path, std::string what);
  static Result<std::unique_ptr<Database>> OpenExisting(const std::filesystem::path& path,
                                                        const OpenOptions& options);
  static Result<std::unique_ptr<Database>> OpenElsewhere(const std::filesystem::path& path,
                                                         const OpenOptions& options);
  static Result<> Create(const std::filesystem::path& path, const OpenOptions& options);
  Result<> Connect(const std::filesystem::path& file, const OpenOptions& options);
  Result<> CheckKind(const OpenOptions& options);
  Result<> CheckPages(const OpenOptions& options);
  Result<> Migrate(const OpenOptions& options);
  Result<> CheckLog(bool has_log);
  void GuardLog();
  void Settle();
  Result<std::int64_t> Pragma(const char* name);
  // The error of the last call on this connection, which returned `code`.
  Error Failure(int code);
  bool TransactionLost() const;

  std::filesystem::path path_;
  std::string what_;
  bool in_memory_ = false;
  bool elsewhere_ = false;  // the operating system does not know the file
  bool opening_ = true;     // errors are part of Open's message then
  bool limited_ = false;
  bool guarded_ = false;  // the marker may be there
  sqlite3* db_ = nullptr;
  int depth_ = 0;
  std::map<std::string, std::vector<std::unique_ptr<Statement::Cached>>, std::less<>> statements_;
};

}  // namespace vigil::store
