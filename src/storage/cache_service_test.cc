#include "storage/cache_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "store/database.h"

namespace vigil::storage {
namespace {

using testing::ElementsAre;

class CacheServiceTest : public testing::Test {
 protected:
  CacheServiceTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vigil-cache-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    directories_ = std::make_unique<OriginDirectories>(root_, 16 << 20);
    service_ = std::make_unique<CacheService>(*directories_);
    service_->AddClient(1, "https://shop.example");
  }
  ~CacheServiceTest() override {
    service_.reset();
    std::filesystem::remove_all(root_);
  }
  // Somebody changes the file by hand while nobody has it open.
  void Tamper(const std::string& sql) {
    service_->RemoveClient(1);
    store::OpenOptions raw;
    raw.application_id = 0x56474943;
    raw.migrations = {""};
    auto database =
        store::Database::Open(directories_->PathOf("https://shop.example") / "caches.sqlite", raw);
    ASSERT_TRUE(database && (*database)->Exec(sql));
    database->reset();
    service_->AddClient(1, "https://shop.example");
  }
  std::uint64_t Open(const std::string& name) {
    ipc::CacheRequest request;
    request.set_open(name);
    return service_->Handle(1, request).cache();
  }
  static ipc::CacheEntry Entry(const std::string& path, const std::string& body) {
    ipc::CacheEntry entry;
    entry.mutable_request()->set_method("GET");
    entry.mutable_request()->set_url("https://shop.example/" + path);
    entry.mutable_response()->set_status(200);
    entry.mutable_response()->mutable_body()->set_inline_(body);
    return entry;
  }
  static void SetHeader(ipc::HttpRequest* request, const std::string& name, const std::string& value) {
    ipc::HttpHeader& header = *request->add_headers();
    header.set_name(name);
    header.set_value(value);
  }
  ipc::CacheReply Put(std::uint64_t cache, const std::vector<ipc::CacheEntry>& entries) {
    ipc::CacheRequest request;
    request.mutable_put()->set_cache(cache);
    for (const ipc::CacheEntry& entry : entries) *request.mutable_put()->add_entries() = entry;
    return service_->Handle(1, request);
  }
  static ipc::CacheRequest Match(std::uint64_t cache, const std::string& path) {
    ipc::CacheRequest request;
    request.mutable_match()->set_cache(cache);
    request.mutable_match()->mutable_request()->set_method("GET");
    request.mutable_match()->mutable_request()->set_url("https://shop.example/" + path);
    return request;
  }
  std::string BodyOf(const ipc::CacheRequest& match) {
    const ipc::CacheReply reply = service_->Handle(1, match);
    return reply.responses_size() == 0 ? "(none)" : reply.responses(0).body().inline_();
  }

