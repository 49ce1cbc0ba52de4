#include "net/http_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/asio/post.hpp>
#include <filesystem>
#include <fstream>
#include <optional>

#include "net/http_cache_disk.h"
#include "net/test_server.h"

namespace vigil::net {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::HasSubstr;

class HttpCacheTest : public ::testing::Test {
 protected:
  struct Outcome {
    std::optional<HttpClientHead> head;
    std::string body;
    std::optional<Result<>> result;
    int status() const { return head ? head->status : 0; }
  };

  HttpCacheTest() { Open(); }
  ~HttpCacheTest() override {
    store_->Close();
    fs::remove_all(directory_);
  }

  static fs::path MakeDirectory() {
    std::string name = (fs::temp_directory_path() / "vigil-http-cache-XXXXXX").string();
    return ::mkdtemp(name.data());
  }
  // As a daemon that starts on what an earlier one left.
  void Open(std::uint64_t max_bytes = 1 << 20) {
    DiskHttpCacheOptions options;
    options.directory = directory_ / "cache";
    options.max_bytes = max_bytes;
    options.run_blocking = [this](std::function<void()> job) { boost::asio::post(io_, std::move(job)); };
    store_ = OpenDiskHttpCache(io_.get_executor(), std::move(options));
    cache_.emplace(io_.get_executor(), client_, store_, [this] { return now_; });
  }

  std::string Answer(const TestRequest& request) {
    if (!request.Header("if-none-match").empty() && request.Header("if-none-match") == tag_)
      return TestServer::Response("304 Not Modified", {{"Cache-Control", "max-age=60"}, {"X-Renewed", "yes"}},
                                  "");
    return TestServer::Response(status_, headers_, body_);
  }
  HttpClientHandlers Record(Outcome& outcome) {
    HttpClientHandlers handlers;
    handlers.on_head = [&outcome](HttpClientHead head) { outcome.head = std::move(head); };
    handlers.on_data = [&outcome](std::string_view data) { outcome.body += data; };
    handlers.on_done = [&outcome](Result<> result) { outcome.result = std::move(result); };
    return handlers;
  }
  // Until it has an outcome and nothing is left to do for the disk.
  void Finish(const Outcome& outcome) {
    while (!outcome.result) io_.run_one();
    while (io_.poll() > 0) {
    }
  }
  Outcome Fetch(HttpClientRequest request, CacheMode mode = CacheMode::kDefault,
                const std::string& partition = "https://app.example") {
    Outcome outcome;
    const auto transfer = cache_->Start(std::move(request), partition, mode, Record(outcome));
    EXPECT_FALSE(outcome.head || outcome.result);
    Finish(outcome);
    return outcome;
  }
  HttpClientRequest Get(Headers headers = {}) const {
    return HttpClientRequest{.url = server_.Origin() + "/thing", .headers = std::move(headers)};
  }
  std::size_t Served() const { return server_.requests().size(); }
  const TestRequest& Last() const { return server_.requests().back(); }
  std::vector<fs::path> Files() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(directory_)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    return files;
  }

