#include "engine/due_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace vigil {
namespace {

struct Item {
  int wake = 0;
  std::uint32_t queue_index = kNotQueued;
};

TEST(DueQueue, GivesItemsInOrderWhateverWasTakenOutOrMoved) {
  std::mt19937 random(1);
  std::vector<Item> items(500);
  DueQueue<Item> queue;
  for (Item& item : items) {
    item.wake = static_cast<int>(random() % 100);
    queue.Insert(item);
  }
  std::vector<int> expected;
  for (Item& item : items) {
    const auto roll = random() % 3;
    if (roll != 0) queue.Remove(item);
    if (roll == 1) {
      item.wake = static_cast<int>(random() % 100);
      queue.Insert(item);
    }
    if (roll != 2) expected.push_back(item.wake);
  }
  std::sort(expected.begin(), expected.end());
  std::vector<int> seen;
  while (!queue.empty()) {
    Item& first = queue.top();
    seen.push_back(first.wake);
    queue.Remove(first);
    EXPECT_EQ(first.queue_index, kNotQueued);
  }
  EXPECT_EQ(seen, expected);
}

TEST(DueQueue, RemovingWhatIsNotInItDoesNothing) {
  DueQueue<Item> queue;
  Item item;
  queue.Remove(item);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace vigil
