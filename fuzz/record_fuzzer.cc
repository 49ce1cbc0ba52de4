// libFuzzer target: whatever bytes a store hands back as a registration, they are refused with a message or
// are the one encoding of a record. Once as they are, and once with a checksum that fits, which no mutation
// would find.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "vigil/record_codec.h"

namespace {

std::uint32_t Crc32(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? 0xEDB88320U ^ (crc >> 1) : crc >> 1;
  }
  return ~crc;
}

void Check(std::string_view bytes) {
  const vigil::DecodedRecord decoded = vigil::DecodeRecord(bytes);
  if (decoded.record.has_value() != decoded.error.empty()) std::abort();
  if (!decoded.record) return;
  if (vigil::EncodeRecord(*decoded.record) != bytes) std::abort();
  if (vigil::EncodeRecordKey(decoded.record->key).size() != 9 + decoded.record->key.tag.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  Check(bytes);
  std::uint32_t crc = Crc32(bytes);
  for (int i = 0; i < 4; ++i, crc >>= 8) bytes.push_back(static_cast<char>(crc & 0xFF));
  Check(bytes);
  if (bytes.size() < 5) return 0;
  bytes[0] = 1;
  crc = Crc32(std::string_view(bytes).substr(0, size));
  for (std::size_t i = 0; i < 4; ++i, crc >>= 8) bytes[size + i] = static_cast<char>(crc & 0xFF);
  Check(bytes);
  return 0;
}