  std::filesystem::path root_;
  std::unique_ptr<OriginDirectories> directories_;
  std::unique_ptr<CacheService> service_;
};

TEST_F(CacheServiceTest, AnOriginThatCouldNotBeOpenedIsTriedAgain) {
  const std::filesystem::path place = directories_->PathOf("https://shop.example");
  std::filesystem::create_directories(place.parent_path());
  std::filesystem::copy_file("/proc/self/comm", place);  // a file where the directory belongs
  EXPECT_EQ(Open("a"), 0U);
  service_->RemoveClient(1);
  service_->AddClient(1, "https://shop.example");
  EXPECT_EQ(Open("a"), 0U);
  std::filesystem::remove(place);
  EXPECT_NE(Open("a"), 0U);
}

TEST_F(CacheServiceTest, NamesComeInOrderOfCreation) {
  for (const char* name : {"zebra", "ant", "mole"}) Open(name);
  ipc::CacheRequest keys;
  keys.set_keys(true);
  EXPECT_THAT(service_->Handle(1, keys).names(), ElementsAre("zebra", "ant", "mole"));
  ipc::CacheRequest remove;
  remove.set_remove("ant");
  EXPECT_TRUE(service_->Handle(1, remove).found());
  EXPECT_FALSE(service_->Handle(1, remove).found());
}

// The worker could not read an answer that holds it, and would lose all the others.
TEST_F(CacheServiceTest, ANameOnDiskThatIsNoTextIsPassedOver) {
  Open("good");
  Tamper("INSERT INTO caches (name) VALUES (x'ff00')");
  ipc::CacheRequest keys;
  keys.set_keys(true);
  const ipc::CacheReply reply = service_->Handle(1, keys);
  EXPECT_THAT(reply.names(), ElementsAre("good"));
  EXPECT_TRUE(ipc::CacheReply().ParseFromString(reply.SerializeAsString()));
}

TEST_F(CacheServiceTest, NumbersThatScriptsCannotHoldAreADamage) {
  Open("good");
  Tamper("INSERT INTO caches VALUES (9007199254740992, CAST('far' AS BLOB))");
  ipc::CacheRequest open;
  for (const char* name : {"far", "after it"}) {
    open.set_open(name);
    EXPECT_EQ(service_->Handle(1, open).error_name(), "UnknownError") << name;
  }
  EXPECT_NE(Open("good"), 0U);
}

TEST_F(CacheServiceTest, MatchesByUrlWithoutFragment) {
  const std::uint64_t cache = Open("a");
  Put(cache, {Entry("feed?page=1#top", "one"), Entry("feed?page=2", "two")});
  EXPECT_EQ(BodyOf(Match(cache, "feed?page=2#x")), "two");
  EXPECT_EQ(BodyOf(Match(cache, "feed")), "(none)");
  ipc::CacheRequest loose = Match(cache, "feed");
  loose.mutable_match()->set_ignore_search(true);
  EXPECT_EQ(BodyOf(loose), "one");
  ipc::CacheRequest post = Match(cache, "feed?page=2");
  post.mutable_match()->mutable_request()->set_method("POST");
  EXPECT_EQ(BodyOf(post), "(none)");
  post.mutable_match()->set_ignore_method(true);
  EXPECT_EQ(BodyOf(post), "two");
}

TEST_F(CacheServiceTest, VaryKeepsVariantsApart) {
  const std::uint64_t cache = Open("a");
  for (const char* language : {"de", "en"}) {
    ipc::CacheEntry entry = Entry("page", language);
    SetHeader(entry.mutable_request(), "Accept-Language", language);
    ipc::HttpHeader& vary = *entry.mutable_response()->add_headers();
    vary.set_name("vary");
    vary.set_value("accept-language");
    EXPECT_EQ(Put(cache, {entry}).error_name(), "");
  }
  ipc::CacheRequest match = Match(cache, "page");
  SetHeader(match.mutable_match()->mutable_request(), "accept-language", "de");
  EXPECT_EQ(BodyOf(match), "de");
  EXPECT_EQ(BodyOf(Match(cache, "page")), "(none)");
  ipc::CacheRequest loose = Match(cache, "page");
  loose.mutable_match()->set_ignore_vary(true);
  EXPECT_EQ(BodyOf(loose), "de");
}

TEST_F(CacheServiceTest, PutReplacesAndIsAllOrNothing) {
  const std::uint64_t cache = Open("a");
  Put(cache, {Entry("x", "old")});
  EXPECT_EQ(Put(cache, {Entry("y", "new"), Entry("x", "new"), Entry("x#again", "new")}).error_name(),
            "InvalidStateError");
  EXPECT_EQ(BodyOf(Match(cache, "x")), "old");
  EXPECT_EQ(BodyOf(Match(cache, "y")), "(none)");
  Put(cache, {Entry("x", "new")});
  EXPECT_EQ(BodyOf(Match(cache, "x")), "new");
}

TEST_F(CacheServiceTest, RefusesWhatTheSpecificationRefuses) {
  const std::uint64_t cache = Open("a");
  ipc::CacheEntry post = Entry("x", "");
  post.mutable_request()->set_method("POST");
  EXPECT_EQ(Put(cache, {post}).error_name(), "TypeError");
  ipc::CacheEntry partial = Entry("x", "");
  partial.mutable_response()->set_status(206);
  EXPECT_EQ(Put(cache, {partial}).error_name(), "TypeError");
  ipc::CacheEntry local = Entry("x", "");
  local.mutable_request()->set_url("file:///etc/passwd");
  EXPECT_EQ(Put(cache, {local}).error_name(), "TypeError");
}

TEST_F(CacheServiceTest, LargeBodiesTravelInPiecesAndOutliveTheirEntry) {
  const std::uint64_t cache = Open("a");
  std::string body;
  for (int i = 0; i < 3; ++i) {
    ipc::CacheRequest upload;
    upload.mutable_upload()->set_body(7);
    upload.mutable_upload()->set_data(std::string(1 << 20, static_cast<char>('a' + i)));
    body += upload.upload().data();
    ASSERT_EQ(service_->Handle(1, upload).error_name(), "");
  }
  ipc::CacheEntry entry = Entry("large", "");
  entry.mutable_response()->mutable_body()->set_stream(7);
  ASSERT_EQ(Put(cache, {entry}).error_name(), "");
  const ipc::CacheReply found = service_->Handle(1, Match(cache, "large"));
  ASSERT_EQ(found.bodies_size(), 1);
  EXPECT_EQ(found.bodies(0).size(), body.size());
  Put(cache, {Entry("large", "small now")});
  std::string read;
  while (read.size() < body.size()) {
    ipc::CacheRequest download;
    download.mutable_download()->set_body(found.bodies(0).body());
    download.mutable_download()->set_offset(read.size());
    download.mutable_download()->set_limit(700000);
    const ipc::CacheReply piece = service_->Handle(1, download);
    ASSERT_FALSE(piece.chunk().empty());
    read += piece.chunk();
  }
  EXPECT_TRUE(read == body);
}

TEST_F(CacheServiceTest, DeletedCacheWorksOnUntilItsUsersAreGone) {
  const std::uint64_t cache = Open("a");
  Put(cache, {Entry("x", "kept")});
  ipc::CacheRequest remove;
  remove.set_remove("a");
  service_->Handle(1, remove);
  EXPECT_EQ(BodyOf(Match(cache, "x")), "kept");
  EXPECT_NE(Open("a"), cache);
  service_->RemoveClient(1);
  service_->AddClient(1, "https://shop.example");
  EXPECT_EQ(BodyOf(Match(cache, "x")), "(none)");
}

TEST_F(CacheServiceTest, QuotaAndClearing) {
  const std::uint64_t cache = Open("a");
  EXPECT_EQ(Put(cache, {Entry("x", std::string(17 << 20, 'x'))}).error_name(), "QuotaExceededError");
  Put(cache, {Entry("x", "x")});
  EXPECT_GT(directories_->Measure("https://shop.example").caches, 0u);
  ASSERT_TRUE(service_->ClearOrigin("https://shop.example"));
  EXPECT_EQ(directories_->Measure("https://shop.example").caches, 0u);
  EXPECT_EQ(BodyOf(Match(Open("a"), "x")), "(none)");
}

}  // namespace
}  // namespace vigil::storage
