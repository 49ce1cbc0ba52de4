#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <chrono>
#include <optional>

#include "net/test_server.h"

namespace vigil::net {
namespace {

using boost::asio::awaitable;
using boost::asio::use_awaitable;
using ::testing::HasSubstr;

struct Outcome {
  std::optional<HttpClientHead> head;
  std::string body;
  std::optional<Result<>> result;
};

class HttpClientTest : public ::testing::Test {
 protected:
  std::string Answer(const TestRequest& request) {
    if (request.target == "/hello")
      return TestServer::Response("200 OK", {{"X-One", " 1 "}, {"x-one", "2"}}, "hello");
    if (request.target == "/echo")
      return TestServer::Response("201 Created", {}, request.method + ":" + request.body);
    if (request.target == "/gone") return "HTTP/1.1 204 No Content\r\n\r\n";
    if (request.target == "/interim") {
      return "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + TestServer::Response("404 Not Found", {}, "no");
    }
    if (request.target == "/chunked") {
      return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: "
             "t\r\n\r\n";
    }
    if (request.target == "/gzip") {
      // printf zipped | gzip
      const std::string zipped(
          "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xca\x2c\x28\x48\x4d\x01\x00\xdf\x73\x5f\x26\x06\x00"
          "\x00\x00",
          26);
      return TestServer::Response("200 OK", {{"Content-Encoding", "gzip"}}, zipped);
    }
    if (request.target == "/bad-chunks") return bad_chunks_;
    if (request.target == "/short")
      return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nonly this";
    if (request.target == "/redirect") return TestServer::Response("302 Found", {{"Location", "/hello"}}, "");
    return "";
  }

  HttpClientHandlers Record(Outcome& outcome) {
    HttpClientHandlers handlers;
    handlers.on_head = [&outcome](HttpClientHead head) { outcome.head = std::move(head); };
    handlers.on_data = [&outcome](std::string_view data) { outcome.body += data; };
    handlers.on_done = [this, &outcome](Result<> result) {
      outcome.result = std::move(result);
      io_.stop();
    };
    return handlers;
  }

  Outcome Get(HttpClientRequest request) {
    Outcome outcome;
    const auto transfer = client_.Start(std::move(request), Record(outcome));
    Run();
    return outcome;
  }
  Outcome Get(const std::string& target) { return Get(HttpClientRequest{.url = server_.Origin() + target}); }
  void Run() {
    io_.restart();
    io_.run();
  }

  std::string bad_chunks_;
  boost::asio::io_context io_;
  TestServer server_{io_, [this](const TestRequest& request) { return Answer(request); }};
  // Without the stall timer: it would wake up a transfer that missed an event.
  HttpClient client_{io_.get_executor(), HttpClientOptions{.stall_timeout = std::chrono::seconds(0)}};
};

TEST_F(HttpClientTest, DeliversHeadBodyAndEnd) {
  const Outcome outcome = Get("/hello");
  ASSERT_TRUE(outcome.head);
  EXPECT_EQ(outcome.head->status, 200);
  EXPECT_EQ(outcome.head->status_text, "OK");
  EXPECT_EQ(outcome.head->http_version, "1.1");
  EXPECT_THAT(outcome.head->headers, ::testing::Contains(std::pair<std::string, std::string>("X-One", "1")));
  EXPECT_EQ(CombinedValue(outcome.head->headers, "x-one"), "1, 2");
  EXPECT_EQ(outcome.body, "hello");
  EXPECT_TRUE(outcome.result && *outcome.result);
}

TEST_F(HttpClientTest, SendsMethodHeadersAndBody) {
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "PROPFIND"}) {
    HttpClientRequest request{.method = method, .url = server_.Origin() + "/echo"};
    request.headers = {{"Content-Type", "text/plain"}, {"X-Empty", ""}};
    request.body = std::string("a\0b", 3);
    const Outcome outcome = Get(std::move(request));
    EXPECT_EQ(outcome.body, std::string(method) + std::string(":a\0b", 4));
    EXPECT_EQ(server_.requests().back().Header("content-type"), "text/plain");
    EXPECT_TRUE(HasHeader(server_.requests().back().headers, "x-empty"));
    EXPECT_FALSE(HasHeader(server_.requests().back().headers, "expect"));
  }
}

TEST_F(HttpClientTest, SendsAnEmptyPostWithoutContentType) {
  Get(HttpClientRequest{.method = "POST", .url = server_.Origin() + "/echo"});
  EXPECT_EQ(server_.requests().back().Header("content-length"), "0");
  EXPECT_FALSE(HasHeader(server_.requests().back().headers, "content-type"));
}

