// libFuzzer target: whatever arrives on a worker's socket, in pieces of any size, cutting it into frames and
// parsing them neither crashes nor hands out more than arrived.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "ipc/framing.h"
#include "ipc/vigil.pb.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vigil::ipc::FrameReader reader;
  std::size_t handed_out = 0;
  const std::size_t piece = size == 0 ? 1 : 1 + data[0] % 64;
  for (std::size_t at = 0; at < size; at += piece) {
    const std::size_t count = std::min(piece, size - at);
    std::memcpy(reader.Space(count), data + at, count);
    reader.Commit(count);
    while (true) {
      const auto frame = reader.Next();
      if (!frame) return 0;
      if (!*frame) break;
      handed_out += vigil::ipc::kFrameHeaderBytes + (*frame)->size();
      if (handed_out > size) std::abort();
      vigil::ipc::ToDaemon message;
      (void)message.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size()));
    }
  }
  return 0;
}
