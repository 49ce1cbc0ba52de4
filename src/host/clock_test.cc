#include "host/clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <string>

namespace vigil::host {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr Now kStart{WallTime(Duration(1'700'000'000'000'000)), MonoTime(Duration(1'000'000))};

struct VirtualClockTest : ::testing::Test {
  asio::io_context loop;
  VirtualClock clock{loop, kStart};
  std::vector<std::string> ran;

  std::function<void()> Note(std::string name) {
    return [this, name] { ran.push_back(name); };
  }
  // Advances, and runs the event loop until that has ended.
  Result<> Advance(Duration by) {
    std::optional<Result<>> result;
    asio::co_spawn(
        loop, [&]() -> asio::awaitable<void> { result = co_await clock.Advance(by); }, asio::detached);
    loop.restart();
    loop.run();
    EXPECT_TRUE(result.has_value()) << "Advance() waits for something that never comes";
    return result.value_or(Fail(ErrorCode::kTimeout, "did not end"));
  }
};

TEST_F(VirtualClockTest, StandsStillUntilItIsAdvanced) {
  clock.After(1us, Note("timer"));
  loop.run();
  EXPECT_TRUE(ran.empty());
  EXPECT_EQ(clock.now().mono, kStart.mono);
  ASSERT_TRUE(Advance(1us));
  EXPECT_THAT(ran, ElementsAre("timer"));
}

TEST_F(VirtualClockTest, RunsTimersInOrderOfTimeThenOfCreation) {
  clock.After(2h, Note("c"));
  clock.After(1h, Note("a"));
  clock.After(1h, Note("b"));
  clock.After(3h + 1us, Note("too late"));
  ASSERT_TRUE(Advance(3h));
  EXPECT_THAT(ran, ElementsAre("a", "b", "c"));
  EXPECT_EQ(clock.now().mono, kStart.mono + 3h);
  EXPECT_EQ(clock.now().wall, kStart.wall + 3h);
}

TEST_F(VirtualClockTest, ShowsATimerTheVeryMomentItAskedFor) {
  MonoTime seen{};
  clock.After(5min, [&] { seen = clock.now().mono; });
  ASSERT_TRUE(Advance(24h));
  EXPECT_EQ(seen, kStart.mono + 5min);
}

TEST_F(VirtualClockTest, RunsTimersThatTimersSet) {
  clock.After(5min, [&] { clock.After(15min, Note("second")); });
  ASSERT_TRUE(Advance(19min));
  EXPECT_TRUE(ran.empty());
  ASSERT_TRUE(Advance(1min));
  EXPECT_THAT(ran, ElementsAre("second"));
}

TEST_F(VirtualClockTest, RunsADueTimerWithoutBeingAdvanced) {
  clock.After(0us, Note("now"));
  EXPECT_TRUE(ran.empty()) << "never inside At()";
  loop.run();
  EXPECT_THAT(ran, ElementsAre("now"));
}

TEST_F(VirtualClockTest, DoesNotRunCancelledTimers) {
  const TimerId later = clock.After(2min, Note("cancelled by a timer"));
  const TimerId id = clock.After(1min, Note("cancelled"));
  clock.After(1min, [&] { clock.Cancel(later); });
  clock.Cancel(id);
  clock.Cancel(id);
  ASSERT_TRUE(Advance(1h));
  EXPECT_TRUE(ran.empty());
}

TEST_F(VirtualClockTest, RefusesToGoBackwards) {
  EXPECT_EQ(Advance(-1us).error().code, ErrorCode::kInvalidArgument);
}

// A worker with a timer in a script: busy from each message until it has answered.
struct FakeWorker : QuiescenceSource {
  FakeWorker(asio::io_context& loop, Clock& clock) : loop(loop), clock(clock) {
    clock.AddQuiescenceSource(this);
  }
  ~FakeWorker() override { clock.RemoveQuiescenceSource(this); }
  bool quiescent() const override { return busy == 0; }
  bool holds_time() const override {
    if (held > 0 && --held == 0) {
      asio::post(loop, [this] {
        busy = 0;
        clock.NoteQuiescence();
      });
      return true;
    }
    return held > 0;
  }
  std::optional<MonoTime> next_timer() const override {
    if (timers.empty()) return std::nullopt;
    return timers.front();
  }
  void TimeMoved(const Now& now) override {
    ++busy;
    asio::post(loop, [this, now] {
      while (!timers.empty() && timers.front() <= now.mono) {
        fired.push_back(now.mono);
        timers.erase(timers.begin());
      }
      --busy;
      clock.NoteQuiescence();
    });
  }
  asio::io_context& loop;
  Clock& clock;
  mutable int busy = 0;
  mutable int held = 0;  // how often it still says so
  std::vector<MonoTime> timers;
  std::vector<MonoTime> fired;
};

TEST_F(VirtualClockTest, StopsAtTheTimersInsideWorkers) {
  FakeWorker worker(loop, clock);
  worker.timers = {kStart.mono + 10ms, kStart.mono + 1h};
  ASSERT_TRUE(Advance(24h));
  EXPECT_THAT(worker.fired, ElementsAre(kStart.mono + 10ms, kStart.mono + 1h));
}

TEST_F(VirtualClockTest, GoesOnAlthoughAWorkerClaimsToWaitForThePast) {
  struct : FakeWorker {
    using FakeWorker::FakeWorker;
    std::optional<MonoTime> next_timer() const override {
      return moved < 3 ? std::optional(kStart.mono) : std::nullopt;
    }
    void TimeMoved(const Now&) override { ++moved; }
    int moved = 0;
  } worker(loop, clock);
  ASSERT_TRUE(Advance(1h));
  EXPECT_EQ(clock.now().mono, kStart.mono + 1h);
}

TEST_F(VirtualClockTest, LetsNoTimePassWhileWorkIsUnderWay) {
  FakeWorker worker(loop, clock);
  // The timer starts work that ends some rounds through the event loop later, as a fetch does.
  std::function<void(int)> work = [&](int rounds) {
    if (rounds > 0) {
      asio::post(loop, [&work, rounds] { work(rounds - 1); });
      return;
    }
    ran.push_back("work ended");
    --worker.busy;
    clock.NoteQuiescence();
  };
  clock.After(1min, [&] {
    ++worker.busy;
    work(200);
  });
  clock.After(1min + 1us, Note("next timer"));
  ASSERT_TRUE(Advance(1h));
  EXPECT_THAT(ran, ElementsAre("work ended", "next timer"));
}

TEST_F(VirtualClockTest, LosesPatienceWithWorkThatMakesNoProgress) {
  FakeWorker server(loop, clock);
  server.busy = 1;  // never ends
  clock.After(3min, Note("time limit"));
  clock.SetPatience(1ms);
  ASSERT_TRUE(Advance(1h));
  EXPECT_THAT(ran, ElementsAre("time limit"));
  EXPECT_EQ(clock.now().mono, kStart.mono + 1h);
}

TEST_F(VirtualClockTest, WaitsWithoutLosingPatienceForWhoeverHoldsTheTime) {
  FakeWorker paused(loop, clock);
  paused.busy = 1;
  // Patience with it would have been lost twice when it goes on.
  paused.held = 3;
  clock.SetPatience(1ms);
  ASSERT_TRUE(Advance(1h));
  EXPECT_EQ(paused.held, 0);
  EXPECT_EQ(paused.busy, 0);
  EXPECT_EQ(clock.now().mono, kStart.mono + 1h);
}

TEST_F(VirtualClockTest, RefusesASecondAdvanceMeanwhile) {
  Result<> second;
  clock.After(1min, [&] {
    asio::co_spawn(
        loop, [&]() -> asio::awaitable<void> { second = co_await clock.Advance(1h); }, asio::detached);
  });
  ASSERT_TRUE(Advance(1h));
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(clock.now().mono, kStart.mono + 1h);
}

TEST(RealClock, NeverRunsATimerEarly) {
  asio::io_context loop;
  RealClock clock(loop);
  const MonoTime due = clock.now().mono + 2ms;
  MonoTime seen{};
  clock.At(due, [&] {
    seen = clock.now().mono;
    loop.stop();
  });
  loop.run();
  EXPECT_GE(seen, due);
}

TEST(RealClock, KeepsTheOrderOfTimersAndHonoursCancel) {
  asio::io_context loop;
  RealClock clock(loop);
  std::vector<int> ran;
  const MonoTime due = clock.now().mono + 1ms;
  clock.At(due + 1us, [&] {
    ran.push_back(3);
    loop.stop();
  });
  clock.At(due, [&] { ran.push_back(1); });
  const TimerId cancelled = clock.At(due, [&] { ran.push_back(0); });
  clock.At(due, [&] { ran.push_back(2); });
  clock.Cancel(cancelled);
  loop.run();
  EXPECT_THAT(ran, ElementsAre(1, 2, 3));
}

TEST(RealClock, LetsTheEventLoopGoOnBetweenTimersThatAskForAtOnce) {
  asio::io_context loop;
  RealClock clock(loop);
  bool other_work_ran = false;
  std::function<void()> again = [&] {
    if (other_work_ran) return loop.stop();
    clock.After(Duration::zero(), again);
  };
  clock.After(Duration::zero(), [&] {
    asio::post(loop, [&] { other_work_ran = true; });
    again();
  });
  loop.run();
  EXPECT_TRUE(other_work_ran);
}

}  // namespace
}  // namespace vigil::host