  fs::path directory_ = MakeDirectory();
  std::string status_ = "200 OK", tag_ = "\"1\"", body_ = "hello";
  Headers headers_ = {{"Cache-Control", "max-age=60"}, {"ETag", "\"1\""}};
  WallTime now_{seconds(1'000'000'000)};
  boost::asio::io_context io_;
  TestServer server_{io_, [this](const TestRequest& request) { return Answer(request); }};
  HttpClient client_{io_.get_executor(), HttpClientOptions{.stall_timeout = seconds(0)}};
  std::shared_ptr<HttpCacheStore> store_;
  std::optional<HttpCache> cache_;
};

TEST_F(HttpCacheTest, AnswersFromTheStoreWhileFresh) {
  Fetch(Get());
  now_ += seconds(59);
  const Outcome again = Fetch(Get());
  EXPECT_EQ(again.status(), 200);
  EXPECT_EQ(again.body, "hello");
  EXPECT_TRUE(again.result && *again.result);
  EXPECT_EQ(Served(), 1U);
}

TEST_F(HttpCacheTest, AsksWhenStaleAndRenewsWhatHolds) {
  Fetch(Get());
  now_ += seconds(60);
  const Outcome asked = Fetch(Get());
  EXPECT_EQ(asked.status(), 200);
  EXPECT_EQ(asked.body, "hello");
  EXPECT_EQ(CombinedValue(asked.head->headers, "x-renewed"), "yes");
  EXPECT_EQ(Last().Header("if-none-match"), "\"1\"");
  EXPECT_EQ(Served(), 2U);
  now_ += seconds(59);
  EXPECT_EQ(CombinedValue(Fetch(Get()).head->headers, "x-renewed"), "yes");
  EXPECT_EQ(Served(), 2U);
}

TEST_F(HttpCacheTest, ANewResponseTakesTheOldOnesPlace) {
  Fetch(Get());
  now_ += seconds(60);
  body_ = "another";
  tag_ = "\"2\"";
  EXPECT_EQ(Fetch(Get()).body, "another");
  EXPECT_EQ(Fetch(Get()).body, "another");
  EXPECT_EQ(Served(), 2U);
  EXPECT_EQ(Files().size(), 1U);
}

TEST_F(HttpCacheTest, TheModesOfARequest) {
  const auto only = Fetch(Get(), CacheMode::kOnlyIfCached);
  ASSERT_TRUE(only.result && !*only.result);
  EXPECT_THAT(only.result->error().message, HasSubstr("nothing is cached"));
  EXPECT_EQ(Fetch(Get(), CacheMode::kNoStore).body, "hello");
  EXPECT_FALSE(*Fetch(Get(), CacheMode::kOnlyIfCached).result);
  EXPECT_EQ(Fetch(Get(), CacheMode::kReload).body, "hello");
  EXPECT_EQ(Served(), 2U);
  now_ += seconds(1000);
  EXPECT_EQ(Fetch(Get(), CacheMode::kForceCache).body, "hello");
  EXPECT_EQ(Fetch(Get(), CacheMode::kOnlyIfCached).body, "hello");
  EXPECT_EQ(Served(), 2U);
  EXPECT_EQ(Fetch(Get(), CacheMode::kNoCache).body, "hello");
  EXPECT_EQ(Last().Header("if-none-match"), "\"1\"");
  EXPECT_EQ(Fetch(Get(), CacheMode::kReload).body, "hello");
  EXPECT_EQ(Last().Header("if-none-match"), "");
  EXPECT_EQ(Served(), 4U);
}

TEST_F(HttpCacheTest, AScriptsOwnConditionGoesPastTheCache) {
  Fetch(Get());
  EXPECT_EQ(Fetch(Get({{"If-None-Match", "\"1\""}})).status(), 304);
  EXPECT_EQ(Served(), 2U);
}

TEST_F(HttpCacheTest, EveryOriginHasItsOwn) {
  Fetch(Get());
  Fetch(Get(), CacheMode::kDefault, "https://other.example");
  EXPECT_EQ(Served(), 2U);
  cache_->Clear("https://app.example");
  Fetch(Get(), CacheMode::kDefault, "https://other.example");
  EXPECT_EQ(Served(), 2U);
  Fetch(Get());
  EXPECT_EQ(Served(), 3U);
}

TEST_F(HttpCacheTest, AVariantIsForTheSameRequestHeadersOnly) {
  headers_.emplace_back("Vary", "X-Wish");
  Fetch(Get({{"X-Wish", "a"}}));
  Fetch(Get({{"X-Wish", "a"}}));
  EXPECT_EQ(Served(), 1U);
  Fetch(Get({{"X-Wish", "b"}}), CacheMode::kForceCache);
  EXPECT_EQ(Served(), 2U);
}

TEST_F(HttpCacheTest, AChangeForgetsWhatWasKept) {
  Fetch(Get());
  HttpClientRequest post = Get();
  post.method = "POST";
  post.body = "x";
  Fetch(std::move(post));
  Fetch(Get());
  EXPECT_EQ(Served(), 3U);
}

TEST_F(HttpCacheTest, OutlivesTheDaemon) {
  Fetch(Get());
  Open();
  EXPECT_EQ(Fetch(Get()).body, "hello");
  EXPECT_EQ(Served(), 1U);
}

TEST_F(HttpCacheTest, ABodyThatBreaksOffIsNotKept) {
  server_.TakeOver("/thing", [](TestServer::Socket& socket) -> boost::asio::awaitable<void> {
    const std::string half =
        "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 100\r\n\r\nonly this";
    const auto bytes = boost::asio::buffer(half);
    co_await boost::asio::async_write(socket, bytes, boost::asio::use_awaitable);
  });
  EXPECT_FALSE(*Fetch(Get()).result);
  EXPECT_TRUE(Files().empty());
  EXPECT_FALSE(*Fetch(Get(), CacheMode::kOnlyIfCached).result);
}

TEST_F(HttpCacheTest, ADraftThatADeadDaemonLeftIsNoResponse) {
  Fetch(Get());
  const fs::path file = Files().front();
  fs::copy_file(file, directory_ / "cache" / "draft-7");
  fs::remove(file);
  Open();
  Fetch(Get());
  EXPECT_EQ(Served(), 2U);
  EXPECT_EQ(Files().size(), 1U);
}

TEST_F(HttpCacheTest, EveryDamageIsNoticed) {
  Fetch(Get());
  const fs::path file = Files().front();
  const auto size = static_cast<std::size_t>(fs::file_size(file));
  std::string good(size, '\0');
  std::ifstream(file, std::ios::binary).read(good.data(), static_cast<std::streamsize>(size));
  std::size_t served = Served();
  for (std::size_t at = 0; at < size; ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary).write(bad.data(), static_cast<std::streamsize>(size));
    Open();
    const Outcome outcome = Fetch(Get());
    // Either it is found out, and the server asked, or it is in the room that nothing uses.
    EXPECT_TRUE(*outcome.result) << "byte " << at;
    EXPECT_EQ(outcome.body, "hello") << "byte " << at;
  }
  EXPECT_GT(Served(), served);
  for (const std::size_t length : {std::size_t{0}, std::size_t{10}, size / 2, size - 1}) {
    served = Served();
    std::ofstream(file, std::ios::binary).write(good.data(), static_cast<std::streamsize>(length));
    Open();
    EXPECT_EQ(Fetch(Get()).body, "hello");
    EXPECT_EQ(Served(), served + 1) << "cut to " << length;
  }
}

TEST_F(HttpCacheTest, TheLeastRecentlyUsedGoesFirst) {
  Open(100 * 1024);
  body_ = std::string(10 * 1024, 'x');
  const auto get = [this](int i) {
    return HttpClientRequest{.url = server_.Origin() + "/" + std::to_string(i), .headers = {}};
  };
  for (int i = 0; i < 20; ++i) {
    Fetch(get(i));
    Fetch(get(0));
  }
  EXPECT_EQ(Served(), 20U);
  Fetch(get(19));
  EXPECT_EQ(Served(), 20U);
  Fetch(get(1));
  EXPECT_EQ(Served(), 21U);
  std::uintmax_t bytes = 0;
  for (const fs::path& file : Files()) bytes += fs::file_size(file);
  EXPECT_LE(bytes, 100U * 1024);
}

TEST_F(HttpCacheTest, ABodyThatIsTooLargeIsNotKept) {
  Open(64 * 1024);
  body_ = std::string(9 * 1024, 'x');
  EXPECT_EQ(Fetch(Get()).body, body_);
  EXPECT_TRUE(Files().empty());
}

TEST_F(HttpCacheTest, APausedReaderIsGivenNothing) {
  Open(8 << 20);
  body_ = std::string(std::size_t{1} << 20, 'x');
  Fetch(Get());
  Outcome outcome;
  std::unique_ptr<HttpClient::Transfer> transfer;
  bool paused = false;
  HttpClientHandlers handlers = Record(outcome);
  handlers.on_data = [&](std::string_view data) {
    EXPECT_FALSE(paused);
    outcome.body += data;
    paused = true;
    transfer->Pause();
  };
  transfer = cache_->Start(Get(), "https://app.example", CacheMode::kDefault, std::move(handlers));
  int pauses = 0;
  while (!outcome.result) {
    while (!paused && !outcome.result) io_.run_one();
    while (io_.poll() > 0) {
    }
    if (!paused) break;
    ++pauses;
    paused = false;
    transfer->Resume();
  }
  Finish(outcome);
  EXPECT_EQ(outcome.body, body_);
  EXPECT_GE(pauses, 10);
  EXPECT_EQ(Served(), 1U);
}

TEST_F(HttpCacheTest, WhatIsReadStaysWholeWhenItIsReplaced) {
  Open(8 << 20);
  const std::string before(std::size_t{1} << 20, 'x');
  body_ = before;
  Fetch(Get());
  Outcome outcome;
  std::unique_ptr<HttpClient::Transfer> transfer;
  bool replaced = false;
  HttpClientHandlers handlers = Record(outcome);
  handlers.on_data = [&](std::string_view data) {
    outcome.body += data;
    if (!std::exchange(replaced, true)) transfer->Pause();
  };
  transfer = cache_->Start(Get(), "https://app.example", CacheMode::kDefault, std::move(handlers));
  while (!replaced) io_.run_one();
  body_ = "new";
  EXPECT_EQ(Fetch(Get(), CacheMode::kReload).body, "new");
  transfer->Resume();
  Finish(outcome);
  EXPECT_EQ(outcome.body, before);
  EXPECT_EQ(Fetch(Get()).body, "new");
}

}  // namespace
}  // namespace vigil::net
