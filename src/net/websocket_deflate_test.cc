#include "net/websocket_deflate.h"

#include <gtest/gtest.h>

namespace vigil::net {
namespace {

std::string Text(std::size_t size, int seed) {
  std::string text;
  while (text.size() < size)
    text += "line " + std::to_string(text.size() * static_cast<unsigned>(seed)) + ";";
  return text;
}

// The ends of a connection agree when each keeps what the other keeps.
TEST(MessageDeflater, ReadsWhatItWrote) {
  for (const bool keeps : {true, false}) {
    DeflateTerms terms;
    terms.client_keeps_context = terms.server_keeps_context = keeps;
    MessageDeflater one(terms);
    MessageDeflater other(terms);
    std::size_t sizes[2] = {};
    for (int i = 0; i < 2; ++i) {
      const std::string text = Text(100'000, 7);
      const auto packed = one.Compress(text);
      ASSERT_TRUE(packed);
      sizes[i] = packed->size();
      EXPECT_EQ(other.Expand(*packed, 200'000), text);
    }
    EXPECT_EQ(sizes[0] == sizes[1], !keeps);
  }
}

TEST(MessageDeflater, ReadsTheExamplesOfTheSpecification) {
  MessageDeflater deflater(DeflateTerms{});
  // RFC 7692, sections 7.2.3.1 and 7.2.3.2: the second message uses the window of the first.
  EXPECT_EQ(deflater.Expand(std::string("\xf2\x48\xcd\xc9\xc9\x07\x00", 7), 100), "Hello");
  EXPECT_EQ(deflater.Expand(std::string("\xf2\x00\x11\x00\x00", 5), 100), "Hello");
  // Section 7.2.3.3, not compressed; 7.2.3.4, with the last block's bit set.
  EXPECT_EQ(deflater.Expand(std::string("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11), 100), "Hello");
  EXPECT_EQ(deflater.Expand(std::string("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8), 100), "Hello");
}

TEST(MessageDeflater, StopsAtTheLimit) {
  MessageDeflater one(DeflateTerms{});
  MessageDeflater other(DeflateTerms{});
  const auto packed = one.Compress(std::string(10'000'000, 'x'));
  ASSERT_TRUE(packed);
  EXPECT_LT(packed->size(), 20'000U);
  const auto expanded = other.Expand(*packed, 1'000'000);
  ASSERT_FALSE(expanded);
  EXPECT_EQ(expanded.error().code, ErrorCode::kTooLarge);
}

TEST(MessageDeflater, RefusesDamage) {
  MessageDeflater deflater(DeflateTerms{});
  EXPECT_FALSE(deflater.Expand("\xff\xff\xff\xff", 1000));
}

TEST(MessageDeflater, LeavesShortMessagesAndTinyWindowsAlone) {
  DeflateTerms terms;
  EXPECT_FALSE(MessageDeflater(terms).Wants("short"));
  EXPECT_TRUE(MessageDeflater(terms).Wants(Text(100, 1)));
  terms.client_window_bits = 8;
  EXPECT_FALSE(MessageDeflater(terms).Wants(Text(100, 1)));
}

}  // namespace
}  // namespace vigil::net
