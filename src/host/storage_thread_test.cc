#include "host/storage_thread.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

namespace vigil::host {
namespace {

TEST(StorageThreadTest, RunsJobsInOrderAndAllOfThemBeforeItEnds) {
  std::vector<int> order;
  {
    StorageThread thread;
    for (int i = 0; i < 100; ++i) thread.Post([&order, i] { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(StorageThreadTest, RunResumesOnTheLoopAndCountsAsPendingUntilThen) {
  boost::asio::io_context loop;
  StorageThread thread;
  bool on_storage = false, done = false;
  auto task = [](StorageThread& storage, bool& ran_there, bool& finished) -> boost::asio::awaitable<void> {
    auto* seen = &ran_there;
    auto* self = &storage;
    const auto look = [seen, self] {
      *seen = self->IsCurrent();
      return std::make_unique<int>(7);
    };
    auto value = co_await storage.Run(look);
    EXPECT_EQ(*value, 7);
    EXPECT_FALSE(storage.IsCurrent());
    finished = true;
  };
  boost::asio::co_spawn(loop, task(thread, on_storage, done), boost::asio::detached);
  while (!done) {
    EXPECT_TRUE(thread.pending() > 0 || loop.run_one() > 0);
    if (!done) loop.run_one();
  }
  EXPECT_TRUE(on_storage);
}

}  // namespace
}  // namespace vigil::host
