#include "host/time_limit.h"

#include <utility>

namespace vigil::host {

void TimeLimit::Set(Duration limit, std::function<void()> passed, bool standing_still) {
  Cancel();
  left_ = limit;
  passed_ = std::move(passed);
  if (!standing_still) Arm();
}

void TimeLimit::Cancel() {
  clock_.Cancel(std::exchange(timer_, 0));
  passed_ = {};
}

void TimeLimit::StandStill() {
  if (timer_ == 0) return;
  clock_.Cancel(std::exchange(timer_, 0));
  left_ -= clock_.now().mono - armed_at_;
}

void TimeLimit::GoOn() {
  if (timer_ == 0 && passed_) Arm();
}

void TimeLimit::Arm() {
  armed_at_ = clock_.now().mono;
  timer_ = clock_.After(left_, [this] {
    timer_ = 0;
    std::exchange(passed_, {})();
  });
}

}  // namespace vigil::host
