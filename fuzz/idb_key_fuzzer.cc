// libFuzzer target: whatever bytes a worker sends as a key, decoding neither crashes nor finds two forms of
// one key.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "storage/key_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto key = vigil::storage::DecodeKey(bytes);
  if (key.has_value() != vigil::storage::IsValidKey(bytes)) std::abort();
  if (key && vigil::storage::EncodeKey(*key) != bytes) std::abort();
  (void)vigil::storage::ReplacePlaceholder(bytes, vigil::storage::EncodeNumber(1));
  return 0;
}
