// WebSockets of the local API with a real client, and with hostile ones that write frames of their own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <charconv>
#include <future>
#include <thread>

#include "server/server.h"

namespace vigil::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Says "hello <room>", then each text back; obeys "close" and "flood".
class Echo final : public control::SocketHandler {
 public:
  Echo(const std::string& room, std::shared_ptr<control::Socket> socket, std::promise<void>& gone)
      : socket_(std::move(socket)), gone_(gone) {
    socket_->Send("hello " + room);
  }
  ~Echo() override { gone_.set_value(); }
  void OnText(std::string text) override {
    if (text == "throw") throw std::runtime_error("kaboom");
    if (text == "close") return socket_->Close(1000, "as you wish");
    for (int i = 0; text == "flood" && i < 200; ++i) socket_->Send(std::string(1 << 20, 'x'));
    socket_->Send(std::move(text));
  }

 private:
  std::shared_ptr<control::Socket> socket_;
  std::promise<void>& gone_;
};

struct SocketTest : ::testing::Test {
  SocketTest() : server(std::in_place, loop) {
    sockets.Add(
        "/rooms/{room}",
        [this](const control::Request& request,
               std::shared_ptr<control::Socket> socket) -> Result<std::unique_ptr<control::SocketHandler>> {
          const std::string& room = request.path_arguments.at("room");
          if (room == "closed") return Fail(ErrorCode::kUnavailable, "this room is closed");
          return std::make_unique<Echo>(room, std::move(socket), gone);
        });
    thread = std::thread([this] { loop.run(); });
  }
  ~SocketTest() override {
    Stop();
    work.reset();
    thread.join();
  }
  template <class F>
  void OnLoop(F work_on_loop) {
    std::promise<void> done;
    asio::co_spawn(loop, std::move(work_on_loop), [&](std::exception_ptr) { done.set_value(); });
    done.get_future().wait();
  }
  void Stop() {
    OnLoop([this]() -> asio::awaitable<void> { co_await server->Stop(); });
  }
  // Returns the port.
  std::uint16_t Listen(std::optional<std::string> token = std::nullopt, SocketLimits limits = {}) {
    Result<std::string> address;
    OnLoop([&]() -> asio::awaitable<void> {
      Server::Loopback where{
          "127.0.0.1:0", "--listen", {std::move(token)}, Served{&router, &sockets}, limits};
      address = server->ListenLoopback(std::move(where));
      co_return;
    });
    std::uint16_t port = 0;
    const std::string text = address->substr(address->rfind(':') + 1);
    std::from_chars(text.data(), text.data() + text.size(), port);
    return port;
  }

  asio::io_context loop;
  asio::executor_work_guard<asio::io_context::executor_type> work{loop.get_executor()};
  control::Router router;
  control::SocketRoutes sockets;
  std::promise<void> gone;
  std::optional<Server> server;
  std::thread thread;
};

