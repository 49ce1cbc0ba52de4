#include "host/storage_thread.h"

namespace vigil::host {
namespace asio = boost::asio;

StorageThread::StorageThread() : thread_([this] { Loop(); }) {}

StorageThread::~StorageThread() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void StorageThread::Post(std::function<void()> job) {
  pending_.fetch_add(1, std::memory_order_acq_rel);
  {
    std::lock_guard lock(mutex_);
    jobs_.push_back([this, job = std::move(job)]() mutable {
      job();
      job = nullptr;
      Finished();
    });
  }
  wake_.notify_one();
}

void StorageThread::OnIdle(std::function<void()> on_idle) { on_idle_ = std::move(on_idle); }

bool StorageThread::IsCurrent() const { return std::this_thread::get_id() == thread_.get_id(); }

void StorageThread::Finished() {
  if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1 && on_idle_) on_idle_();
}

asio::awaitable<void> StorageThread::RunErased(std::function<void()> job) {
  auto executor = co_await asio::this_coro::executor;
  auto initiate = [this, executor](auto handler, std::function<void()> work) {
    // A std::function must be copyable; the handler is not.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto guard = asio::make_work_guard(executor);
    // Stays pending until the loop has resumed the coroutine: between the two nothing else shows that there
    // is something to do.
    pending_.fetch_add(1, std::memory_order_acq_rel);
    Post([this, shared, guard, work = std::move(work)]() mutable {
      work();
      auto loop = guard.get_executor();
      asio::dispatch(loop, [this, shared, guard]() mutable {
        std::move (*shared)();
        Finished();
      });
    });
  };
  co_await asio::async_initiate<decltype(asio::use_awaitable), void()>(std::move(initiate),
                                                                       asio::use_awaitable, std::move(job));
}

void StorageThread::Loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace vigil::host
