#include "ipc/framing.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace vigil::ipc {
namespace {

std::vector<std::string> FeedInPieces(const std::string& bytes, std::size_t piece) {
  FrameReader reader;
  std::vector<std::string> messages;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const std::size_t size = std::min(piece, bytes.size() - at);
    std::memcpy(reader.Space(size), bytes.data() + at, size);
    reader.Commit(size);
    while (true) {
      const auto next = reader.Next();
      if (!next || !*next) break;
      messages.emplace_back(**next);
    }
  }
  EXPECT_EQ(reader.Buffered(), 0U);
  return messages;
}

TEST(Framing, GivesBackTheMessagesHoweverTheStreamIsCut) {
  const std::vector<std::string> messages = {"one", "", std::string(70'000, 'x'), "last"};
  std::string bytes;
  for (const auto& message : messages) ASSERT_TRUE(AppendFrame(message, bytes));
  for (const std::size_t piece : {1, 2, 3, 5, 4096, 1 << 20}) EXPECT_EQ(FeedInPieces(bytes, piece), messages);
}

TEST(Framing, SaysHowMuchIsMissing) {
  std::string bytes;
  ASSERT_TRUE(AppendFrame("hello", bytes));
  FrameReader reader;
  EXPECT_EQ(reader.Missing(), 4U);
  std::memcpy(reader.Space(6), bytes.data(), 6);
  reader.Commit(6);
  EXPECT_EQ(reader.Missing(), 3U);
}

TEST(Framing, GivesUpOnALengthOverTheLimit) {
  FrameReader reader;
  std::memcpy(reader.Space(4), "\xff\xff\xff\x7f", 4);
  reader.Commit(4);
  ASSERT_FALSE(reader.Next());
  EXPECT_EQ(reader.Next().error().code, ErrorCode::kTooLarge);
}

TEST(Framing, RefusesToSendAMessageOverTheLimit) {
  std::string out;
  EXPECT_FALSE(AppendFrame(std::string(kMaxFrameBytes + 1, 'x'), out));
  EXPECT_TRUE(out.empty());
}

}  // namespace
}  // namespace vigil::ipc
