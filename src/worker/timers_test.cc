#include "worker/timers.h"

#include <gtest/gtest.h>

namespace vigil::worker {
namespace {

TEST(TimerHeap, FiresByTimeThenInTheOrderOfTheCalls) {
  TimerHeap timers;
  timers.Set(3, 10);
  timers.Set(2, 10);
  timers.Set(1, 20);
  EXPECT_EQ(timers.Next(), 10);
  EXPECT_EQ(timers.PopDue(9), std::nullopt);
  EXPECT_EQ(timers.PopDue(20), 3U);
  EXPECT_EQ(timers.PopDue(20), 2U);
  EXPECT_EQ(timers.PopDue(20), 1U);
  EXPECT_EQ(timers.Next(), std::nullopt);
}

TEST(TimerHeap, ForgetsWhatIsCleared) {
  TimerHeap timers;
  timers.Set(1, 10);
  timers.Clear(1);
  timers.Clear(1);
  EXPECT_EQ(timers.PopDue(100), std::nullopt);
}

TEST(TimerHeap, MovesATimerThatIsSetAgain) {
  TimerHeap timers;
  timers.Set(1, 10);
  timers.Set(1, 30);
  EXPECT_EQ(timers.PopDue(20), std::nullopt);
  EXPECT_EQ(timers.PopDue(30), 1U);
}

}  // namespace
}  // namespace vigil::worker
