#include "net/spill_buffer.h"

#include <gtest/gtest.h>

namespace vigil::net {
namespace {

TEST(SpillBuffer, GivesBackInOrderWhatItTook) {
  SpillBuffer buffer(100, ::testing::TempDir());
  std::string put, got;
  for (int i = 0; i < 1000; ++i) {
    const std::string piece(static_cast<std::size_t>(1 + i * 7 % 90), static_cast<char>('a' + i % 26));
    ASSERT_TRUE(buffer.Append(piece));
    put += piece;
    if (i % 3 == 0) got += buffer.Take();
    EXPECT_EQ(buffer.size(), put.size() - got.size());
  }
  while (buffer.size() > 0) {
    const std::string piece = buffer.Take();
    ASSERT_FALSE(piece.empty());
    EXPECT_LE(piece.size(), 100U);
    got += piece;
  }
  EXPECT_EQ(got, put);
  EXPECT_EQ(buffer.Take(), "");
  EXPECT_FALSE(buffer.failed());
}

}  // namespace
}  // namespace vigil::net
