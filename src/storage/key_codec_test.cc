#include "storage/key_codec.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace vigil::storage {
namespace {

// -1, 0, 1 as the specification compares keys ("compare two keys").
int Compare(const Key& a, const Key& b) {
  // Array > binary > string > date > number: the order of the alternatives.
  if (a.value.index() != b.value.index()) return a.value.index() < b.value.index() ? -1 : 1;
  const auto three_way = [](const auto& x, const auto& y) { return x < y ? -1 : y < x ? 1 : 0; };
  if (const auto* number = std::get_if<double>(&a.value))
    return three_way(*number, std::get<double>(b.value));
  if (const auto* date = std::get_if<KeyDate>(&a.value)) {
    return three_way(date->milliseconds, std::get<KeyDate>(b.value).milliseconds);
  }
  if (const auto* text = std::get_if<std::u16string>(&a.value)) {
    return three_way(*text, std::get<std::u16string>(b.value));
  }
  if (const auto* binary = std::get_if<KeyBinary>(&a.value)) {
    return three_way(binary->bytes, std::get<KeyBinary>(b.value).bytes);
  }
  const auto& x = std::get<Key::Array>(a.value);
  const auto& y = std::get<Key::Array>(b.value);
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (const int order = Compare(x[i], y[i])) return order;
  }
  return three_way(x.size(), y.size());
}

class RandomKeys {
 public:
  explicit RandomKeys(unsigned seed) : random_(seed) {}

  Key Next(int depth = 0) {
    switch (Below(depth < 4 ? 5 : 4)) {
      case 0:
        return Key{Number()};
      case 1:
        return Key{KeyDate{Number()}};
      case 2: {
        std::u16string text;
        for (std::size_t left = Below(5); left > 0; --left) text.push_back(static_cast<char16_t>(Unit()));
        return Key{text};
      }
      case 3: {
        KeyBinary binary;
        for (std::size_t left = Below(5); left > 0; --left) binary.bytes.push_back(static_cast<char>(Unit()));
        return Key{binary};
      }
      default: {
        Key::Array array;
        for (std::size_t left = Below(4); left > 0; --left) array.push_back(Next(depth + 1));
        return Key{array};
      }
    }
  }

 private:
  std::size_t Below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  double Number() {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const double edges[] = {0,     1,      -1,     kInfinity, -kInfinity,
                            1e308, -1e308, 5e-324, -5e-324,   9007199254740992.0};
    if (Below(2) == 0) return edges[Below(std::size(edges))];
    return std::uniform_real_distribution<double>(-1e6, 1e6)(random_);
  }
  // Near the borders of the unit forms as often as anywhere.
  unsigned Unit() {
    const unsigned edges[] = {0, 1, 0x7e, 0x7f, 0x80, 0xff, 0x407d, 0x407e, 0x407f, 0xd800, 0xdfff, 0xffff};
    return Below(2) == 0 ? edges[Below(std::size(edges))] : static_cast<unsigned>(Below(0x10000));
  }
  std::mt19937 random_;
};

TEST(KeyCodec, OrderOfBytesIsOrderOfKeysAndNothingIsLost) {
  RandomKeys keys(20261123);
  Key before = keys.Next();
  for (int i = 0; i < 200000; ++i) {
    const Key key = keys.Next();
    const std::string bytes = EncodeKey(key);
    const auto decoded = DecodeKey(bytes);
    ASSERT_TRUE(decoded);
    ASSERT_EQ(*decoded, key);
    ASSERT_TRUE(IsValidKey(bytes));
    const int order = EncodeKey(before).compare(bytes);
    ASSERT_EQ((order > 0) - (order < 0), Compare(before, key));
    before = key;
  }
}

TEST(KeyCodec, RefusesWhateverIsNotExactlyOneKey) {
  std::mt19937 random(7);
  int valid = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string bytes(std::uniform_int_distribution<std::size_t>(0, 14)(random), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const char types[] = {0x10, 0x20, 0x30, 0x40, 0x50};
    if (!bytes.empty()) bytes[0] = types[random() % 5];
    const auto key = DecodeKey(bytes);
    ASSERT_EQ(key.has_value(), IsValidKey(bytes));
    if (!key) continue;
    ++valid;
    ASSERT_EQ(EncodeKey(*key), bytes) << "two forms of one key";
  }
  EXPECT_GT(valid, 100);
  EXPECT_FALSE(IsValidKey(""));
  EXPECT_FALSE(IsValidKey(EncodeNumber(1) + EncodeNumber(2)));
  EXPECT_FALSE(IsValidKey(EncodeNumber(std::nan(""))));
}

TEST(KeyCodec, NegativeZeroIsZero) { EXPECT_EQ(EncodeNumber(-0.0), EncodeNumber(0.0)); }

TEST(KeyCodec, DeepArraysAreRefusedNotFatal) {
  const std::string deep = std::string(100000, 0x50) + std::string(100000, 0x00);
  EXPECT_FALSE(IsValidKey(deep));
  const std::string fine = std::string(kMaxKeyDepth, 0x50) + std::string(kMaxKeyDepth, 0x00);
  EXPECT_TRUE(IsValidKey(fine));
}

TEST(KeyCodec, PlaceholderBecomesTheGeneratedKey) {
  const std::string five = EncodeNumber(5);
  const std::string placeholder(1, kGeneratedPlaceholder);
  EXPECT_EQ(*ReplacePlaceholder(placeholder, five), five);
  const Key pair{Key::Array{Key{std::u16string(u"\x08\x7f")}, Key{5.0}}};
  const std::string open = "\x50" + EncodeKey(Key{std::u16string(u"\x08\x7f")});
  EXPECT_EQ(*ReplacePlaceholder(open + placeholder + std::string(1, '\0'), five), EncodeKey(pair));
  EXPECT_FALSE(ReplacePlaceholder(open + placeholder, five));
}

}  // namespace
}  // namespace vigil::storage
