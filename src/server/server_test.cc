#include "server/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <future>
#include <thread>

namespace vigil::server {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Reply = control::Router::Reply;

// The server on its own event-loop thread, as in the daemon; the tests are blocking clients.
struct ServerTest : ::testing::Test {
  ServerTest() : bell(loop) {
    char name[] = "/tmp/vigil-server-test-XXXXXX";
    directory = ::mkdtemp(name);
    router.Add("POST", "/v1/echo/{word}",
               [](control::Request request, control::Caller&) { return Echo(std::move(request)); });
    router.Add("GET", "/v1/lines", [](control::Request, control::Caller& caller) { return Lines(caller); });
    router.Add("GET", "/v1/until-gone",
               [this](control::Request, control::Caller& caller) { return UntilGone(caller); });
    router.AddRaw("GET", "/files/{path*}", [](control::Request request) { return File(std::move(request)); });
    router.Add("GET", "/v1/throws", [](control::Request, control::Caller&) { return Throws(); });
    server.emplace(loop);
    thread = std::thread([this] { loop.run(); });
  }
  ~ServerTest() override {
    OnLoop([this]() -> asio::awaitable<void> { co_await server->Stop(); });
    work.reset();
    thread.join();
    std::filesystem::remove_all(directory);
  }

  static asio::awaitable<Reply> Echo(control::Request request) {
    json::object out;
    out["word"] = request.path_arguments["word"];
    out["x"] = control::QueryValue(request, "x");
    out["body"] = std::move(request.body);
    co_return json::value(std::move(out));
  }
  static asio::awaitable<Reply> Lines(control::Caller& caller) {
    for (int i = 0; i < 3; ++i) {
      json::object line;
      line["n"] = i;
      caller.Send(std::move(line));
    }
    co_return json::value(json::object());
  }
  asio::awaitable<Reply> UntilGone(control::Caller& caller) {
    json::object line;
    line["type"] = "ready";
    caller.Send(std::move(line));
    bell.expires_at(asio::steady_timer::time_point::max());
    caller.OnGone([this] {
      saw_caller_go.set_value();
      bell.cancel();
    });
    boost::system::error_code rung;
    co_await bell.async_wait(asio::redirect_error(asio::use_awaitable, rung));
    co_return json::value(json::object());
  }
  static asio::awaitable<Reply> Throws() {
    throw std::runtime_error("kaboom");
    co_return json::value();
  }

  static asio::awaitable<Result<control::RawBody>> File(control::Request request) {
    const std::string path = request.path_arguments["path"];
    if (path == "none") co_return Fail(ErrorCode::kNotFound, "there is no such file");
    control::RawBody body{"text/plain", path, {}};
    body.headers.emplace_back("Content-Security-Policy", "default-src 'none'");
    co_return body;
  }

  template <class F>
  void OnLoop(F work_on_loop) {
    std::promise<void> done;
    asio::co_spawn(loop, std::move(work_on_loop), [&](std::exception_ptr) { done.set_value(); });
    done.get_future().wait();
  }
  Result<> ListenUnix(const std::filesystem::path& path) {
    Result<> result;
    OnLoop([&]() -> asio::awaitable<void> {
      result = server->ListenUnix(path, Served{&router});
      co_return;
    });
    return result;
  }
  Result<std::string> ListenLoopback(const std::string& address, const std::string& token) {
    Result<std::string> result;
    OnLoop([&]() -> asio::awaitable<void> {
      Server::Loopback where{address, "--listen", {token}, Served{&router, nullptr, &documents}};
      result = server->ListenLoopback(std::move(where));
      co_return;
    });
    return result;
  }

  std::filesystem::path directory;
  asio::io_context loop;
  asio::executor_work_guard<asio::io_context::executor_type> work{loop.get_executor()};
  asio::steady_timer bell;
  std::promise<void> saw_caller_go;
  control::Router router;
  const Documents documents = {{"/", "text/html; charset=utf-8", "<!doctype html>hello"}};
  std::optional<Server> server;
  std::thread thread;
};

struct Client {
  explicit Client(const std::filesystem::path& path) : socket(loop) {
    socket.connect(asio::local::stream_protocol::endpoint(path.string()));
  }
  explicit Client(std::uint16_t port) : socket(loop) {
    socket.connect(asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), port));
  }
  void Write(const std::string& text) { asio::write(socket, asio::buffer(text)); }
  std::string ReadUntilClosed() {
    std::string all;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(all), error);
    return all;
  }
  std::string ReadUntil(const std::string& mark) {
    std::string all;
    char byte = 0;
    boost::system::error_code error;
    while (all.find(mark) == std::string::npos && asio::read(socket, asio::buffer(&byte, 1), error) == 1)
      all += byte;
    return all;
  }
  asio::io_context loop;
  asio::generic::stream_protocol::socket socket;
};

