// The contract of BackingStore, on both implementations.
#include "storage/backing_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <functional>

#include "storage/key_codec.h"
#include "storage/memory_backing_store.h"
#include "storage/sqlite_backing_store.h"

namespace vigil::storage {
namespace {

using testing::ElementsAre;

const std::string kOrigin = "https://shop.example";
const std::string kName("\0d\0b", 4);

std::string Number(double number) { return EncodeNumber(number); }

class BackingStoreTest : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "vigil-storage-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    directories_ = std::make_unique<OriginDirectories>(root_, 1 << 30);
    if (GetParam()) {
      factory_ = std::make_unique<SqliteBackingStoreFactory>(*directories_);
    } else {
      factory_ = std::make_unique<MemoryBackingStoreFactory>();
    }
    Reopen();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(root_);
  }
  void Reopen() {
    store_.reset();
    auto opened = factory_->Open(kOrigin, kName);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  void Write(const std::function<void()>& work) {
    ASSERT_TRUE(store_->Begin(true));
    work();
    ASSERT_TRUE(store_->Commit());
  }
  void MakeStore() {
    ipc::IdbStoreInfo store;
    store.set_id(1);
    store.set_name(kName);
    ASSERT_TRUE(store_->SaveStore(store));
    ipc::IdbIndexInfo index;
    index.set_id(2);
    index.set_name(kName);
    ASSERT_TRUE(store_->SaveIndex(1, index));
    ASSERT_TRUE(store_->SetVersion(3));
  }
  std::vector<std::string> Keys(const ScanOptions& options) {
    std::vector<std::string> keys;
    auto cursor = store_->Scan(options);
    EXPECT_TRUE(cursor);
    for (;;) {
      const auto record = (*cursor)->Next();
      EXPECT_TRUE(record);
      if (!*record) return keys;
      keys.push_back(std::string((*record)->key) + std::string((*record)->primary));
    }
  }

  std::filesystem::path root_;
  std::unique_ptr<OriginDirectories> directories_;
  std::unique_ptr<BackingStoreFactory> factory_;
  std::unique_ptr<BackingStore> store_;
};

TEST_P(BackingStoreTest, NewDatabaseIsEmptyAndListed) {
  const auto info = store_->Load();
  ASSERT_TRUE(info);
  EXPECT_EQ(info->version(), 0u);
  EXPECT_EQ(info->name(), kName);
  EXPECT_THAT(*factory_->List(kOrigin), ElementsAre(kName));
  EXPECT_TRUE(*factory_->Exists(kOrigin, kName));
}

// Its locks are the store's that has it; to wait for them would be in vain.
class SqliteBackingStoreTest : public BackingStoreTest {};
TEST_P(SqliteBackingStoreTest, AFileIsOpenOnce) {
  const auto again = factory_->Open(kOrigin, kName);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::kCorrupt);
  Reopen();
}

TEST_P(BackingStoreTest, CommittedChangesSurviveReopening) {
  Write([&] {
    MakeStore();
    ASSERT_TRUE(store_->Put(1, Number(1), "one"));
    ASSERT_TRUE(store_->SetGenerator(1, 8));
  });
  Reopen();
  const auto info = store_->Load();
  ASSERT_TRUE(info);
  EXPECT_EQ(info->version(), 3u);
  EXPECT_EQ(info->next_id(), 3u);
  ASSERT_EQ(info->stores_size(), 1);
  EXPECT_EQ(info->stores(0).indexes_size(), 1);
  EXPECT_EQ(store_->Get(1, Number(1))->value(), "one");
  EXPECT_EQ(*store_->GetGenerator(1), 8);
}

TEST_P(BackingStoreTest, RollbackRestoresRecordsIndexesGeneratorAndSchema) {
  Write([&] {
    MakeStore();
    ASSERT_TRUE(store_->Put(1, Number(1), "one"));
    ASSERT_TRUE(store_->PutIndexEntry(2, Number(10), Number(1)));
  });
  ASSERT_TRUE(store_->Begin(true));
  ASSERT_TRUE(store_->Put(1, Number(1), "changed"));
  ASSERT_TRUE(store_->Put(1, Number(2), "two"));
  ASSERT_TRUE(store_->PutIndexEntry(2, Number(20), Number(2)));
  ASSERT_TRUE(store_->DeleteIndexEntries(2, KeyRange{}));
  ASSERT_TRUE(store_->Delete(1, KeyRange{}));
  ASSERT_TRUE(store_->SetGenerator(1, 99));
  ASSERT_TRUE(store_->DeleteStore(1));
  ASSERT_TRUE(store_->SetVersion(4));
  store_->Rollback();

  EXPECT_EQ(store_->Get(1, Number(1))->value(), "one");
  EXPECT_FALSE(*store_->Has(1, Number(2)));
  EXPECT_EQ(store_->GetPrimary(2, Number(10))->value(), Number(1));
  EXPECT_EQ(*store_->GetGenerator(1), 1);
  EXPECT_EQ(store_->Load()->version(), 3u);
  EXPECT_EQ(store_->Load()->stores(0).indexes_size(), 1);
}

