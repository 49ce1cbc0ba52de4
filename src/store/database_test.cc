#include "store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>

#include "store/test_directory.h"

namespace vigil::store {
namespace {

using ::testing::HasSubstr;

OpenOptions Notes(std::vector<std::string> migrations = {
                      "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"}) {
  OpenOptions options;
  options.what = "the test's notes";
  options.application_id = 4711;
  options.migrations = std::move(migrations);
  options.check_all = true;
  return options;
}

std::int64_t Count(Database& database) {
  Statement statement = database.Prepare("SELECT count(*) FROM notes");
  EXPECT_TRUE(statement.Step().value_or(false));
  return statement.Int(0);
}

// A closed file with `rows` rows of 1 kB.
void Fill(const std::filesystem::path& path, int rows) {
  auto database = Database::Open(path, Notes());
  ASSERT_TRUE(database) << database.error().message;
  ASSERT_TRUE((*database)->Transaction([&]() -> Result<> {
    for (int i = 0; i < rows; ++i)
      VIGIL_TRY((*database)->Run("INSERT INTO notes (text) VALUES (?)", std::string(1000, 'x')));
    return {};
  }));
}

TEST(Database, KeepsWhatWasCommitted) {
  const TestDirectory scratch;
  Fill(scratch / "n.db", 10);
  auto database = Database::Open(scratch / "n.db", Notes());
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(Count(**database), 10);
}

TEST(Database, BindsAndReadsEveryType) {
  auto database = Database::OpenInMemory(Notes({"CREATE TABLE t (a, b, c, d, e)"})).value();
  const std::string blob("\0\1\2", 3);
  Statement put = database->Prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?)");
  ASSERT_TRUE(put.With(std::uint64_t{1} << 63, 2.5, "text", true).BindBlob(5, blob).Run());
  Statement rows = database->Prepare("SELECT a, b, c, d, e, NULL FROM t");
  ASSERT_TRUE(rows.Step().value());
  EXPECT_EQ(rows.Uint(0), std::uint64_t{1} << 63);
  EXPECT_EQ(rows.Real(1), 2.5);
  EXPECT_EQ(rows.Text(2), "text");
  EXPECT_TRUE(rows.Bool(3));
  EXPECT_EQ(rows.Text(4), blob);
  EXPECT_TRUE(rows.IsNull(5));
  EXPECT_FALSE(rows.Step().value());
}

TEST(Database, ReportsAStatementThatDoesNotCompile) {
  auto database = Database::OpenInMemory(Notes()).value();
  const Result<> result = database->Run("INSERT INTO nowhere VALUES (?)", 1);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("nowhere"));
}

TEST(Database, UndoesAFailedTransactionEntirely) {
  auto database = Database::OpenInMemory(Notes()).value();
  const Result<> result = database->Transaction([&]() -> Result<> {
    VIGIL_TRY(database->Run("INSERT INTO notes (text) VALUES ('a')"));
    return Fail(ErrorCode::kAborted, "no");
  });
  EXPECT_EQ(result.error().message, "no");
  EXPECT_EQ(Count(*database), 0);
}

TEST(Database, UndoesOnlyTheInnerTransactionThatFailed) {
  auto database = Database::OpenInMemory(Notes()).value();
  ASSERT_TRUE(database->Transaction([&]() -> Result<> {
    VIGIL_TRY(database->Run("INSERT INTO notes (text) VALUES ('a')"));
    const Result<> inner = database->Transaction([&]() -> Result<> {
      VIGIL_TRY(database->Run("INSERT INTO notes (text) VALUES ('b')"));
      return database->Run("INSERT INTO notes (id, text) VALUES (1, 'c')");
    });
    EXPECT_EQ(inner.error().code, ErrorCode::kAlreadyExists);
    return {};
  }));
  EXPECT_EQ(Count(*database), 1);
}

TEST(Database, MigratesFromEveryOlderVersion) {
  const std::vector<std::string> all = {"CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
                                        "ALTER TABLE notes ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",
                                        "UPDATE notes SET colour = 'blue'"};
  for (std::size_t version = 1; version <= all.size(); ++version) {
    const TestDirectory scratch;
    {
      auto old = Database::Open(scratch / "n.db",
                                Notes({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(version)}));
      ASSERT_TRUE(old);
      ASSERT_TRUE((*old)->Run("INSERT INTO notes (text) VALUES ('kept')"));
    }
    auto now = Database::Open(scratch / "n.db", Notes(all));
    ASSERT_TRUE(now) << now.error().message;
    Statement rows = (*now)->Prepare("SELECT text, colour FROM notes");
    ASSERT_TRUE(rows.Step().value());
    EXPECT_EQ(rows.Text(0), "kept");
    EXPECT_EQ(rows.Text(1), version == 3 ? "red" : "blue");
  }
}

