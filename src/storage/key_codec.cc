#include "storage/key_codec.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace vigil::storage {
namespace {

constexpr char kNumber = 0x10;
constexpr char kDate = 0x20;
constexpr char kString = 0x30;
constexpr char kBinary = 0x40;
constexpr char kArray = 0x50;
constexpr char kEnd = 0x00;
constexpr std::uint64_t kSignBit = 0x8000000000000000u;

void AppendDouble(std::string& out, double number) {
  std::uint64_t bits = std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number);
  bits = (bits & kSignBit) ? ~bits : bits | kSignBit;
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(bits >> shift & 0xff));
}

void AppendUnit(std::string& out, std::uint32_t unit) {
  if (unit <= 0x7e) {
    out.push_back(static_cast<char>(unit + 1));
  } else if (unit - 0x7f <= 0x3fff) {
    const std::uint32_t rest = unit - 0x7f;
    out.push_back(static_cast<char>(0x80 + (rest >> 8)));
    out.push_back(static_cast<char>(rest & 0xff));
  } else {
    out.push_back(static_cast<char>(0xc0 + (unit >> 10)));
    out.push_back(static_cast<char>(unit >> 2 & 0xff));
    out.push_back(static_cast<char>(unit << 6 & 0xff));
  }
}

struct Encoder {
  std::string& out;
  void operator()(double number) const {
    out.push_back(kNumber);
    AppendDouble(out, number);
  }
  void operator()(const KeyDate& date) const {
    out.push_back(kDate);
    AppendDouble(out, date.milliseconds);
  }
  void operator()(const std::u16string& text) const {
    out.push_back(kString);
    for (char16_t unit : text) AppendUnit(out, unit);
    out.push_back(kEnd);
  }
  void operator()(const KeyBinary& binary) const {
    out.push_back(kBinary);
    for (char byte : binary.bytes) AppendUnit(out, static_cast<unsigned char>(byte));
    out.push_back(kEnd);
  }
  void operator()(const Key::Array& array) const {
    out.push_back(kArray);
    for (const Key& element : array) std::visit(*this, element.value);
    out.push_back(kEnd);
  }
};

// Reads one key from the front. With key == nullptr it only checks.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }

  bool ReadKey(Key* key, int depth) {
    if (rest_.empty() || depth > kMaxKeyDepth) return false;
    const char type = Take();
    switch (type) {
      case kNumber:
      case kDate:
        return ReadDoubleKey(key, type == kDate);
      case kString:
        return ReadString(key);
      case kBinary:
        return ReadBinary(key);
      case kArray:
        return ReadArray(key, depth);
      default:
        return false;
    }
  }

  bool ReadDouble(double* number) {
    if (rest_.size() < 8) return false;
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits = bits << 8 | static_cast<unsigned char>(Take());
    bits = (bits & kSignBit) ? bits & ~kSignBit : ~bits;
    *number = std::bit_cast<double>(bits);
    return !std::isnan(*number) && bits != kSignBit;  // negative zero has another form
  }

 private:
  char Take() {
    const char front = rest_.front();
    rest_.remove_prefix(1);
    return front;
  }

  bool ReadDoubleKey(Key* key, bool date) {
    double number = 0;
    if (!ReadDouble(&number)) return false;
    if (!key) return true;
    if (date) {
      key->value = KeyDate{number};
    } else {
      key->value = number;
    }
    return true;
  }

  // 0: the end was read; 1: a unit; -1: malformed.
  int ReadUnit(std::uint32_t* unit) {
    if (rest_.empty()) return -1;
    const auto first = static_cast<unsigned char>(Take());
    if (first == 0) return 0;
    if (first < 0x80) {
      *unit = first - 1u;
      return 1;
    }
    if (rest_.empty()) return -1;
    const auto second = static_cast<unsigned char>(Take());
    if (first < 0xc0) {
      *unit = ((first & 0x3fu) << 8 | second) + 0x7f;
      return 1;
    }
    if (rest_.empty()) return -1;
    const auto third = static_cast<unsigned char>(Take());
    *unit = (first & 0x3fu) << 10 | static_cast<std::uint32_t>(second) << 2 | third >> 6;
    return (third & 0x3f) == 0 && *unit > 0x7f + 0x3fff ? 1 : -1;
  }

  bool ReadString(Key* key) {
    std::u16string text;
    std::uint32_t unit = 0;
    int state = 0;
    while ((state = ReadUnit(&unit)) == 1) {
      if (key) text.push_back(static_cast<char16_t>(unit));
    }
    if (key) key->value = std::move(text);
    return state == 0;
  }

  bool ReadBinary(Key* key) {
    KeyBinary binary;
    std::uint32_t unit = 0;
    int state = 0;
    while ((state = ReadUnit(&unit)) == 1) {
      if (unit > 0xff) return false;
      if (key) binary.bytes.push_back(static_cast<char>(unit));
    }
    if (key) key->value = std::move(binary);
    return state == 0;
  }

  bool ReadArray(Key* key, int depth) {
    Key::Array array;
    while (!rest_.empty() && rest_.front() != kEnd) {
      Key* element = nullptr;
      if (key) element = &array.emplace_back();
      if (!ReadKey(element, depth + 1)) return false;
    }
    if (rest_.empty()) return false;
    Take();
    if (key) key->value = std::move(array);
    return true;
  }

  std::string_view rest_;
};

