#include "cli/printable.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace vigil::cli {
namespace {

TEST(Printable, LeavesWhatPeopleWrite) {
  for (const std::string_view text :
       {"", "sync-post", "größer", "日本語", "👩‍🚀", "نامه‌ای", "a\\b \"c\""})
    EXPECT_EQ(Printable(text), text);
}

TEST(Printable, ShowsWhatWouldActOnATerminal) {
  EXPECT_EQ(Printable("\x1b[2J\x1b]0;title\x07"), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(Printable("one\ntwo\r\tthree"), "one\\ntwo\\r\\tthree");
  EXPECT_EQ(Printable(std::string_view("a\0b\x7f", 4)), "a\\x00b\\x7f");
  EXPECT_EQ(Printable("\xC2\x9B"
                      "31m"),
            "\\x9b31m")
      << "a control sequence of one character";
  EXPECT_EQ(Printable("abc\xE2\x80\xAE"
                      "fed\xE2\x81\xA6"),
            "abc\\u{202e}fed\\u{2066}");
  EXPECT_EQ(Printable("a\xE2\x80\xA8"
                      "b\xEF\xBB\xBF"),
            "a\\u{2028}b\\u{feff}");
  EXPECT_EQ(Printable("a\xFF\xC3"), "a\\xff\\xc3");
}

TEST(Printable, KeepsLinesButNobodyForgesOne) {
  EXPECT_EQ(PrintableLines("Error: x\n\tat sw.js\x1b[A", "  "), "Error: x\n  \tat sw.js\\x1b[A");
}

TEST(Printable, QuotesSoThatTheEndIsClear) {
  EXPECT_EQ(Quoted("a\"b\\n\n", 99), "\"a\\\"b\\\\n\\n\"");
  EXPECT_EQ(Quoted("äöüß", 3), "\"äöü\"… (8 bytes)");
}

TEST(Printable, Shortens) {
  EXPECT_EQ(Shortened("äöü", 3), "äöü");
  EXPECT_EQ(Shortened("äöüß", 3), "äöü…");
}

TEST(Printable, JsonMeansTheSame) {
  boost::json::object object;
  object["tag"] = "\x1b[0m \xC2\x9B \xE2\x80\xAE \x7f \n ä";
  const std::string text = PrintableJson(boost::json::serialize(object));
  EXPECT_EQ(boost::json::parse(text), boost::json::value(object));
  for (const char c : text) EXPECT_TRUE((c >= 0x20 && c != 0x7F) || (c & 0x80) != 0) << static_cast<int>(c);
  EXPECT_EQ(text.find("\xE2\x80\xAE"), std::string::npos);
  EXPECT_EQ(PrintableJson("{\n  \"a\": \"\xFF\"\n}"), "{\n  \"a\": \"\\ufffd\"\n}");
}

}  // namespace
}  // namespace vigil::cli