std::string HostOf(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

struct Client {
  explicit Client(std::uint16_t port) : host(HostOf(port)), stream(loop) {
    stream.next_layer().connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
  }
  boost::system::error_code Open(const std::string& target, const std::string& origin = "") {
    stream.set_option(websocket::stream_base::decorator([origin](websocket::request_type& request) {
      if (!origin.empty()) request.set(beast::http::field::origin, origin);
    }));
    boost::system::error_code error;
    stream.handshake(answer, host, target, error);
    return error;
  }
  std::string Read() {
    beast::flat_buffer buffer;
    last_error.clear();
    stream.read(buffer, last_error);
    return last_error ? "" : beast::buffers_to_string(buffer.data());
  }
  void Write(const std::string& text) { stream.write(asio::buffer(text)); }
  // The code that the server closes with.
  int ReadCloseCode() {
    while (!last_error) Read();
    return stream.reason().code;
  }

  asio::io_context loop;
  std::string host;
  websocket::response_type answer;
  boost::system::error_code last_error;
  websocket::stream<tcp::socket> stream;
};

// Writes what it likes after a proper handshake.
struct HostileClient {
  explicit HostileClient(std::uint16_t port) : socket(loop) {
    socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
    Write("GET /rooms/a HTTP/1.1\r\nHost: " + HostOf(port) +
          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
    for (std::string all; all.find("hello a") == std::string::npos;) all += ReadByte();
  }
  void Write(const std::string& bytes) { asio::write(socket, asio::buffer(bytes)); }
  char ReadByte() {
    char byte = 0;
    asio::read(socket, asio::buffer(&byte, 1));
    return byte;
  }
  // A masked frame; the mask is zero.
  void Frame(unsigned char first, const std::string& payload) {
    std::string frame{static_cast<char>(first), static_cast<char>(0x80 | payload.size()), 0, 0, 0, 0};
    Write(frame + payload);
  }
  std::string ReadUntilClosed() {
    std::string all;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(all), error);
    return all;
  }
  // The code in the close frame that ends what the server sends; 0: none.
  int CloseCode() {
    const std::string all = ReadUntilClosed();
    const std::size_t frame = all.find('\x88');
    if (frame == std::string::npos || frame + 3 >= all.size()) return 0;
    return static_cast<unsigned char>(all[frame + 2]) * 256 + static_cast<unsigned char>(all[frame + 3]);
  }
  asio::io_context loop;
  tcp::socket socket;
};

TEST_F(SocketTest, PassesMessagesBothWays) {
  Client client(Listen());
  ASSERT_FALSE(client.Open("/rooms/a%20b"));
  EXPECT_EQ(client.Read(), "hello a b") << "what was sent before the handshake comes after it";
  client.Write("\xc3\xa9");
  EXPECT_EQ(client.Read(), "\xc3\xa9");
  client.Write("close");
  EXPECT_EQ(client.ReadCloseCode(), 1000);
  EXPECT_EQ(client.stream.reason().reason, "as you wish");
  gone.get_future().wait();
}

TEST_F(SocketTest, TellsTheHandlerThatThePeerHasGone) {
  {
    Client client(Listen());
    ASSERT_FALSE(client.Open("/rooms/a"));
    client.Read();
  }
  gone.get_future().wait();
}

TEST_F(SocketTest, PutsFragmentsTogether) {
  Client client(Listen());
  ASSERT_FALSE(client.Open("/rooms/a"));
  client.Read();
  client.stream.write_some(false, asio::buffer("one ", 4));
  client.stream.write_some(false, asio::buffer("two ", 4));
  client.stream.write_some(true, asio::buffer("three", 5));
  EXPECT_EQ(client.Read(), "one two three");
}

TEST_F(SocketTest, AnswersInHttpWhenThereIsNobodyToTalkTo) {
  const auto port = Listen();
  Client nowhere(port);
  EXPECT_TRUE(nowhere.Open("/nowhere"));
  EXPECT_EQ(nowhere.answer.result_int(), 404u);
  Client refused(port);
  EXPECT_TRUE(refused.Open("/rooms/closed"));
  EXPECT_EQ(refused.answer.result_int(), 503u);
}

TEST_F(SocketTest, RefusesForeignPagesForeignNamesAndUnknownTokens) {
  const auto port = Listen("secret");
  const auto status = [&](const std::string& target, const std::string& origin, const std::string& host) {
    Client client(port);
    if (!host.empty()) client.host = host;
    client.Open(target, origin);
    return client.answer.result_int();
  };
  const std::string ours = "http://" + HostOf(port);
  EXPECT_EQ(status("/rooms/a", ours, ""), 403u);
  EXPECT_EQ(status("/rooms/a?token=guess", ours, ""), 403u);
  EXPECT_EQ(status("/rooms/a?token=secret", "https://evil.example", ""), 403u);
  EXPECT_EQ(status("/rooms/a?token=secret", "null", ""), 403u);
  EXPECT_EQ(status("/rooms/a?token=secret", ours, "rebound.example:" + std::to_string(port)), 403u);
  EXPECT_EQ(status("/rooms/a?token=secret", ours, ""), 101u);
}

TEST_F(SocketTest, TakesTheTokenFromTheAddressOfWebSocketsOnly) {
  const auto port = Listen("secret");
  asio::io_context io;
  tcp::socket socket(io);
  socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
  const std::string request =
      "GET /rooms/a?token=secret HTTP/1.1\r\nHost: " + HostOf(port) + "\r\nConnection: close\r\n\r\n";
  asio::write(socket, asio::buffer(request));
  std::string answer;
  boost::system::error_code error;
  asio::read(socket, asio::dynamic_buffer(answer), error);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403"));
}

TEST_F(SocketTest, EndsConversationsThatBreakTheRules) {
  SocketLimits limits;
  limits.message_bytes = 100;
  const auto port = Listen(std::nullopt, limits);
  const auto code_after = [&](const std::function<void(HostileClient&)>& attack) {
    gone = std::promise<void>();
    HostileClient client(port);
    attack(client);
    const int code = client.CloseCode();
    client.socket.close();
    gone.get_future().wait();
    return code;
  };
  EXPECT_EQ(code_after([](auto& client) { client.Frame(0x81, std::string(101, 'x')); }), 1009);
  EXPECT_EQ(code_after([](auto& client) {
              client.Frame(0x01, std::string(60, 'x'));
              client.Frame(0x80, std::string(60, 'x'));
            }),
            1009)
      << "in fragments, too";
  EXPECT_EQ(code_after([](auto& client) {
              client.Frame(0x82, "binary");
              client.Frame(0x88, "\x03\xeb");
            }),
            1003);
  EXPECT_EQ(code_after([](auto& client) { client.Frame(0x81, "\xff\xfe"); }), 1007);
  EXPECT_EQ(code_after([](auto& client) { client.Frame(0x80, "a fragment of nothing"); }), 1002);
  EXPECT_EQ(code_after([](auto& client) { client.Frame(0xf1, "reserved bits"); }), 1002);
  EXPECT_EQ(code_after([](auto& client) { client.Write(std::string("\x81\x01x", 3)); }), 1002) << "no mask";
  EXPECT_EQ(code_after([](auto& client) {
              client.Write("\x81");
              client.socket.shutdown(tcp::socket::shutdown_send);
            }),
            0);
}

TEST_F(SocketTest, OutlivesAHandlerThatThrows) {
  Client client(Listen());
  ASSERT_FALSE(client.Open("/rooms/a"));
  client.Read();
  client.Write("throw");
  EXPECT_EQ(client.ReadCloseCode(), 1011);
}

TEST_F(SocketTest, LeavesAPeerThatAnswersNoPing) {
  SocketLimits limits;
  limits.silence = std::chrono::milliseconds(200);
  HostileClient client(Listen(std::nullopt, limits));
  EXPECT_THAT(client.ReadUntilClosed(), HasSubstr("\x89")) << "it was asked";
  gone.get_future().wait();
}

TEST_F(SocketTest, CutsOffAPeerThatDoesNotRead) {
  Client client(Listen());
  ASSERT_FALSE(client.Open("/rooms/a"));
  client.Write("flood");
  gone.get_future().wait();
}

TEST_F(SocketTest, SaysGoodbyeWhenTheServerStops) {
  Client client(Listen());
  ASSERT_FALSE(client.Open("/rooms/a"));
  client.Read();
  auto stopped = std::async(std::launch::async, [this] { Stop(); });
  EXPECT_EQ(client.ReadCloseCode(), 1001);
  stopped.wait();
  gone.get_future().wait();
}

}  // namespace
}  // namespace vigil::server
