#include "worker/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace vigil::worker {
namespace {

TEST(Utf8, TakesEveryWellFormedSequence) {
  for (const char* text :
       {"", "plain", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
        "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "eight is\xC3\xA9 more"}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
  }
}

TEST(Utf8, RefusesSurrogatesOverlongFormsAndCutSequences) {
  for (const char* text : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "\xF0\x9F\x98",
                           "a\xC3z", "\xE2\x28\xA1", "\xFF"}) {
    EXPECT_FALSE(IsValidUtf8(text)) << text;
  }
}

TEST(Utf8, KnowsAscii) {
  EXPECT_TRUE(IsAscii("0123456789"));
  EXPECT_FALSE(IsAscii("01234567\xC3\xA9"));
}

}  // namespace
}  // namespace vigil::worker
