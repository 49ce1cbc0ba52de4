// A limit of time on the Clock that can stand still for a while. Event-loop thread only.
#pragma once

#include <functional>

#include "host/clock.h"
#include "vigil/time.h"

namespace vigil::host {

class TimeLimit {
 public:
  // clock outlives the limit.
  explicit TimeLimit(Clock& clock) : clock_(clock) {}
  ~TimeLimit() { Cancel(); }
  TimeLimit(const TimeLimit&) = delete;
  TimeLimit& operator=(const TimeLimit&) = delete;

  // `passed` is called once, when so much time has gone by in which the limit did not stand still.
  void Set(Duration limit, std::function<void()> passed, bool standing_still);
  void Cancel();
  void StandStill();
  void GoOn();

 private:
  void Arm();

  Clock& clock_;
  std::function<void()> passed_;  // empty: there is none
  Duration left_{0};
  MonoTime armed_at_{};
  TimerId timer_ = 0;  // 0: stands still
};

}  // namespace vigil::host
