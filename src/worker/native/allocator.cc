#include "worker/native/allocator.h"

#include <cstdlib>

namespace vigil::worker {

bool CappedAllocator::Reserve(std::size_t length) {
  if (used_ > cap_ || length > cap_ - used_) return false;
  used_ += length;
  return true;
}

void* CappedAllocator::Allocate(std::size_t length) {
  if (!Reserve(length)) return nullptr;
  void* data = std::calloc(length, 1);
  if (data == nullptr) used_ -= length;
  return data;
}

void* CappedAllocator::AllocateUninitialized(std::size_t length) {
  if (!Reserve(length)) return nullptr;
  void* data = std::malloc(length);
  if (data == nullptr) used_ -= length;
  return data;
}

void CappedAllocator::Free(void* data, std::size_t length) {
  used_ -= length;
  std::free(data);
}

}  // namespace vigil::worker
