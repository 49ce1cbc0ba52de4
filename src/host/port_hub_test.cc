#include "host/port_hub.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace vigil::host {
namespace {

using Kind = ipc::PortFrame;
using Lines = std::vector<std::string>;
const char* const kOrigin = "https://a.example";

class PortHubTest : public ::testing::Test {
 protected:
  // "2: message c1 hello"
  PortHub hub{[this](std::uint64_t process, const ipc::PortFrame& frame) {
                const std::string kind = frame.kind() == Kind::MESSAGE ? "message"
                                         : frame.kind() == Kind::FENCE ? "fence"
                                                                       : "close";
                sent.push_back(std::to_string(process) + ": " + kind + " " + frame.channel() +
                               std::to_string(frame.side()) +
                               (frame.data().empty() ? "" : " " + frame.data()));
              },
              [this](std::uint64_t, std::uint64_t receiver) { return !slow.contains(receiver); }};
  std::set<std::uint64_t> slow;
  Lines sent;

  void Frame(std::uint64_t process, std::uint32_t side, Kind::Kind kind, const std::string& data = {},
             const std::string& origin = kOrigin, const std::string& channel = "c") {
    ipc::PortFrame frame;
    frame.set_channel(channel);
    frame.set_side(side);
    frame.set_kind(kind);
    frame.set_data(data);
    hub.OnFrame(process, origin, std::move(frame));
  }
  // Process 1 has end 0, process 2 end 1.
  void Connect() {
    Frame(1, 0, Kind::CLAIM);
    Frame(2, 1, Kind::CLAIM);
  }
};

TEST_F(PortHubTest, KeepsMessagesForAnEndThatIsOnItsWay) {
  Frame(1, 0, Kind::CLAIM);
  Frame(1, 1, Kind::MESSAGE, "a");
  Frame(1, 1, Kind::MESSAGE, "b");
  EXPECT_EQ(sent, Lines{});
  Frame(2, 1, Kind::CLAIM);
  Frame(1, 1, Kind::MESSAGE, "c");
  EXPECT_EQ(sent, (Lines{"2: message c1 a", "2: message c1 b", "2: message c1 c"}));
}

TEST_F(PortHubTest, CarriesAnswers) {
  Connect();
  Frame(2, 0, Kind::MESSAGE, "x");
  EXPECT_EQ(sent, Lines{"1: message c0 x"});
}

TEST_F(PortHubTest, AnEndThatMovesOnTakesWhatWasUnderWayToItInOrder) {
  Connect();
  Frame(2, 1, Kind::RELEASE);
  EXPECT_EQ(sent, Lines{"2: fence c1"});
  sent.clear();
  Frame(1, 1, Kind::MESSAGE, "new");
  Frame(3, 1, Kind::CLAIM);
  Frame(2, 1, Kind::BOUNCE, "old 1");
  Frame(2, 1, Kind::BOUNCE, "old 2");
  EXPECT_EQ(sent, Lines{}) << "the next process got a message before the last one had sent its own back";
  Frame(2, 1, Kind::DRAINED);
  EXPECT_EQ(sent, (Lines{"3: message c1 old 1", "3: message c1 old 2", "3: message c1 new"}));
  sent.clear();
  Frame(3, 0, Kind::MESSAGE, "answer");
  Frame(2, 0, Kind::MESSAGE, "forged");
  EXPECT_EQ(sent, Lines{"1: message c0 answer"});
}

TEST_F(PortHubTest, ClosingTellsTheOtherEnd) {
  Connect();
  Frame(1, 0, Kind::CLOSE);
  EXPECT_EQ(sent, Lines{"2: close c1"});
  EXPECT_EQ(hub.channels(), 0U);
}

TEST_F(PortHubTest, AnEndThatArrivesAfterTheOtherWasClosedStillGetsItsMessages) {
  Frame(1, 0, Kind::CLAIM);
  Frame(1, 1, Kind::MESSAGE, "last words");
  hub.ProcessEnded(1);
  Frame(2, 1, Kind::CLAIM);
  EXPECT_EQ(sent, (Lines{"2: message c1 last words", "2: close c1"}));
  EXPECT_EQ(hub.channels(), 0U);
}

TEST_F(PortHubTest, AProcessThatEndsWhileItDrainsHoldsNobodyUp) {
  Connect();
  Frame(2, 1, Kind::RELEASE);
  Frame(3, 1, Kind::CLAIM);
  sent.clear();
  Frame(1, 1, Kind::MESSAGE, "a");
  hub.ProcessEnded(2);
  EXPECT_EQ(sent, Lines{"3: message c1 a"});
  hub.ProcessEnded(3);
  hub.ProcessEnded(1);
  EXPECT_EQ(hub.channels(), 0U);
}

TEST_F(PortHubTest, OtherOriginsAndOtherProcessesHaveNoPart) {
  Frame(1, 0, Kind::CLAIM);
  Frame(2, 1, Kind::CLAIM, {}, "https://b.example");
  Frame(2, 1, Kind::MESSAGE, "not the owner of the other end");
  Frame(2, 0, Kind::CLOSE);
  Frame(2, 0, Kind::RELEASE);
  Frame(2, 0, Kind::CLAIM);
  Frame(2, 7, Kind::CLAIM);
  EXPECT_EQ(sent, Lines{});
  Frame(2, 1, Kind::CLAIM);
  Frame(1, 1, Kind::MESSAGE, "a");
  EXPECT_EQ(sent, Lines{"2: message c1 a"});
}

TEST_F(PortHubTest, AChannelThatDoesNotExistIsClosed) {
  Frame(2, 1, Kind::CLAIM);
  EXPECT_EQ(sent, Lines{"2: close c1"});
}

TEST_F(PortHubTest, WhatQueuesUpForNobodyIsBounded) {
  Frame(1, 0, Kind::CLAIM);
  const std::string big(PortHub::kMaxQueuedBytes / 4, 'x');
  for (int i = 0; i < 5; ++i) Frame(1, 1, Kind::MESSAGE, big);
  EXPECT_EQ(hub.channels(), 0U);
}

TEST_F(PortHubTest, WhatQueuesUpInAllChannelsOfAnOriginIsBounded) {
  const std::string big(PortHub::kMaxQueuedBytes - 100, 'x');
  const auto fill = [&](const std::string& channel, const std::string& origin) {
    Frame(1, 0, Kind::CLAIM, {}, origin, channel);
    Frame(1, 1, Kind::MESSAGE, big, origin, channel);
  };
  for (const char* channel : {"a", "b", "c", "d", "e"}) fill(channel, kOrigin);
  EXPECT_EQ(hub.channels(), 4U);
  fill("other", "https://b.example");
  EXPECT_EQ(hub.channels(), 5U);
  // Whoever takes its messages makes room, and so does who closes.
  Frame(2, 1, Kind::CLAIM, {}, kOrigin, "a");
  fill("f", kOrigin);
  EXPECT_EQ(hub.channels(), 6U);
  Frame(1, 0, Kind::CLOSE, {}, kOrigin, "a");
  fill("g", kOrigin);
  EXPECT_EQ(hub.channels(), 5U) << "a is closed, g is too much";
}

TEST_F(PortHubTest, NothingIsSentOnToWhoDoesNotRead) {
  Connect();
  slow.insert(2);
  Frame(1, 1, Kind::MESSAGE, "a");
  EXPECT_EQ(sent, Lines{});
}

}  // namespace
}  // namespace vigil::host