auto Malformed() { return Fail(ErrorCode::kInvalidArgument, "not an encoded IndexedDB key"); }

// Copies keys from `bytes` to `out`, with the number in place of placeholders at the top or directly in an
// array.
bool CopyReplacing(std::string_view bytes, std::string_view generated, std::string& out) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == kGeneratedPlaceholder) {
      out.append(generated);
      continue;
    }
    out.push_back(c);
    if (c == kArray || c == kEnd) continue;
    // The rest of a leaf is copied as it is; IsValidKey checks it afterwards.
    if (c == kNumber || c == kDate) {
      out.append(bytes.substr(i + 1, 8));
      i += 8;
    } else {
      const std::size_t start = i + 1;
      while (++i < bytes.size() && bytes[i] != kEnd) {
        const auto lead = static_cast<unsigned char>(bytes[i]);
        i += lead < 0x80 ? 0 : lead < 0xc0 ? 1 : 2;
      }
      if (i >= bytes.size()) return false;
      out.append(bytes.substr(start, i + 1 - start));
    }
  }
  return true;
}

}  // namespace

std::string EncodeKey(const Key& key) {
  std::string out;
  std::visit(Encoder{out}, key.value);
  return out;
}

std::string EncodeNumber(double number) {
  std::string out;
  Encoder{out}(number);
  return out;
}

Result<Key> DecodeKey(std::string_view bytes) {
  Key key;
  Decoder decoder(bytes);
  if (bytes.size() > kMaxKeyBytes || !decoder.ReadKey(&key, 0) || !decoder.done()) return Malformed();
  return key;
}

bool IsValidKey(std::string_view bytes) {
  Decoder decoder(bytes);
  return bytes.size() <= kMaxKeyBytes && decoder.ReadKey(nullptr, 0) && decoder.done();
}

Result<double> DecodeNumber(std::string_view bytes) {
  double number = 0;
  if (bytes.empty() || bytes.front() != kNumber) return Malformed();
  Decoder decoder(bytes.substr(1));
  if (!decoder.ReadDouble(&number) || !decoder.done()) return Malformed();
  return number;
}

Result<std::string> ReplacePlaceholder(std::string_view bytes, std::string_view generated) {
  std::string out;
  if (!CopyReplacing(bytes, generated, out) || !IsValidKey(out)) return Malformed();
  return out;
}

}  // namespace vigil::storage