TEST(Database, StaysAtTheOldVersionWhenAMigrationFails) {
  const TestDirectory scratch;
  Fill(scratch / "n.db", 1);
  const auto failed = Database::Open(scratch / "n.db",
                                     Notes({"CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
                                            "DELETE FROM notes; NONSENSE"}));
  ASSERT_FALSE(failed);
  EXPECT_EQ(Count(**Database::Open(scratch / "n.db", Notes())), 1);
}

TEST(Database, RefusesANewerVersionAndLeavesItAlone) {
  const TestDirectory scratch;
  {
    auto newer = Database::Open(
        scratch / "n.db", Notes({"CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)", ""}));
    ASSERT_TRUE(newer) << newer.error().message;
  }
  const std::string before = ReadFile(scratch / "n.db");
  const auto refused = Database::Open(scratch / "n.db", Notes());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("newer Vigil (format 2, this one knows 1)"));
  EXPECT_EQ(ReadFile(scratch / "n.db"), before);
}

TEST(Database, RefusesADatabaseOfAnotherProgramAndLeavesItAlone) {
  const TestDirectory scratch;
  Fill(scratch / "n.db", 1);
  OpenOptions other = Notes();
  other.application_id = 1;
  const auto refused = Database::Open(scratch / "n.db", other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(Database::SetAside(scratch / "n.db").empty());
}

struct Damage {
  const char* name;
  void (*inflict)(const std::filesystem::path&);
};

class DamagedDatabase : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedDatabase, IsSetAsideAndSaidSoAndNotReplacedAtOnce) {
  const TestDirectory scratch;
  const std::filesystem::path path = scratch / "n.db";
  Fill(path, 200);
  GetParam().inflict(path);
  const std::string damaged = ReadFile(path);

  const auto refused = Database::Open(path, Notes());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(refused.error().message, HasSubstr(path.string() + ".damaged-1"));
  EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(ReadFile(path.string() + ".damaged-1"), damaged);

  const auto fresh = Database::Open(path, Notes());
  ASSERT_TRUE(fresh) << fresh.error().message;
  EXPECT_EQ(Count(**fresh), 0);
  EXPECT_EQ(Database::SetAside(path).size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, DamagedDatabase,
    ::testing::Values(
        Damage{"Empty", [](const std::filesystem::path& p) { WriteFile(p, ""); }},
        Damage{"NotADatabase", [](const std::filesystem::path& p) { WriteFile(p, std::string(8192, 'z')); }},
        Damage{"HeaderCutOff", [](const std::filesystem::path& p) { std::filesystem::resize_file(p, 50); }},
        Damage{"EndCutOff",
               [](const std::filesystem::path& p) {
                 std::filesystem::resize_file(p, std::filesystem::file_size(p) / 2);
               }},
        Damage{"PagesOverwritten",
               [](const std::filesystem::path& p) {
                 std::string content = ReadFile(p);
                 content.replace(3 * 4096, 4096, std::string(4096, '\x55'));
                 WriteFile(p, content);
               }},
        Damage{"SchemaOverwritten",
               [](const std::filesystem::path& p) {
                 std::string content = ReadFile(p);
                 content.replace(100, 3900, std::string(3900, '\x55'));
                 WriteFile(p, content);
               }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Database, FindsDamageAtTheNextOpeningThatItMetWhileInUse) {
  const TestDirectory scratch;
  const std::filesystem::path path = scratch / "n.db";
  Fill(path, 200);
  std::string content = ReadFile(path);
  content.replace(20 * 4096, 8192, std::string(8192, '\x55'));
  WriteFile(path, content);
  OpenOptions quick = Notes();
  quick.check_all = false;
  {
    auto database = Database::Open(path, quick);
    ASSERT_TRUE(database) << database.error().message;
    Statement rows = (*database)->Prepare("SELECT text FROM notes");
    Result<bool> row = rows.Step();
    while (row && *row) row = rows.Step();
    ASSERT_FALSE(row);
    EXPECT_EQ(row.error().code, ErrorCode::kCorrupt);
  }
  const auto refused = Database::Open(path, quick);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(Database::SetAside(path).size(), 1U);
}

TEST(Database, DoesNotMakeAFileWhenToldNotTo) {
  const TestDirectory scratch;
  OpenOptions options = Notes();
  options.create = false;
  EXPECT_EQ(Database::Open(scratch / "n.db", options).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST(Database, SaysSoWhenItsFileOrDirectoryMayNotBeWritten) {
  const TestDirectory scratch;
  Fill(scratch / "n.db", 1);
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0555));
  std::filesystem::permissions(scratch / "n.db", std::filesystem::perms(0444));
  std::optional<WithoutRoot> somebody(std::in_place);
  const auto existing = Database::Open(scratch / "n.db", Notes());
  const auto fresh = Database::Open(scratch / "m.db", Notes());
  somebody.reset();
  std::filesystem::permissions(scratch.path(), std::filesystem::perms(0700));
  for (const auto* failed : {&existing, &fresh}) {
    ASSERT_FALSE(*failed);
    EXPECT_EQ(failed->error().code, ErrorCode::kPermissionDenied) << failed->error().message;
    EXPECT_THAT(failed->error().message, HasSubstr("write access"));
  }
}

TEST(Database, SaysSoAtItsSizeLimitAndLosesNothing) {
  const TestDirectory scratch;
  Fill(scratch / "n.db", 100);
  OpenOptions options = Notes();
  options.max_bytes = 256 * 1024;
  auto database = Database::Open(scratch / "n.db", options).value();
  const Result<> result = database->Transaction([&]() -> Result<> {
    for (int i = 0; i < 1000; ++i)
      VIGIL_TRY(database->Run("INSERT INTO notes (text) VALUES (?)", std::string(1000, 'y')));
    return {};
  });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(result.error().message, HasSubstr("size limit"));
  EXPECT_EQ(Count(*database), 100);
  EXPECT_TRUE(database->Run("INSERT INTO notes (text) VALUES ('small')"));
}

// Lets writes to files fail as a full disk does, from `bytes` on.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : former_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &former_);
    rlimit limit = former_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &former_);
    std::signal(SIGXFSZ, former_handler_);
  }