std::string Get(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: vigil\r\nConnection: close\r\n" + headers + "\r\n";
}

TEST_F(ServerTest, AnswersOnTheUnixSocket) {
  const auto path = directory / "vigil.sock";
  ASSERT_TRUE(ListenUnix(path));
  Client client(path);
  client.Write(
      "POST /v1/echo/a%20b?x=1%2B1 HTTP/1.1\r\nHost: vigil\r\nConnection: close\r\nContent-Length: "
      "9\r\n\r\n{\"y\":[2]}");
  const std::string answer = client.ReadUntilClosed();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr(R"({"word":"a b","x":"1+1","body":{"y":[2]}})"));
}

TEST_F(ServerTest, LetsOnlyThisUserReachTheSocket) {
  const auto path = directory / "vigil.sock";
  ASSERT_TRUE(ListenUnix(path));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(ServerTest, ReplacesTheSocketOfADeadDaemon) {
  const auto path = directory / "vigil.sock";
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(dead);
  ASSERT_TRUE(ListenUnix(path));
  Client client(path);
  client.Write(Get("/v1/lines"));
  EXPECT_THAT(client.ReadUntilClosed(), StartsWith("HTTP/1.1 200"));
}

TEST_F(ServerTest, WorksUnderAPathThatIsTooLongForASocketAddress) {
  const auto deep = directory / std::string(100, 'd');
  std::filesystem::create_directory(deep);
  EXPECT_TRUE(ListenUnix(deep / "vigil.sock"));
  EXPECT_TRUE(std::filesystem::exists(deep / "vigil.sock"));
}

TEST_F(ServerTest, StreamsLinesAndEndsWithTheResult) {
  ASSERT_TRUE(ListenUnix(directory / "s"));
  Client client(directory / "s");
  client.Write(Get("/v1/lines"));
  const std::string answer = client.ReadUntilClosed();
  EXPECT_THAT(answer, HasSubstr("application/x-ndjson"));
  EXPECT_THAT(answer, HasSubstr("{\"n\":0}\n{\"n\":1}\n{\"n\":2}\n"));
  EXPECT_THAT(answer, HasSubstr("{\"type\":\"result\"}\n"));
  EXPECT_THAT(answer, EndsWith("0\r\n\r\n"));
}

TEST_F(ServerTest, KeepsTheConnectionForMoreCalls) {
  ASSERT_TRUE(ListenUnix(directory / "s"));
  Client client(directory / "s");
  client.Write("GET /v1/lines HTTP/1.1\r\nHost: vigil\r\n\r\n");
  EXPECT_THAT(client.ReadUntil("0\r\n\r\n"), StartsWith("HTTP/1.1 200"));
  client.Write(Get("/v1/echo/again"));
  EXPECT_THAT(client.ReadUntilClosed(), StartsWith("HTTP/1.1 405"));
}

TEST_F(ServerTest, TellsTheHandlerThatItsCallerHungUp) {
  ASSERT_TRUE(ListenUnix(directory / "s"));
  {
    Client client(directory / "s");
    client.Write(Get("/v1/until-gone"));
    EXPECT_THAT(client.ReadUntil("ready"), HasSubstr("ready"));
  }
  saw_caller_go.get_future().wait();
}

TEST_F(ServerTest, EndsStreamsWhenItStops) {
  ASSERT_TRUE(ListenUnix(directory / "s"));
  Client client(directory / "s");
  client.Write(Get("/v1/until-gone"));
  EXPECT_THAT(client.ReadUntil("ready"), HasSubstr("ready"));
  OnLoop([this]() -> asio::awaitable<void> { co_await server->Stop(); });
  EXPECT_THAT(client.ReadUntilClosed(), HasSubstr("\"result\""));
  EXPECT_FALSE(std::filesystem::exists(directory / "s"));
}

TEST_F(ServerTest, TurnsTroubleIntoAnErrorWithACodeAndAMessage) {
  ASSERT_TRUE(ListenUnix(directory / "s"));
  const auto ask = [&](const std::string& text) {
    Client client(directory / "s");
    client.Write(text);
    return client.ReadUntilClosed();
  };
  EXPECT_THAT(ask(Get("/v1/nothing")), HasSubstr("\"not-found\""));
  EXPECT_THAT(ask(Get("/v1/throws")), HasSubstr("kaboom"));
  EXPECT_THAT(ask(Get("/v1/%zz")), HasSubstr("\"invalid-argument\""));
  EXPECT_THAT(ask("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(ask("POST /v1/echo/x HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]"),
              HasSubstr("one JSON object"));
  EXPECT_THAT(ask("POST /v1/echo/x HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
}

TEST_F(ServerTest, AnswersWithBytesAsTheyAre) {
  ASSERT_TRUE(ListenUnix(directory / "s"));
  Client client(directory / "s");
  client.Write(Get("/files/a/b%20c"));
  const std::string answer = client.ReadUntilClosed();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Security-Policy: default-src 'none'\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\na/b c"));
  Client other(directory / "s");
  other.Write(Get("/files/none"));
  EXPECT_THAT(other.ReadUntilClosed(), StartsWith("HTTP/1.1 404"));
}

TEST_F(ServerTest, AsksForTheTokenOnLoopback) {
  const auto address = ListenLoopback("127.0.0.1:0", "secret");
  ASSERT_TRUE(address) << address.error().message;
  const std::string port_text = address->substr(address->rfind(':') + 1);
  std::uint16_t port = 0;
  std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  const auto ask = [&](const std::string& host, const std::string& headers) {
    Client client(port);
    client.Write("GET /v1/lines HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n" + headers + "\r\n");
    return client.ReadUntilClosed();
  };
  const std::string token = "Authorization: Bearer secret\r\n";
  EXPECT_THAT(ask(*address, token), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(ask(*address, ""), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(ask("rebound.example:" + port_text, token), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(ask(*address, token + "Origin: https://evil.example\r\n"), StartsWith("HTTP/1.1 403"));
}

TEST_F(ServerTest, GivesDocumentsOutWithoutTheTokenButToNobodyForeign) {
  const auto address = ListenLoopback("127.0.0.1:0", "secret");
  ASSERT_TRUE(address);
  std::uint16_t port = 0;
  std::from_chars(address->data() + address->rfind(':') + 1, address->data() + address->size(), port);
  const auto ask = [&](const std::string& start, const std::string& headers) {
    Client client(port);
    client.Write(start + " HTTP/1.1\r\nConnection: close\r\n" + headers + "\r\n");
    return client.ReadUntilClosed();
  };
  const std::string host = "Host: " + *address + "\r\n";
  const std::string page = ask("GET /?x=1", host);
  EXPECT_THAT(page, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(page, EndsWith("<!doctype html>hello"));
  EXPECT_THAT(page, HasSubstr("Content-Security-Policy: default-src 'none'; script-src 'self'"));
  EXPECT_THAT(page, HasSubstr("Referrer-Policy: no-referrer"));
  EXPECT_THAT(ask("HEAD /", host), EndsWith("\r\n\r\n"));
  EXPECT_THAT(ask("GET /", "Host: attacker.example\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(ask("GET /", host + "Origin: https://attacker.example\r\n"), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(ask("POST /", host), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(ask("GET /v1/lines", host), StartsWith("HTTP/1.1 403"));
}

TEST_F(ServerTest, SaysThatAPortIsTaken) {
  const auto first = ListenLoopback("127.0.0.1:0", "a");
  ASSERT_TRUE(first);
  const auto second = ListenLoopback(*first, "b");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(second.error().message, HasSubstr("--listen"));
}

TEST_F(ServerTest, ServesLoopbackOnly) {
  for (const char* address : {"0.0.0.0:80", "192.0.2.1:80", "example.org:80", "127.0.0.1",
                              "127.0.0.1:", "127.0.0.1:70000", ":80"}) {
    const auto result = ListenLoopback(address, "t");
    ASSERT_FALSE(result) << address;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(result.error().message, HasSubstr("localhost:PORT"));
  }
}

}  // namespace
}  // namespace vigil::server
