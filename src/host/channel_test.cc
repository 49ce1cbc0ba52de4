// What a hostile worker may send: the daemon believes no byte of it.
#include "host/channel.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <optional>

#include "ipc/framing.h"

namespace vigil::host {
namespace {

struct ChannelTest : ::testing::Test {
  ChannelTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    worker = ends[1];
    Channel::Handlers handlers;
    handlers.message = [this](ipc::ToDaemon message) { messages.push_back(std::move(message)); };
    handlers.closed = [this](std::string reason) { closed = std::move(reason); };
    channel.emplace(loop.get_executor(), ends[0], std::move(handlers));
  }
  ~ChannelTest() override { ::close(worker); }

  // Sends the frame of these bytes and lets the daemon's side run until it has heard something.
  void Send(const std::string& bytes) {
    std::string frame;
    ASSERT_TRUE(ipc::AppendFrame(bytes, frame));
    ASSERT_EQ(::send(worker, frame.data(), frame.size(), MSG_NOSIGNAL), static_cast<ssize_t>(frame.size()));
    const std::size_t before = messages.size();
    loop.restart();
    while (messages.size() == before && !closed) loop.run_one();
  }

  static ipc::ToDaemon Register(const std::string& tag) {
    ipc::ToDaemon message;
    message.mutable_request()->mutable_sync_register()->set_tag(tag);
    return message;
  }

  boost::asio::io_context loop;
  int worker = -1;
  std::vector<ipc::ToDaemon> messages;
  std::optional<std::string> closed;
  std::optional<Channel> channel;
};

TEST_F(ChannelTest, ATagMayHoldAnyCharacterNulIncluded) {
  const std::string tag("a\0\xC3\xA4\x1b", 5);
  Send(Register(tag).SerializeAsString());
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].request().sync_register().tag(), tag);
}

TEST_F(ChannelTest, BytesThatAreNotUtf8EndTheWorker) {
  for (const char* odd : {"\xFFxx", "\xC0\x80x", "\xED\xA0\x80", "\xC3xx"}) {
    std::string bytes = Register("???").SerializeAsString();
    bytes.replace(bytes.find("???"), 3, odd);
    ipc::ToDaemon read;
    EXPECT_FALSE(read.ParseFromString(bytes)) << "the schema's strings are UTF-8";
  }
  std::string bytes = Register("???").SerializeAsString();
  bytes.replace(bytes.find("???"), 3, "\xFFxx");
  Send(bytes);
  EXPECT_EQ(closed, "sent a malformed message");
  EXPECT_TRUE(messages.empty());
}

TEST_F(ChannelTest, AMessageOfNoKnownKindEndsTheWorker) {
  Send("");
  EXPECT_EQ(closed, "sent a malformed message");
}

}  // namespace
}  // namespace vigil::host