 private:
  rlimit former_{};
  void (*former_handler_)(int);
};

TEST(Database, SaysSoWhenTheDiskIsFullLosesNothingAndGoesOnAfterwards) {
  const TestDirectory scratch;
  Fill(scratch / "n.db", 100);
  auto database = Database::Open(scratch / "n.db", Notes()).value();
  {
    const FileSizeLimit full(64 * 1024);
    const Result<> result = database->Transaction([&]() -> Result<> {
      for (int i = 0; i < 1000; ++i)
        VIGIL_TRY(database->Run("INSERT INTO notes (text) VALUES (?)", std::string(1000, 'y')));
      return {};
    });
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kIo);
    EXPECT_THAT(result.error().message, HasSubstr("the disk is full"));
    EXPECT_EQ(Count(*database), 100);
  }
  EXPECT_TRUE(database->Run("INSERT INTO notes (text) VALUES ('after')"));
  EXPECT_EQ(Count(*database), 101);
  database.reset();
  EXPECT_EQ(Count(**Database::Open(scratch / "n.db", Notes())), 101);
}

TEST(Database, IsNotHalfMadeOnAFullDisk) {
  const TestDirectory scratch;
  {
    const FileSizeLimit full(1000);
    const auto failed = Database::Open(scratch / "n.db", Notes());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ErrorCode::kIo) << failed.error().message;
  }
  EXPECT_FALSE(std::filesystem::exists(scratch / "n.db"));
  EXPECT_TRUE(Database::Open(scratch / "n.db", Notes()));
}

// The promise behind every acknowledgement: whatever moment the process dies at, a commit that returned is
// there.
void KeepsAcknowledgedCommits(const OpenOptions& options) {
  const TestDirectory scratch;
  int acknowledged[2];
  ASSERT_EQ(::pipe(acknowledged), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(acknowledged[0]);
    auto database = Database::Open(scratch / "n.db", options);
    while (database && (*database)->Run("INSERT INTO notes (text) VALUES ('x')") &&
           ::write(acknowledged[1], "x", 1) == 1) {
    }
    ::_exit(1);
  }
  ::close(acknowledged[1]);
  std::int64_t count = 0;
  for (char byte = 0; count < 50 && ::read(acknowledged[0], &byte, 1) == 1; ++count) {
  }
  ::kill(child, SIGKILL);
  for (char byte = 0; ::read(acknowledged[0], &byte, 1) == 1; ++count) {
  }
  ::close(acknowledged[0]);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  auto database = Database::Open(scratch / "n.db", options);
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_GE(count, 50);
  EXPECT_GE(Count(**database), count);
  EXPECT_LE(Count(**database), count + 1);
}

TEST(Database, KeepsEveryAcknowledgedCommitWhenTheProcessIsKilled) { KeepsAcknowledgedCommits(Notes()); }

TEST(Database, KeepsEveryAcknowledgedCommitOfAnExclusiveDatabaseWhoseProcessIsKilled) {
  OpenOptions options = Notes();
  options.exclusive = true;
  KeepsAcknowledgedCommits(options);
}

TEST(Database, RemovesItsFiles) {
  const TestDirectory scratch;
  Fill(scratch / "n.db", 1);
  ASSERT_TRUE(Database::Remove(scratch / "n.db"));
  EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
  EXPECT_TRUE(Database::Remove(scratch / "n.db"));
}

}  // namespace
}  // namespace vigil::store
