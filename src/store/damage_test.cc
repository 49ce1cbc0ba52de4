// Every way to damage Vigil's own files: nothing crashes, and nobody gets less than was stored without being
// told. docs/durability.md lists what each kind of damage leads to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "store/database.h"
#include "store/stores.h"
#include "store/test_directory.h"
#include "store/testing/unsynced.h"

namespace vigil::store {
namespace {

using ::testing::HasSubstr;
using testing::Lots;
namespace fs = std::filesystem;

constexpr int kRegistrations = 60;

RegistrationStore::Batch Registration(int number, const std::string& name = "tag") {
  RegistrationRecord record;
  record.key = {static_cast<std::uint64_t>(number), SyncKind::kOneShot, name + std::string(200, 'x')};
  record.origin = "https://shop.example";
  return {RecordChange{RecordChange::Op::kPut, record}};
}

Result<> Fill(Stores& stores, const std::string& name = "tag", int count = kRegistrations) {
  for (int i = 1; i <= count; ++i) {
    const RegistrationStore::Batch batch = Registration(i, name);
    VIGIL_TRY(stores.registrations.Apply({&batch, 1}));
  }
  VIGIL_TRY(stores.events.SetRecording(Service::kBackgroundSync, true, WallTime(Duration(1))));
  LoggedEvent event;
  event.name = "Dispatched sync event";
  event.metadata.emplace_back("filler", std::string(300, 'y'));
  return stores.events.Append(std::vector<LoggedEvent>(100, event)).map([](const auto&) {});
}

// Closed properly: everything is in the main files.
void Make(const fs::path& directory) {
  fs::create_directory(directory);
  auto stores = Stores::Open(directory);
  ASSERT_TRUE(stores) << stores.error().message;
  ASSERT_TRUE(Fill(**stores));
}

// Ended by SIGKILL: what was stored last is in the logs.
void MakeAndDie(const fs::path& directory, const std::string& name = "tag") {
  fs::create_directory(directory);
  const pid_t child = ::fork();
  if (child == 0) {
    auto stores = Stores::Open(directory);
    if (stores && Fill(**stores, name)) ::raise(SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

void Copy(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

// Opens what was damaged and reads all of it. Returns how many registrations there are, or the error.
Result<std::size_t> OpenAndRead(const fs::path& directory) {
  VIGIL_ASSIGN(auto stores, Stores::Open(directory));
  VIGIL_ASSIGN(const auto records, stores->registrations.LoadAll());
  (void)stores->apps.All();
  (void)stores->service_workers.Load();
  (void)stores->cookies.All();
  (void)stores->permissions.All();
  (void)stores->engagement.All();
  (void)stores->networks.All();
  (void)stores->notifications.All();
  (void)stores->events.Query({});
  return records.size();
}

void ExpectRefusedAndSetAside(const fs::path& directory, const Error& error) {
  EXPECT_EQ(error.code, ErrorCode::kCorrupt) << error.message;
  EXPECT_THAT(error.message, HasSubstr("vigil.db.damaged-1"));
  EXPECT_THAT(error.message, HasSubstr("put a backup in its place, or start again"));
  EXPECT_EQ(Database::TracesOfDamage(directory).size(), 1U);
}

TEST(DamagedRecords, AreNeverTakenForFewerWhenTheyAreCutOffAtAnyLength) {
  const TestDirectory scratch;
  Make(scratch / "whole");
  const auto size = fs::file_size(scratch / "whole" / "vigil.db");
  const auto damaged = scratch / "damaged";
  std::vector<std::uintmax_t> lengths = {0,   1,   15,   16,   17,   99,          100,
                                         101, 512, 4095, 4096, 4097, size - 4096, size - 1};
  Lots lots(1);
  for (int i = 0; i < 60; ++i) lengths.push_back(lots.Below(size));
  for (const auto length : lengths) {
    Copy(scratch / "whole", damaged);
    fs::resize_file(damaged / "vigil.db", length);
    const auto opened = OpenAndRead(damaged);
    ASSERT_FALSE(opened) << "cut to " << length;
    ExpectRefusedAndSetAside(damaged, opened.error());
  }
}

// SQLite has no checksums in the main file: a flipped bit inside a value or in unused space passes. What
// passes must be whole apart from that value.
TEST(DamagedRecords, AreNeverTakenForFewerWhenBytesAreFlippedAnywhere) {
  const TestDirectory scratch;
  Make(scratch / "whole");
  const std::string whole = ReadFile(scratch / "whole" / "vigil.db");
  const auto damaged = scratch / "damaged";
  Lots lots(2);
  int refused = 0;
  constexpr int kRounds = 150;
  for (int round = 0; round < kRounds; ++round) {
    Copy(scratch / "whole", damaged);
    std::string content = whole;
    const int flips = 1 << lots.Below(6);
    for (int i = 0; i < flips; ++i) {
      // Half of them where every bit has a meaning: the heads of pages.
      const std::uint64_t page = lots.Below(content.size() / 4096) * 4096;
      const std::uint64_t at = lots.Draw(0.5) ? page + lots.Below(128) : lots.Below(content.size());
      content[at] = static_cast<char>(content[at] ^ (1 << lots.Below(8)));
    }
    WriteFile(damaged / "vigil.db", content);
    const auto opened = OpenAndRead(damaged);
    if (opened) {
      // A record that makes no sense any more is passed over with a warning.
      EXPECT_GE(*opened + static_cast<std::size_t>(flips), static_cast<std::size_t>(kRegistrations))
          << "round " << round;
    } else {
      ++refused;
      EXPECT_FALSE(opened.error().message.empty());
    }
  }
  EXPECT_GT(refused, kRounds / 4);
}

TEST(DamagedRecords, AreSetAsideWithTheirLogWhichMayBeDamagedTooOrNot) {
  const TestDirectory scratch;
  MakeAndDie(scratch / "whole");
  const auto damaged = scratch / "damaged";
  Copy(scratch / "whole", damaged);
  std::string content = ReadFile(damaged / "vigil.db");
  content.replace(0, 16, "not a database!!");
  WriteFile(damaged / "vigil.db", content);
  const auto opened = OpenAndRead(damaged);
  ASSERT_FALSE(opened);
  ExpectRefusedAndSetAside(damaged, opened.error());
  EXPECT_EQ(ReadFile(damaged / "vigil.db.damaged-1-wal"), ReadFile(scratch / "whole" / "vigil.db-wal"));
}

// Frames of the log have checksums: what is damaged there ends the log, and what was committed before it
// stays.
TEST(DamagedRecords, LoseTheEndOfALogWhoseBytesAreFlippedButNotTheirBeginning) {
  const TestDirectory scratch;
  MakeAndDie(scratch / "whole");
  const std::string whole = ReadFile(scratch / "whole" / "vigil.db-wal");
  const auto damaged = scratch / "damaged";
  Lots lots(3);
  int read = 0;
  for (int round = 0; round < 40; ++round) {
    Copy(scratch / "whole", damaged);
    std::string content = whole;
    content[lots.Below(content.size())] ^= static_cast<char>(1 << lots.Below(8));
    WriteFile(damaged / "vigil.db-wal", content);
    const auto opened = OpenAndRead(damaged);
    if (opened) {
      EXPECT_LE(*opened, static_cast<std::size_t>(kRegistrations));
      read += *opened > 0 ? 1 : 0;
    } else {
      ExpectRefusedAndSetAside(damaged, opened.error());  // the very first frames
    }
  }
  EXPECT_GT(read, 20);
}

TEST(DamagedRecords, SayThatTheirLogIsMissingAndGoOnWithTheRestTheSecondTime) {
  const TestDirectory scratch;
  MakeAndDie(scratch / "s");
  const std::string log = ReadFile(scratch / "s" / "vigil.db-wal");
  fs::remove(scratch / "s" / "vigil.db-wal");
  fs::remove(scratch / "s" / "vigil.db-shm");
  const auto refused = OpenAndRead(scratch / "s");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("vigil.db-wal is missing"));
  EXPECT_THAT(refused.error().message, HasSubstr("put it back, or start again"));
  EXPECT_EQ(Database::TracesOfDamage(scratch / "s").size(), 1U);

  Copy(scratch / "s", scratch / "restored");
  WriteFile(scratch / "restored" / "vigil.db-wal", log);
  EXPECT_EQ(OpenAndRead(scratch / "restored").value_or(0), static_cast<std::size_t>(kRegistrations));

  EXPECT_EQ(OpenAndRead(scratch / "s").value_or(99), 0U) << "all of it was in the log";
  EXPECT_EQ(Database::TracesOfDamage(scratch / "s").size(), 1U) << "the reminder stays";
}

TEST(DamagedRecords, DoNotMissALogThatWasClosedProperly) {
  const TestDirectory scratch;
  MakeAndDie(scratch / "s");
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(OpenAndRead(scratch / "s").value_or(0), static_cast<std::size_t>(kRegistrations));
    EXPECT_FALSE(fs::exists(scratch / "s" / "vigil.db-wal"));
    EXPECT_FALSE(fs::exists(scratch / "s" / "vigil.db-open"));
  }
}

TEST(DamagedRecords, AreNotReadWithTheLogOfAnotherDatabase) {
  const TestDirectory scratch;
  MakeAndDie(scratch / "mine", "mine");
  MakeAndDie(scratch / "other", "other");
  fs::copy_file(scratch / "other" / "vigil.db-wal", scratch / "mine" / "vigil.db-wal",
                fs::copy_options::overwrite_existing);
  const std::string mine = ReadFile(scratch / "mine" / "vigil.db");
  const auto opened = OpenAndRead(scratch / "mine");
  ASSERT_FALSE(opened);
  ExpectRefusedAndSetAside(scratch / "mine", opened.error());
  EXPECT_THAT(opened.error().message, HasSubstr("vigil.db-wal is damaged, or of another database"));
  EXPECT_EQ(ReadFile(scratch / "mine" / "vigil.db.damaged-1"), mine) << "nothing of the other is in it";
}

TEST(DamagedLog, IsReplacedAndKeepsNobodyFromTheRecords) {
  const TestDirectory scratch;
  Make(scratch / "whole");
  const std::string whole = ReadFile(scratch / "whole" / "log.db");
  const std::vector<std::function<std::string()>> damages = {
      [] { return std::string(); },
      [&] { return whole.substr(0, 50); },
      [&] { return whole.substr(0, whole.size() / 2); },
      [] { return std::string(8192, 'z'); },
      [&] { return std::string(whole).replace(100, 3900, std::string(3900, '\x55')); },
  };
  for (const auto& damage : damages) {
    const auto damaged = scratch / "damaged";
    Copy(scratch / "whole", damaged);
    WriteFile(damaged / "log.db", damage());
    auto stores = Stores::Open(damaged);
    ASSERT_TRUE(stores) << stores.error().message;
    EXPECT_EQ((*stores)->registrations.LoadAll().value().size(), static_cast<std::size_t>(kRegistrations));
    EXPECT_TRUE((*stores)->events.Query({}).value().empty());
    EXPECT_TRUE((*stores)->events.SetRecording(Service::kBackgroundSync, true, WallTime(Duration(1))));
    EXPECT_EQ(Database::TracesOfDamage(damaged), std::vector<fs::path>{damaged / "log.db.damaged-1"});
  }
}

}  // namespace
}  // namespace vigil::store
