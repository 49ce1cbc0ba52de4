// Math.random of one worker. V8's own generator was seeded in the zygote: all children would draw the same
// numbers. Not for secrets; crypto.getRandomValues asks the kernel.
#pragma once

#include <cstdint>
#include <string_view>

namespace vigil::worker {

class Random {
 public:
  // Mixes all bytes of the seed into the state; an empty seed is replaced by the kernel's random bytes.
  void Seed(std::string_view seed);
  // Uniform in [0, 1), 53 bits.
  double Next();

 private:
  std::uint64_t Step();
  std::uint64_t state_[4] = {1, 2, 3, 4};
};

}  // namespace vigil::worker
