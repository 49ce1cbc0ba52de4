#include "cli/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <future>
#include <vector>

namespace vigil::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A daemon that says one thing to one caller and keeps what it was asked.
struct OneAnswer {
  explicit OneAnswer(std::string answer) {
    char name[] = "/tmp/vigil-cli-test-XXXXXX";
    directory = ::mkdtemp(name);
    path = directory / "vigil.sock";
    listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener, 1), 0);
    asked = std::async(std::launch::async, [this, answer = std::move(answer)] { return Serve(answer); });
  }
  ~OneAnswer() {
    if (asked.valid()) asked.wait();
    ::close(listener);
    std::filesystem::remove_all(directory);
  }
  std::string Serve(const std::string& answer) const {
    const int peer = ::accept(listener, nullptr, nullptr);
    std::string request;
    char bytes[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const auto got = ::read(peer, bytes, sizeof bytes);
      if (got <= 0) break;
      request.append(bytes, static_cast<std::size_t>(got));
    }
    // In two pieces, so that nothing can rely on whole messages.
    const std::size_t half = answer.size() / 2;
    EXPECT_EQ(::write(peer, answer.data(), half), static_cast<ssize_t>(half));
    EXPECT_EQ(::write(peer, answer.data() + half, answer.size() - half),
              static_cast<ssize_t>(answer.size() - half));
    ::close(peer);
    return request;
  }
  std::filesystem::path directory;
  std::filesystem::path path;
  int listener = -1;
  std::future<std::string> asked;
};

std::string Plain(const std::string& status, const std::string& body) {
  return "HTTP/1.1 " + status +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

std::string Chunk(const std::string& text) {
  char size[16];
  std::snprintf(size, sizeof size, "%zx", text.size());
  return std::string(size) + "\r\n" + text + "\r\n";
}
const std::string kStream = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(Perform, ReturnsTheAnswer) {
  OneAnswer daemon(Plain("200 OK", "[1,2]"));
  HttpCall call;
  call.target = "/v1/apps";
  EXPECT_EQ(Perform(daemon.path, call).value(), boost::json::value({1, 2}));
  EXPECT_THAT(daemon.asked.get(), StartsWith("GET /v1/apps HTTP/1.1\r\n"));
}

TEST(Perform, PassesTheDaemonsErrorsOn) {
  OneAnswer daemon(Plain("404 Not Found", R"({"error":{"code":"not-found","message":"no app at x"}})"));
  const auto result = Perform(daemon.path, HttpCall());
  const Error expected{ErrorCode::kNotFound, "no app at x"};
  EXPECT_EQ(result.error(), expected);
}

TEST(Perform, HandsLinesOnAndReturnsTheLast) {
  OneAnswer daemon(kStream + Chunk("{\"n\":1}\n{\"n\"") + Chunk(":2}\n") +
                   Chunk("{\"type\":\"result\",\"id\":7}\n") + Chunk(""));
  std::vector<std::int64_t> lines;
  HttpCall call;
  call.on_line = [&](const boost::json::object& line) { lines.push_back(line.at("n").as_int64()); };
  const auto result = Perform(daemon.path, call);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->at("id"), 7);
  EXPECT_FALSE(result->as_object().contains("type"));
  EXPECT_THAT(lines, ElementsAre(1, 2));
}

TEST(Perform, ReportsAnErrorAtTheEndOfAStream) {
  OneAnswer daemon(kStream +
                   Chunk("{\"type\":\"error\",\"error\":{\"code\":\"timeout\",\"message\":\"late\"}}\n") +
                   Chunk(""));
  EXPECT_EQ(Perform(daemon.path, HttpCall()).error().code, ErrorCode::kTimeout);
}

TEST(Perform, NoticesADaemonThatDiesInTheMiddle) {
  for (const std::string& answer : {std::string(), std::string("HTTP/1.1 200 OK\r\nContent-Le"),
                                    kStream + Chunk("{\"n\":1}\n"), kStream + Chunk("")}) {
    OneAnswer daemon(answer);
    const auto result = Perform(daemon.path, HttpCall());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kIo);
    EXPECT_THAT(result.error().message, HasSubstr("went away"));
  }
}

TEST(Perform, SaysHowToStartADaemon) {
  const auto result = Perform("/nonexistent/vigil/vigil.sock", HttpCall());
  EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(result.error().message, HasSubstr("vigil serve --data /nonexistent/vigil"));
}

TEST(Encode, LeavesNothingThatMeansSomethingInAUrl) {
  EXPECT_EQ(Encode("http://a/?b=c&d#e f%"), "http%3A%2F%2Fa%2F%3Fb%3Dc%26d%23e%20f%25");
  EXPECT_EQ(Encode("ä-_.~"), "%C3%A4-_.~");
}

}  // namespace
}  // namespace vigil::cli
