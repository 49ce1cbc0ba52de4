#include "worker/base64url.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace vigil::worker {
namespace {

TEST(Base64Url, WritesTheVectorsOfRfc4648WithoutPadding) {
  EXPECT_EQ(ToBase64Url(""), "");
  EXPECT_EQ(ToBase64Url("f"), "Zg");
  EXPECT_EQ(ToBase64Url("fo"), "Zm8");
  EXPECT_EQ(ToBase64Url("foo"), "Zm9v");
  EXPECT_EQ(ToBase64Url("foob"), "Zm9vYg");
  EXPECT_EQ(ToBase64Url("\xfb\xff\xbf"), "-_-_");
}

TEST(Base64Url, ReadsWhatItWrites) {
  std::uint32_t state = 7;
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    EXPECT_EQ(FromBase64Url(ToBase64Url(bytes)), bytes) << size;
  }
}

TEST(Base64Url, RefusesPaddingOtherAlphabetsAndImpossibleLengths) {
  for (const char* text : {"Zg==", "Zm8=", "Z", "Zm9vY", "+/+/", "Zm 9v", "Zm\n9", "\xc3\xa9zz"}) {
    EXPECT_EQ(FromBase64Url(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace vigil::worker
