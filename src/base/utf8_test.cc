#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace vigil {
namespace {

TEST(Utf8, AcceptsWhatIsWellFormed) {
  for (const char* text : {"", "tag", "\u00e9", "\u20ac", "\U0001F600", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF",
                           "\xED\x9F\xBF", "\xEE\x80\x80"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  EXPECT_TRUE(IsUtf8(std::string("a\0b", 3))) << "NUL is a character";
}

TEST(Utf8, RefusesBrokenOverlongAndSurrogateBytes) {
  for (const char* text : {"\x80", "a\xBF", "\xC3", "\xC0\xAF", "\xC1\xBF", "\xE0\x9F\xBF", "\xE2\x82",
                           "\xE2\x28\xA1", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98",
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xF0\x9F\x98\x28"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
  }
}

TEST(Utf8, IsCutBetweenCharacters) {
  EXPECT_EQ(CutUtf8("abc", 3), "abc");
  EXPECT_EQ(CutUtf8("abcd", 3), "abc…");
  EXPECT_EQ(CutUtf8("aäb", 2), "a…");
  EXPECT_EQ(CutUtf8("aäb", 3), "aä…");
  EXPECT_EQ(CutUtf8("🚀🚀", 7), "🚀…");
  EXPECT_EQ(CutUtf8("🚀", 3), "…");
}

TEST(Utf8, ReplacesWhatIsNotWellFormed) {
  for (const char* text : {"", "\u00e9 \u20ac", "\U0001F600"}) EXPECT_EQ(ToUtf8(text), text);
  EXPECT_EQ(ToUtf8("a\xFFz\xE2\x82"), "a\uFFFDz\uFFFD\uFFFD");
  EXPECT_EQ(ToUtf8("\xE2\x28\xA1"), "\uFFFD(\uFFFD");
}

TEST(Utf8, WritesCharacters) {
  std::string text;
  for (const std::uint32_t code : {0x41U, 0xE9U, 0x20ACU, 0x1F600U, 0xD800U, 0x110000U})
    AppendUtf8(code, text);
  EXPECT_EQ(text, "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(Utf8, GivesTheCodesOfCharacters) {
  EXPECT_EQ(FirstUtf8Char("\u202Ex").code, 0x202EU);
  EXPECT_EQ(FirstUtf8Char("\u202Ex").bytes, 3U);
  EXPECT_EQ(FirstUtf8Char("\U0001F680").code, 0x1F680U);
  EXPECT_FALSE(FirstUtf8Char("\xED\xA0\x80").valid);
}

}  // namespace
}  // namespace vigil
