// A priority queue whose members know their place in it, so that any of them can be moved or taken out in
// O(log n) and the first is read in O(1). Eight bytes per member.
//
// T needs: a field `wake` that orders (smallest first) and a field `queue_index`, kNotQueued while outside.
// Ties are in no particular order. Does not own its members.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace vigil {

inline constexpr std::uint32_t kNotQueued = 0xFFFFFFFF;

template <class T>
class DueQueue {
 public:
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  T& top() const { return *heap_.front(); }

  void Insert(T& item) {
    item.queue_index = static_cast<std::uint32_t>(heap_.size());
    heap_.push_back(&item);
    Up(heap_.size() - 1);
  }
  // Items outside the queue are left alone.
  void Remove(T& item) {
    if (item.queue_index == kNotQueued) return;
    const std::size_t hole = item.queue_index;
    item.queue_index = kNotQueued;
    T* last = heap_.back();
    heap_.pop_back();
    if (last == &item) return;
    Put(hole, last);
    Up(hole);
    Down(last->queue_index);
  }

 private:
  void Put(std::size_t at, T* item) {
    heap_[at] = item;
    item->queue_index = static_cast<std::uint32_t>(at);
  }
  void Up(std::size_t at) {
    T* item = heap_[at];
    while (at > 0) {
      const std::size_t parent = (at - 1) / 2;
      if (!(item->wake < heap_[parent]->wake)) break;
      Put(at, heap_[parent]);
      at = parent;
    }
    Put(at, item);
  }
  void Down(std::size_t at) {
    T* item = heap_[at];
    for (;;) {
      std::size_t child = 2 * at + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && heap_[child + 1]->wake < heap_[child]->wake) ++child;
      if (!(heap_[child]->wake < item->wake)) break;
      Put(at, heap_[child]);
      at = child;
    }
    Put(at, item);
  }

  std::vector<T*> heap_;
};

}  // namespace vigil
