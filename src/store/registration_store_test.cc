#include "store/registration_store.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "store/database.h"
#include "store/schema.h"
#include "store/testing/fault_vfs.h"

namespace vigil::store {
namespace {

using testing::FaultVfs;

std::unique_ptr<Database> MustOpen(const FaultVfs& files) {
  OpenOptions options = RecordsOptions();
  options.vfs = files.name();
  auto opened = Database::Open("/vigil.db", options);
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? std::move(*opened) : nullptr;
}

// A killed process leaves the files as they are; closing a database would tidy them.
void Kill(FaultVfs& files, std::unique_ptr<Database> database) {
  std::vector<std::pair<std::string, std::string>> left;
  for (const std::string& name : files.List()) left.emplace_back(name, files.Content(name));
  database.reset();
  for (const std::string& name : files.List()) files.Remove(name);
  for (auto& [name, content] : left) files.SetContent(name, std::move(content));
}

// The transaction is complete in the log, only its sync failed; SQLite would take it at the next start. The
// caller was told that it failed, and the engine, which forgot it, has seen its removal written.
TEST(RegistrationStore, WhatFailedDoesNotComeBackOnceItsRemovalIsWritten) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    FaultVfs files({.seed = seed, .write_through = 1});
    auto database = MustOpen(files);
    RegistrationRecord record;
    record.key = {1, SyncKind::kOneShot, "b"};
    record.origin = "https://shop.example";
    const RegistrationStore::Batch put{{RecordChange::Op::kPut, record}};
    const RegistrationStore::Batch erase{{RecordChange::Op::kErase, record}};
    files.FailSyncs(FaultVfs::Lasts::kOnce);
    RegistrationStore registrations(*database);
    ASSERT_FALSE(registrations.Apply({&put, 1}));
    ASSERT_TRUE(registrations.Apply({&erase, 1}));
    Kill(files, std::move(database));
    database = MustOpen(files);
    const auto found = RegistrationStore(*database).LoadAll();
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(found->empty()) << "seed " << seed;
  }
}

// Nor does what was changed and changed back, though that leaves every row as it is.
TEST(RegistrationStore, WhatFailedDoesNotComeBackOnceTheRowIsWrittenAsItWas) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    FaultVfs files({.seed = seed, .write_through = 1});
    auto database = MustOpen(files);
    RegistrationRecord record;
    record.key = {1, SyncKind::kPeriodic, "c"};
    record.origin = "https://shop.example";
    const RegistrationStore::Batch before{{RecordChange::Op::kPut, record}};
    record.attempts = 1;
    const RegistrationStore::Batch after{{RecordChange::Op::kPut, record}};
    RegistrationStore registrations(*database);
    for (int round = 0; round < 3; ++round) {
      ASSERT_TRUE(registrations.Apply({&before, 1}));
      files.FailSyncs(FaultVfs::Lasts::kOnce);
      ASSERT_FALSE(registrations.Apply({&after, 1}));
      ASSERT_TRUE(registrations.Apply({&before, 1}));
    }
    Kill(files, std::move(database));
    database = MustOpen(files);
    const auto found = RegistrationStore(*database).LoadAll();
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().attempts, 0) << "seed " << seed;
  }
}

}  // namespace
}  // namespace vigil::store
