#include "net/mime_type.h"

#include <gtest/gtest.h>

namespace vigil::net {
namespace {

std::string Normal(std::string_view text) {
  const auto mime = MimeType::Parse(text);
  return mime ? mime->Serialize() : "none";
}

TEST(MimeType, IsReadAndWrittenInOneForm) {
  EXPECT_EQ(Normal(" Text/HTML ; Charset=UTF-8 "), "text/html;charset=UTF-8");
  EXPECT_EQ(Normal("text/plain;charset=\"a b\""), "text/plain;charset=\"a b\"");
  EXPECT_EQ(Normal("text/plain;charset=\"utf-8\""), "text/plain;charset=utf-8");
  EXPECT_EQ(Normal("text/plain;a=\"\\\"\\\\\""), "text/plain;a=\"\\\"\\\\\"");
  EXPECT_EQ(Normal("text/plain;a=1;A=2;b"), "text/plain;a=1");
  EXPECT_EQ(Normal("text/plain;a=;b=2"), "text/plain;b=2");
  EXPECT_EQ(Normal("text/plain;a=\"\""), "text/plain;a=\"\"");
  EXPECT_EQ(Normal("text/plain;;;a=\"x\"rest;b=2"), "text/plain;a=x;b=2");
}

TEST(MimeType, NeedsTwoTokens) {
  for (const char* text :
       {"", "text", "/html", "text/", "te xt/html", "text/ht ml", "text/;a=b", "text/\xE4"})
    EXPECT_EQ(Normal(text), "none") << text;
}

TEST(MimeType, IsTheLastValidOneOfAHeader) {
  const auto extracted = [](std::string_view combined) {
    const auto mime = MimeType::Extract(combined);
    return mime ? mime->Serialize() : "none";
  };
  EXPECT_EQ(extracted("text/plain, text/javascript;a=1"), "text/javascript;a=1");
  EXPECT_EQ(extracted("text/javascript, */*, bogus,"), "text/javascript");
  EXPECT_EQ(extracted("text/plain;a=\"x, text/html\""), "text/plain;a=\"x, text/html\"");
  EXPECT_EQ(extracted("bogus"), "none");
  EXPECT_EQ(extracted(""), "none");
}

}  // namespace
}  // namespace vigil::net
