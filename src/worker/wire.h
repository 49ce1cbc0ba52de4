// The few operations of the protobuf wire format that the native half needs. Almost every message passes
// unread to the bundle; a full parse here would copy the scripts of a Start and the bodies of a fetch once
// more per worker, and would bring a library into a process that is meant to be small.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigil::worker {

// One field of a message. `value` holds varints and fixed-width numbers, `bytes` what has a length (a view).
struct Field {
  std::uint32_t number = 0;
  std::uint64_t value = 0;
  std::string_view bytes;
};

// Walks over the fields of one message, in the order of the bytes.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : rest_(message) {}
  // Empty at the end of the message and when it is malformed (see broken()).
  std::optional<Field> Next();
  bool broken() const { return broken_; }

 private:
  std::optional<std::uint64_t> Varint();
  std::optional<std::uint64_t> Fixed(std::size_t bytes);
  std::optional<Field> Broken();

  std::string_view rest_;
  bool broken_ = false;
};

// The last occurrence of a field, as protobuf defines it for fields that are not repeated.
std::optional<Field> FindField(std::string_view message, std::uint32_t number);

// Builds a message.
class FieldWriter {
 public:
  FieldWriter& Number(std::uint32_t field, std::uint64_t value);
  FieldWriter& Bytes(std::uint32_t field, std::string_view value);
  std::string Take() { return std::move(out_); }

 private:
  void Varint(std::uint64_t value);
  std::string out_;
};

}  // namespace vigil::worker