TEST_P(BackingStoreTest, ScansRangesInBothDirections) {
  Write([&] {
    MakeStore();
    for (int i = 1; i <= 5; ++i) ASSERT_TRUE(store_->Put(1, Number(i), "v"));
  });
  KeyRange range{.lower = Number(2), .upper = Number(5), .lower_open = false, .upper_open = true};
  EXPECT_THAT(Keys({.store = 1, .range = range}), ElementsAre(Number(2), Number(3), Number(4)));
  EXPECT_THAT(Keys({.store = 1, .range = range, .reverse = true}),
              ElementsAre(Number(4), Number(3), Number(2)));
  EXPECT_EQ(*store_->Count(1, 0, range), 3u);
  Write([&] { ASSERT_TRUE(store_->Delete(1, range)); });
  EXPECT_THAT(Keys({.store = 1}), ElementsAre(Number(1), Number(5)));
}

TEST_P(BackingStoreTest, IndexScansGoOnWithinOneKey) {
  Write([&] {
    MakeStore();
    for (int i = 1; i <= 4; ++i) {
      ASSERT_TRUE(store_->Put(1, Number(i), "v"));
      ASSERT_TRUE(store_->PutIndexEntry(2, Number(7), Number(i)));
    }
    ASSERT_TRUE(store_->PutIndexEntry(2, Number(8), Number(1)));
  });
  const auto entry = [](double key, double primary) { return Number(key) + Number(primary); };
  ScanOptions scan{.store = 1, .index = 2, .range = {.lower = Number(7)}};
  scan.start_primary = Number(2);
  scan.start_after = true;
  EXPECT_THAT(Keys(scan), ElementsAre(entry(7, 3), entry(7, 4), entry(8, 1)));
  scan.start_after = false;
  scan.with_values = false;
  EXPECT_THAT(Keys(scan), ElementsAre(entry(7, 2), entry(7, 3), entry(7, 4), entry(8, 1)));
  scan = ScanOptions{.store = 1, .index = 2, .range = {.upper = Number(7)}, .reverse = true};
  scan.start_primary = Number(3);
  scan.start_after = true;
  EXPECT_THAT(Keys(scan), ElementsAre(entry(7, 2), entry(7, 1)));
  EXPECT_EQ(store_->GetPrimary(2, Number(7))->value(), Number(1));
  EXPECT_EQ(*store_->Count(1, 2, KeyRange{}), 5u);
  Write([&] { ASSERT_TRUE(store_->DeleteIndexEntries(2, {.lower = Number(2), .upper = Number(4)})); });
  EXPECT_THAT(Keys({.store = 1, .index = 2}), ElementsAre(entry(7, 1), entry(8, 1)));
}

TEST_P(BackingStoreTest, DeletedDatabaseIsGone) {
  Write([&] { MakeStore(); });
  store_.reset();
  ASSERT_TRUE(factory_->Delete(kOrigin, kName));
  EXPECT_FALSE(*factory_->Exists(kOrigin, kName));
  EXPECT_TRUE(factory_->List(kOrigin)->empty());
  Reopen();
  EXPECT_EQ(store_->Load()->version(), 0u);
}

INSTANTIATE_TEST_SUITE_P(Files, SqliteBackingStoreTest, testing::Values(true));
INSTANTIATE_TEST_SUITE_P(Both, BackingStoreTest, testing::Values(true, false),
                         [](const auto& which) { return which.param ? "Sqlite" : "Memory"; });

TEST(FileNames, StayReadableAndApart) {
  EXPECT_EQ(EscapeFileName("https://shop.example"), "https%3A%2F%2Fshop.example");
  EXPECT_EQ(EscapeFileName(".."), "%2E.");
  EXPECT_NE(EscapeFileName(std::string(500, 'a')), EscapeFileName(std::string(501, 'a')));
  EXPECT_LT(EscapeFileName(std::string(5000, '/')).size(), 200u);
}

}  // namespace
}  // namespace vigil::storage
