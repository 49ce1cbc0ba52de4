// A clock that stands until its owner moves it. Unlike the daemon's virtual clock it asks nobody whether they
// are ready: a hostile process would never say so.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <utility>

#include "host/clock.h"

namespace vigil::fuzz {

class ManualClock final : public host::Clock {
 public:
  explicit ManualClock(boost::asio::io_context& loop)
      : loop_(loop), now_{WallTime(Duration(1'700'000'000'000'000)), MonoTime(Duration(1'000'000))} {}

  Now now() const override { return now_; }
  bool is_virtual() const override { return false; }
  host::TimerId At(MonoTime when, std::function<void()> fn) override {
    const host::TimerId id = queue_.Add(when, std::move(fn));
    if (when <= now_.mono) RunDueSoon();
    return id;
  }
  void Cancel(host::TimerId id) override { queue_.Remove(id); }
  void OnWallClockJump(std::function<void(const Now&)>) override {}

  void Advance(Duration by) {
    now_.wall += by;
    now_.mono += by;
    RunDueSoon();
  }

 private:
  // One at a time, as the real clocks do.
  void RunDueSoon() {
    boost::asio::post(loop_, [this] {
      const auto fn = queue_.TakeDue(now_.mono);
      if (!fn) return;
      fn();
      RunDueSoon();
    });
  }

  boost::asio::io_context& loop_;
  Now now_;
  host::TimerQueue queue_;
};

}  // namespace vigil::fuzz
