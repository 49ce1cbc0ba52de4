// Memory of ArrayBuffers, which V8 does not count against its heap: counted and capped here. Over the cap an
// allocation fails, V8 collects garbage and tries again, then the script gets a RangeError.
#pragma once

#include <v8-array-buffer.h>

#include <cstddef>

namespace vigil::worker {

class CappedAllocator final : public v8::ArrayBuffer::Allocator {
 public:
  void SetCap(std::size_t bytes) { cap_ = bytes; }
  std::size_t used() const { return used_; }

  void* Allocate(std::size_t length) override;
  void* AllocateUninitialized(std::size_t length) override;
  void Free(void* data, std::size_t length) override;

 private:
  bool Reserve(std::size_t length);

  std::size_t cap_ = static_cast<std::size_t>(-1);
  std::size_t used_ = 0;
};

}  // namespace vigil::worker
