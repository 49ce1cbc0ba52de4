#include "worker/native/random.h"

#include <sys/random.h>

#include <bit>
#include <string>

namespace vigil::worker {
namespace {

constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;

// A bijective mix whose every output bit depends on every input bit.
std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

}  // namespace

void Random::Seed(std::string_view seed) {
  std::string own;
  if (seed.empty()) {
    own.resize(32);
    if (::getrandom(own.data(), own.size(), 0) != static_cast<ssize_t>(own.size())) own = "no random bytes";
    seed = own;
  }
  std::uint64_t mixed = kGolden;
  for (std::uint64_t& word : state_) word = 0;
  for (std::size_t i = 0; i < seed.size(); ++i) {
    mixed = Mix(mixed + kGolden + static_cast<unsigned char>(seed[i]));
    state_[(i / 8) % 4] ^= mixed;
  }
  // The generator must not start at zero.
  for (std::uint64_t& word : state_) word = Mix(word + (mixed += kGolden));
}

// xoshiro256+: four words of state, one addition.
std::uint64_t Random::Step() {
  const std::uint64_t result = state_[0] + state_[3];
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::Next() { return static_cast<double>(Step() >> 11) * 0x1.0p-53; }

}  // namespace vigil::worker
