// The one thread that runs everything of store/ and storage/ (both block on the disk and know no event loop).
//
// Jobs run one after another in the order in which they were posted, from whatever thread. A job must not
// wait for another job. Shutting down runs what was posted before, so that nothing that was accepted is
// dropped.
#pragma once

#include <atomic>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace vigil::host {

class StorageThread {
 public:
  StorageThread();
  // Runs every job that was posted, then ends the thread.
  ~StorageThread();
  StorageThread(const StorageThread&) = delete;
  StorageThread& operator=(const StorageThread&) = delete;

  // Any thread. The job must not throw.
  void Post(std::function<void()> job);

  // Runs fn on the storage thread and resumes the awaiting coroutine, on its own executor, with what fn
  // returned. The job always runs, also when the coroutine is gone by then: what fn captures must stay valid
  // (capture by value).
  // Name the lambda before the co_await expression: g++ 12 copies a closure that is a temporary there bit by
  // bit.
  template <class F>
  auto Run(F fn) -> boost::asio::awaitable<std::invoke_result_t<F&>> {
    using T = std::invoke_result_t<F&>;
    if constexpr (std::is_void_v<T>) {
      std::function<void()> job = [fn = std::move(fn)]() mutable { fn(); };
      co_await RunErased(std::move(job));
    } else {
      auto result = std::make_shared<std::optional<T>>();
      std::function<void()> job = [fn = std::move(fn), result]() mutable { result->emplace(fn()); };
      co_await RunErased(std::move(job));
      co_return std::move(**result);
    }
  }

  // Jobs posted and not finished, those counted whose completion has not been delivered to the loop yet
  // included. For the virtual clock, which lets no time pass while it is not zero.
  std::size_t pending() const { return pending_.load(std::memory_order_acquire); }
  // Called on the storage thread whenever pending() has become zero. Set once, before the first job.
  void OnIdle(std::function<void()> on_idle);
  // True on the storage thread (for assertions).
  bool IsCurrent() const;

 private:
  boost::asio::awaitable<void> RunErased(std::function<void()> job);
  void Loop();
  void Finished();

  std::atomic<std::size_t> pending_{0};
  std::function<void()> on_idle_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vigil::host
