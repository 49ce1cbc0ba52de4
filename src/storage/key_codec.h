// IndexedDB keys as byte strings whose order as bytes is the order of the keys (Indexed Database API,
// section 2.4).
//
//   key     = number | date | string | binary | array
//   number  = 0x10 double          double: 8 bytes big-endian; negative: all bits flipped, else the sign bit
//   flipped date    = 0x20 double          milliseconds since the epoch string  = 0x30 unit* 0x00      one
//   unit per UTF-16 code unit binary  = 0x40 unit* 0x00      one unit per byte array   = 0x50 key* 0x00 unit
//   = v + 1                            v <= 0x7e
//           | 0x80 + (w >> 8), w & 0xff        w = v - 0x7f, w <= 0x3fff
//           | 0xc0 + (v >> 10), v >> 2 & 0xff, v << 6 & 0xff      every other v <= 0xffff
//
// Negative zero is stored as zero; NaN is no key. runtime/indexeddb_key.ts is the twin of this file.
// Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace vigil::storage {

// Deeper arrays are refused, here and in the façade.
constexpr int kMaxKeyDepth = 200;
// Longer encoded keys are refused.
constexpr std::size_t kMaxKeyBytes = 1 << 20;

struct KeyDate {
  double milliseconds = 0;
  friend bool operator==(const KeyDate&, const KeyDate&) = default;
};
struct KeyBinary {
  std::string bytes;
  friend bool operator==(const KeyBinary&, const KeyBinary&) = default;
};
struct Key {
  using Array = std::vector<Key>;
  std::variant<double, KeyDate, std::u16string, KeyBinary, Array> value;
  friend bool operator==(const Key&, const Key&) = default;
};

// The key must be valid (no NaN, not too deep).
std::string EncodeKey(const Key& key);
std::string EncodeNumber(double number);
// Errors: kInvalidArgument if the bytes are not exactly one encoded key, or not the one form it can have.
Result<Key> DecodeKey(std::string_view bytes);
// The same check without building the key.
bool IsValidKey(std::string_view bytes);
// The number of a number key.
Result<double> DecodeNumber(std::string_view bytes);

// Stands, inside the index keys of a record whose own key the generator will make, for that key. Not a valid
// key itself; in an array it is one element.
constexpr char kGeneratedPlaceholder = 0x08;
// Replaces placeholders by the encoded number; the result is a valid key or an error.
Result<std::string> ReplacePlaceholder(std::string_view bytes, std::string_view generated);

}  // namespace vigil::storage
