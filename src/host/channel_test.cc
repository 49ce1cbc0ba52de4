// What a hostile worker may send: the daemon believes no byte of it.
#include "host/channel.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <optional>
#include <thread>

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

  // The numbers of so many messages, as the worker reads them. Blocks.
  std::vector<std::uint64_t> ReadNumbers(std::size_t count) const {
    std::vector<std::uint64_t> numbers;
    ipc::FrameReader reader;
    while (numbers.size() < count) {
      char* space = reader.Space(4096);
      const ssize_t n = ::recv(worker, space, reader.SpaceSize(), 0);
      if (n <= 0) break;
      reader.Commit(static_cast<std::size_t>(n));
      while (auto frame = reader.Next().value()) {
        ipc::ToWorker message;
        EXPECT_TRUE(message.ParseFromArray(frame->data(), static_cast<int>(frame->size())));
        numbers.push_back(message.seq());
      }
    }
    return numbers;
  }

  static ipc::ToWorker Text(std::size_t size) {
    ipc::ToWorker message;
    message.mutable_evaluate()->set_code(std::string(size, 'x'));
    return message;
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

TEST_F(ChannelTest, WhatTwoThreadsSendArrivesWholeAndInTheOrderOfItsNumbers) {
  constexpr std::size_t kEach = 3000;
  std::vector<std::uint64_t> numbers;
  bool read = false;
  std::thread reader([&] {
    numbers = ReadNumbers(2 * kEach);
    boost::asio::post(loop, [&] { read = true; });
  });
  std::thread other([sender = channel->sender()] {
    for (std::size_t i = 0; i < kEach; ++i) {
      ipc::ToWorker message = Text(i % 700);
      sender.Send(message);
    }
  });
  for (std::size_t i = 0; i < kEach; ++i) {
    ipc::ToWorker message = Text(i % 900);
    channel->Send(message);
    loop.poll();
  }
  other.join();
  while (!read) loop.run_one();
  reader.join();
  ASSERT_EQ(numbers.size(), 2 * kEach);
  for (std::size_t i = 0; i < numbers.size(); ++i) ASSERT_EQ(numbers[i], i + 1);
}

TEST_F(ChannelTest, WhatIsSentToAChannelThatIsGoneIsDropped) {
  const Channel::Sender sender = channel->sender();
  channel.reset();
  ipc::ToWorker message = Text(10);
  sender.Send(message);
  EXPECT_TRUE(ReadNumbers(1).empty());
}

}  // namespace
}  // namespace vigil::host
