// A value that arrives once and wakes the coroutines that wait for it. Event-loop thread only.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace vigil::host {

// Cheap to copy: copies share the value. T must be copyable when more than one coroutine waits.
template <class T>
class Waiter {
 public:
  explicit Waiter(boost::asio::any_io_executor executor) : state_(std::make_shared<State>()) {
    state_->executor = std::move(executor);
  }

  bool ready() const { return state_->value.has_value(); }
  const std::optional<T>& value() const { return state_->value; }

  // The first value counts, later ones are dropped (false). Waiters resume from the loop, not inside this
  // call.
  bool Set(T value) const {
    if (state_->value) return false;
    state_->value.emplace(std::move(value));
    auto handlers = std::exchange(state_->handlers, {});
    for (auto& handler : handlers) {
      boost::asio::post(state_->executor, [handler = std::move(handler)]() mutable { std::move(handler)(); });
    }
    return true;
  }

  boost::asio::awaitable<T> Get() const {
    auto state = state_;
    if (!state->value) {
      co_await boost::asio::async_initiate<decltype(boost::asio::use_awaitable), void()>(
          [](auto handler, State* target) { target->handlers.emplace_back(std::move(handler)); },
          boost::asio::use_awaitable, state.get());
    }
    co_return *state->value;
  }

 private:
  struct State {
    boost::asio::any_io_executor executor;
    std::optional<T> value;
    std::vector<boost::asio::any_completion_handler<void()>> handlers;
  };
  std::shared_ptr<State> state_;
};

}  // namespace vigil::host