TEST_F(HttpClientTest, ReusesItsConnectionUntilToldToForgetIt) {
  for (int i = 0; i < 3; ++i) Get("/hello");
  EXPECT_EQ(server_.connections(), 1);
  client_.ForgetConnections();
  EXPECT_EQ(Get("/hello").body, "hello");
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(HttpClientTest, SkipsInterimResponsesAndTrailers) {
  const Outcome interim = Get("/interim");
  EXPECT_EQ(interim.head->status, 404);
  EXPECT_FALSE(HasHeader(interim.head->headers, "link"));
  const Outcome chunked = Get("/chunked");
  EXPECT_EQ(chunked.body, "abcde");
  EXPECT_FALSE(HasHeader(chunked.head->headers, "x-trailer"));
}

TEST_F(HttpClientTest, LeavesCompressedBodiesAsTheyAre) {
  EXPECT_TRUE(Get("/gzip").body.starts_with("\x1f\x8b"));
  EXPECT_EQ(server_.requests().back().Header("accept-encoding"), "gzip, deflate, br, zstd");
}

TEST_F(HttpClientTest, GoesToTheAddressThatANameWasGiven) {
  HttpClientOptions options{.stall_timeout = std::chrono::seconds(0)};
  ASSERT_TRUE(options.hosts.Add("*.shop.example:*:127.0.0.1"));
  HttpClient client(io_.get_executor(), std::move(options));
  Outcome outcome;
  const auto transfer =
      client.Start(HttpClientRequest{.url = server_.Origin("www.shop.example") + "/hello"}, Record(outcome));
  Run();
  EXPECT_EQ(outcome.body, "hello");
}

TEST_F(HttpClientTest, GivesUpOnEndlessHeaders) {
  server_.TakeOver("/headers", [](TestServer::Socket& socket) -> awaitable<void> {
    std::string text = "HTTP/1.1 200 OK\r\n";
    for (int i = 0; i < 1000; ++i) text += "X-" + std::to_string(i) + ": " + std::string(1000, 'x') + "\r\n";
    const auto bytes = boost::asio::buffer(text);
    boost::system::error_code closed;
    co_await boost::asio::async_write(socket, bytes, boost::asio::redirect_error(use_awaitable, closed));
  });
  const Outcome outcome = Get("/headers");
  EXPECT_FALSE(outcome.head);
  EXPECT_EQ(outcome.result->error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(outcome.result->error().message, HasSubstr("KiB of headers"));
}

TEST_F(HttpClientTest, InterimResponsesWithoutEndAreHeadersWithoutEnd) {
  server_.TakeOver("/interims", [](TestServer::Socket& socket) -> awaitable<void> {
    std::string text;
    for (int i = 0; i < 1000; ++i)
      text += "HTTP/1.1 103 Early Hints\r\nX: " + std::string(500, 'x') + "\r\n\r\n";
    const auto bytes = boost::asio::buffer(text);
    boost::system::error_code closed;
    co_await boost::asio::async_write(socket, bytes, boost::asio::redirect_error(use_awaitable, closed));
  });
  EXPECT_EQ(Get("/interims").result->error().code, ErrorCode::kTooLarge);
}

TEST_F(HttpClientTest, RefusesBodiesThatAreChunkedWrongly) {
  for (const char* body :
       {"zz\r\nabc\r\n0\r\n\r\n", "3\r\nabcdef\r\n0\r\n\r\n", "ffffffffffffffffff\r\nabc", "3\r\nabc\r\n"}) {
    bad_chunks_ =
        std::string("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n") + body;
    const Outcome outcome = Get("/bad-chunks");
    ASSERT_FALSE(*outcome.result) << body;
    EXPECT_EQ(outcome.result->error().code, ErrorCode::kUnavailable);
  }
}

// Comes when the test says so.
class LateBody : public UploadBody {
 public:
  explicit LateBody(std::optional<std::uint64_t> size) : size_(size) {}
  std::optional<std::uint64_t> size() const override { return size_; }
  Piece Read(char* to, std::size_t size, std::function<void()> ready) override {
    Piece piece;
    piece.bytes = std::min(size, text_.size());
    std::copy_n(text_.begin(), piece.bytes, to);
    text_.erase(0, piece.bytes);
    piece.end = piece.bytes == 0 && ended_ && !failed_;
    piece.failed = piece.bytes == 0 && failed_;
    if (piece.bytes == 0 && !ended_) ready_ = std::move(ready);
    return piece;
  }
  bool Rewind() override { return false; }
  bool waits() const { return ready_ != nullptr; }
  void Give(const std::string& text, bool end, bool failed = false) {
    text_ += text;
    ended_ = end;
    failed_ = failed;
    if (const auto ready = std::exchange(ready_, nullptr)) ready();
  }

 private:
  std::optional<std::uint64_t> size_;
  std::string text_;
  std::function<void()> ready_;
  bool ended_ = false, failed_ = false;
};

TEST_F(HttpClientTest, SendsABodyAsItComes) {
  const auto body = std::make_shared<LateBody>(10);
  HttpClientRequest request{.method = "POST", .url = server_.Origin() + "/echo"};
  request.upload = body;
  Outcome outcome;
  const auto transfer = client_.Start(std::move(request), Record(outcome));
  while (!body->waits()) io_.run_one();
  body->Give("hello", false);
  while (!body->waits()) io_.run_one();
  body->Give("world", true);
  Run();
  EXPECT_EQ(outcome.body, "POST:helloworld");
}

TEST_F(HttpClientTest, ABodyThatBreaksOffEndsTheRequest) {
  const auto body = std::make_shared<LateBody>(10);
  HttpClientRequest request{.method = "PUT", .url = server_.Origin() + "/echo"};
  request.upload = body;
  Outcome outcome;
  const auto transfer = client_.Start(std::move(request), Record(outcome));
  while (!body->waits()) io_.run_one();
  body->Give("half", true, true);
  Run();
  EXPECT_EQ(outcome.result->error().code, ErrorCode::kAborted);
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(HttpClientTest, ABodyOfUnknownLengthNeedsHttp2) {
  const auto body = std::make_shared<LateBody>(std::nullopt);
  body->Give("hello", true);
  HttpClientRequest request{.method = "POST", .url = server_.Origin() + "/echo"};
  request.upload = body;
  const Outcome outcome = Get(std::move(request));
  ASSERT_FALSE(*outcome.result);
  EXPECT_THAT(outcome.result->error().message, HasSubstr("needs HTTP/2"));
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(HttpClientTest, ToleratesResponsesWithoutBody) {
  EXPECT_EQ(Get("/gone").head->status, 204);
  const Outcome head = Get(HttpClientRequest{.method = "HEAD", .url = server_.Origin() + "/gone"});
  EXPECT_TRUE(*head.result);
  EXPECT_EQ(head.body, "");
}

TEST_F(HttpClientTest, DoesNotFollowRedirects) { EXPECT_EQ(Get("/redirect").head->status, 302); }

TEST_F(HttpClientTest, ReportsABodyThatBreaksOff) {
  const Outcome outcome = Get("/short");
  EXPECT_EQ(outcome.body, "only this");
  ASSERT_FALSE(*outcome.result);
  EXPECT_EQ(outcome.result->error().code, ErrorCode::kUnavailable);
}

TEST_F(HttpClientTest, ReportsHostsThatCannotBeReached) {
  boost::asio::ip::tcp::acceptor closed(io_, {boost::asio::ip::make_address("127.0.0.1"), 0});
  const std::string url = "http://127.0.0.1:" + std::to_string(closed.local_endpoint().port()) + "/";
  closed.close();
  const Outcome outcome = Get(HttpClientRequest{.url = url});
  EXPECT_FALSE(outcome.head);
  EXPECT_EQ(outcome.result->error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(outcome.result->error().message, HasSubstr("cannot connect to http://127.0.0.1"));
}

TEST_F(HttpClientTest, ReachesNamesBelowLocalhost) {
  EXPECT_EQ(Get(HttpClientRequest{.url = server_.Origin("shop.localhost") + "/hello"}).body, "hello");
  EXPECT_EQ(server_.requests().back().Header("host"), "shop.localhost:" + std::to_string(server_.port()));
}

TEST_F(HttpClientTest, RefusesHeadersThatWouldBreakTheRequest) {
  for (const auto& header :
       Headers{{"X", "a\r\nY: b"}, {"X\n", "a"}, {"X:Y", "a"}, {"", "a"}, {"X", std::string("a\0b", 3)}}) {
    HttpClientRequest request{.url = server_.Origin() + "/hello"};
    request.headers = {header};
    EXPECT_EQ(Get(std::move(request)).result->error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(HttpClientTest, CallsNobodyAfterTheTransferIsDropped) {
  Outcome outcome;
  auto transfer = client_.Start(HttpClientRequest{.url = server_.Origin() + "/hello"}, Record(outcome));
  transfer.reset();
  EXPECT_EQ(client_.Running(), 0);
  Get("/hello");
  EXPECT_FALSE(outcome.head);
  EXPECT_FALSE(outcome.result);
}

TEST_F(HttpClientTest, ATransferMayBeDroppedByItsOwnHandlers) {
  std::unique_ptr<HttpClient::Transfer> transfer;
  HttpClientHandlers handlers;
  handlers.on_head = [&](const HttpClientHead&) {
    transfer.reset();
    io_.stop();
  };
  handlers.on_data = [](std::string_view) { FAIL(); };
  handlers.on_done = [](const Result<>&) { FAIL(); };
  transfer = client_.Start(HttpClientRequest{.url = server_.Origin() + "/hello"}, std::move(handlers));
  Run();
  EXPECT_EQ(Get("/hello").body, "hello");
}

// The server writes until the connection takes no more. Paused, the client must let that happen.
TEST_F(HttpClientTest, APausedTransferBlocksTheSender) {
  constexpr std::size_t kTotal = 64 << 20;
  std::size_t sent = 0;
  server_.TakeOver("/big", [&sent](TestServer::Socket& socket) -> awaitable<void> {
    std::string head = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kTotal) + "\r\n\r\n";
    const auto head_bytes = boost::asio::buffer(head);
    co_await boost::asio::async_write(socket, head_bytes, use_awaitable);
    const std::string block(64 * 1024, 'x');
    while (sent < kTotal) {
      const auto bytes = boost::asio::buffer(block);
      sent += co_await socket.async_write_some(bytes, use_awaitable);
      if (kTotal - sent < block.size()) break;
    }
    const std::string rest(kTotal - sent, 'x');
    const auto bytes = boost::asio::buffer(rest);
    sent += co_await boost::asio::async_write(socket, bytes, use_awaitable);
  });
  std::unique_ptr<HttpClient::Transfer> transfer;
  std::size_t received = 0;
  int pauses = 0;
  bool paused = false;
  bool done = false;
  HttpClientHandlers handlers;
  handlers.on_data = [&](std::string_view data) {
    EXPECT_FALSE(paused);
    received += data.size();
    if (pauses < 2 && received > static_cast<std::size_t>(pauses) * 10'000'000) {
      ++pauses;
      paused = true;
      transfer->Pause();
    }
  };
  handlers.on_done = [&](const Result<>& result) {
    EXPECT_TRUE(result);
    done = true;
  };
  transfer = client_.Start(HttpClientRequest{.url = server_.Origin() + "/big"}, std::move(handlers));
  for (int round = 0; round < 2; ++round) {
    while (!paused) io_.run_one();
    // Until nothing moves any more: everything that is ready has run.
    while (io_.poll() > 0) {
    }
    EXPECT_LT(sent, kTotal);
    EXPECT_LT(received, kTotal / 2);
    EXPECT_EQ(client_.Running(), 1);
    paused = false;
    transfer->Resume();
  }
  while (!done) io_.run_one();
  EXPECT_EQ(received, kTotal);
  EXPECT_EQ(client_.Running(), 0);
}

TEST_F(HttpClientTest, ServesManyAtOnceOverFewConnections) {
  int done = 0;
  std::vector<std::unique_ptr<HttpClient::Transfer>> transfers;
  for (int i = 0; i < 200; ++i) {
    HttpClientHandlers handlers;
    handlers.on_done = [&](const Result<>& result) {
      EXPECT_TRUE(result);
      if (++done == 200) io_.stop();
    };
    transfers.push_back(
        client_.Start(HttpClientRequest{.url = server_.Origin() + "/hello"}, std::move(handlers)));
  }
  EXPECT_EQ(client_.Running(), 200);
  Run();
  EXPECT_EQ(done, 200);
  EXPECT_LE(server_.connections(), 6);
  EXPECT_EQ(client_.Running(), 0);
}

TEST_F(HttpClientTest, APartyHasOnlySoManyRequestsOnTheNetworkAtATime) {
  HttpClientOptions options;
  options.max_requests_per_party = 2;
  HttpClient client(io_.get_executor(), options);
  std::vector<std::unique_ptr<HttpClient::Transfer>> running;
  std::vector<std::string> heads;
  const auto start = [&](const std::string& path, const std::string& party) {
    HttpClientHandlers handlers;
    handlers.on_head = [&heads, path](const HttpClientHead&) { heads.push_back(path); };
    HttpClientRequest request;
    // Each name is a host of its own.
    request.url = server_.Origin("h" + std::to_string(running.size()) + ".localhost") + path;
    request.party = party;
    running.push_back(client.Start(std::move(request), std::move(handlers)));
    running.back()->Pause();  // nobody reads it to its end
  };
  for (const char* path : {"/hello", "/echo", "/gone", "/short"}) start(path, "https://greedy.example");
  start("/chunked", "https://other.example");
  start("/gzip", "");
  while (heads.size() < 4) io_.run_one();
  EXPECT_EQ(server_.connections(), 4);
  EXPECT_THAT(heads, ::testing::UnorderedElementsAre("/hello", "/echo", "/chunked", "/gzip"));
  running[2].reset();  // gave up while it waited
  running[0].reset();
  while (heads.size() < 5) io_.run_one();
  EXPECT_EQ(heads.back(), "/short");
  EXPECT_EQ(server_.connections(), 5);
}

}  // namespace
}  // namespace vigil::net
