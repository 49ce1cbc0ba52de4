#include "worker/wire.h"

namespace vigil::worker {
namespace {

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

}  // namespace

std::optional<Field> FieldReader::Broken() {
  broken_ = true;
  rest_ = {};
  return std::nullopt;
}

std::optional<std::uint64_t> FieldReader::Varint() {
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < 10 && i < rest_.size(); ++i) {
    const auto byte = static_cast<unsigned char>(rest_[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      rest_.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> FieldReader::Fixed(std::size_t bytes) {
  if (rest_.size() < bytes) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
  }
  rest_.remove_prefix(bytes);
  return value;
}

std::optional<Field> FieldReader::Next() {
  if (rest_.empty()) return std::nullopt;
  const auto key = Varint();
  if (!key || *key >> 3 == 0 || *key >> 32 != 0) return Broken();
  Field field;
  field.number = static_cast<std::uint32_t>(*key >> 3);
  std::optional<std::uint64_t> value;
  switch (static_cast<WireType>(*key & 7)) {
    case kVarint:
    case kLength:
      value = Varint();
      break;
    case kFixed64:
      value = Fixed(8);
      break;
    case kFixed32:
      value = Fixed(4);
      break;
    default:
      break;
  }
  if (!value) return Broken();
  if ((*key & 7) != kLength) {
    field.value = *value;
    return field;
  }
  if (*value > rest_.size()) return Broken();
  field.bytes = rest_.substr(0, *value);
  rest_.remove_prefix(*value);
  return field;
}

std::optional<Field> FindField(std::string_view message, std::uint32_t number) {
  FieldReader reader(message);
  std::optional<Field> found;
  while (const auto field = reader.Next()) {
    if (field->number == number) found = field;
  }
  return found;
}

void FieldWriter::Varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
  out_.push_back(static_cast<char>(value));
}

FieldWriter& FieldWriter::Number(std::uint32_t field, std::uint64_t value) {
  Varint(static_cast<std::uint64_t>(field) << 3 | kVarint);
  Varint(value);
  return *this;
}

FieldWriter& FieldWriter::Bytes(std::uint32_t field, std::string_view value) {
  Varint(static_cast<std::uint64_t>(field) << 3 | kLength);
  Varint(value.size());
  out_.append(value);
  return *this;
}

}  // namespace vigil::worker
