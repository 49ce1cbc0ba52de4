#include "host/caps.h"

#include <gtest/gtest.h>

namespace vigil::host {
namespace {

using std::chrono::milliseconds;

TEST(Allowance, CountsRequestsUntilTheyAreAnswered) {
  Caps caps;
  caps.requests = 2;
  Allowance allowance(caps);
  EXPECT_FALSE(allowance.BeginRequest(1, 0));
  EXPECT_FALSE(allowance.BeginRequest(2, 0));
  allowance.EndRequest(1);
  allowance.EndRequest(1);  // twice: nothing happens
  allowance.EndRequest(7);
  EXPECT_EQ(allowance.requests(), 1U);
  EXPECT_FALSE(allowance.BeginRequest(3, 0));
  EXPECT_EQ(allowance.BeginRequest(4, 0), "has more than 2 requests under way");
}

TEST(Allowance, KnowsANumberThatIsUsedTwice) {
  const Caps caps;
  Allowance allowance(caps);
  EXPECT_FALSE(allowance.BeginRequest(1, 0));
  EXPECT_EQ(allowance.BeginRequest(1, 0), "used the number of a request twice");
}

TEST(Allowance, LetsAnyNumberWantNoAnswerButCountsThem) {
  Caps caps;
  caps.requests = 2;
  Allowance allowance(caps);
  EXPECT_FALSE(allowance.BeginRequest(0, 5));
  EXPECT_FALSE(allowance.BeginRequest(0, 5));
  allowance.EndRequest(0);
  EXPECT_EQ(allowance.requests(), 1U);
  EXPECT_FALSE(allowance.BeginRequest(0, 5));
  EXPECT_TRUE(allowance.BeginRequest(0, 5));
}

TEST(Allowance, BoundsTheBytesOfRequestsButTakesALargeOneAlone) {
  Caps caps;
  caps.request_bytes = 100;
  Allowance allowance(caps);
  EXPECT_FALSE(allowance.BeginRequest(1, 1000));
  EXPECT_EQ(allowance.BeginRequest(2, 1), "has requests of more than 100 bytes under way");
  allowance.EndRequest(1);
  allowance.EndRequest(2);
  EXPECT_FALSE(allowance.BeginRequest(3, 60));
  EXPECT_FALSE(allowance.BeginRequest(4, 40));
  EXPECT_TRUE(allowance.BeginRequest(5, 1));
}

TEST(Allowance, CountsFetchesAndTheBodiesThatFollowThem) {
  Caps caps;
  caps.fetches = 2;
  Allowance allowance(caps);
  for (std::uint64_t id = 1; id <= 4; ++id) EXPECT_FALSE(allowance.BeginRequest(id, 0));
  EXPECT_FALSE(allowance.TooManyFetches(1, 0));
  EXPECT_FALSE(allowance.TooManyFetches(2, 0));
  EXPECT_TRUE(allowance.TooManyFetches(3, 0));
  allowance.EndRequest(1);
  allowance.EndRequest(3);
  EXPECT_TRUE(allowance.TooManyFetches(4, 1)) << "one waits for its answer, one body is on its way";
}

TEST(Allowance, GivesEachEventItsFetches) {
  Caps caps;
  caps.fetches_per_event = 2;
  Allowance allowance(caps);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(allowance.CountFetch()) << "before any event";
  allowance.BeginEvent(0);
  EXPECT_FALSE(allowance.CountFetch());
  EXPECT_FALSE(allowance.CountFetch());
  allowance.BeginEvent(1);
  EXPECT_FALSE(allowance.CountFetch()) << "of the second event";
  EXPECT_FALSE(allowance.CountFetch());
  EXPECT_EQ(allowance.CountFetch(), "made more than 2 fetches in one event");
  allowance.BeginEvent(0);
  EXPECT_FALSE(allowance.CountFetch());
}

TEST(Allowance, CountsMessagesUntilTheyAreHandled) {
  Caps caps;
  caps.messages = 2;
  caps.message_bytes = 100;
  Allowance allowance(caps);
  EXPECT_FALSE(allowance.BeginMessage(1000)) << "large, but alone";
  EXPECT_TRUE(allowance.BeginMessage(1));
  allowance.EndMessage(1000);
  EXPECT_FALSE(allowance.BeginMessage(1));
  EXPECT_EQ(allowance.BeginMessage(1), "has sent more than 2 messages that were not handled yet");
  EXPECT_FALSE(allowance.CheckReceiver(100));
  EXPECT_EQ(allowance.CheckReceiver(101), "sends messages faster than they are read: 100 bytes wait");
}

TEST(Allowance, DropsConsoleLinesOfAFlood) {
  Caps caps;
  caps.console_lines = 3;
  caps.console_lines_per_second = 10;
  Allowance allowance(caps);
  Allowance::Steady::time_point now{};
  using Console = Allowance::Console;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(allowance.CountConsoleLine(now), Console::kShow);
  EXPECT_EQ(allowance.CountConsoleLine(now), Console::kLastOne);
  EXPECT_EQ(allowance.CountConsoleLine(now), Console::kDrop);
  now += milliseconds(100);
  EXPECT_EQ(allowance.CountConsoleLine(now), Console::kShow);
  EXPECT_EQ(allowance.CountConsoleLine(now), Console::kLastOne) << "says so once for each gap";
  now += std::chrono::hours(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(allowance.CountConsoleLine(now), Console::kShow);
  EXPECT_EQ(allowance.CountConsoleLine(now), Console::kLastOne);
}

TEST(Allowance, TakesZeroForNoCap) {
  Caps caps;
  caps.requests = caps.request_bytes = caps.fetches = caps.messages = caps.console_lines = 0;
  Allowance allowance(caps);
  EXPECT_FALSE(allowance.BeginRequest(1, 1 << 30));
  EXPECT_FALSE(allowance.BeginRequest(2, 1 << 30));
  EXPECT_FALSE(allowance.TooManyFetches(1, 1 << 20));
  EXPECT_FALSE(allowance.BeginMessage(1));
  EXPECT_FALSE(allowance.BeginMessage(1));
  EXPECT_EQ(allowance.CountConsoleLine({}), Allowance::Console::kShow);
}

}  // namespace
}  // namespace vigil::host
