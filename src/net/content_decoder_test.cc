#include "net/content_decoder.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

namespace vigil::net {
namespace {

std::string Gzipped(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string zipped(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(zipped.data());
  stream.avail_out = static_cast<uInt>(zipped.size());
  deflate(&stream, Z_FINISH);
  zipped.resize(zipped.size() - stream.avail_out);
  deflateEnd(&stream);
  return zipped;
}

// All of it, fed in pieces of that size.
Result<std::string> Decode(std::string_view encodings, std::string_view body, std::size_t piece) {
  auto decoder = ContentDecoder::For(encodings);
  if (!decoder) return Fail(decoder.error());
  std::string text;
  const auto drain = [&]() -> Result<> {
    for (;;) {
      VIGIL_ASSIGN(const std::string next, (*decoder)->Next());
      EXPECT_LE(next.size(), ContentDecoder::kMaxPiece);
      if (next.empty()) return {};
      text += next;
    }
  };
  for (std::size_t at = 0; at < body.size(); at += piece) {
    (*decoder)->Feed(body.substr(at, piece));
    VIGIL_TRY(drain());
  }
  (*decoder)->FeedEnd();
  VIGIL_TRY(drain());
  return text;
}

struct Sample {
  const char* encoding;
  std::string body;
};
const std::string kText = "hello hello hello hello";
// Made by Node's zlib.
const std::vector<Sample> kSamples = {
    {"br",
     std::string("\033\026\000\370\215\224\156\336\104\125\206\226\154\040\157\041\117\034\340\070", 20)},
    {"gzip", std::string("\037\213\010\000\000\000\000\000\000\003\313\110\315\311\311\127\310\100\047\001"
                         "\343\121\075\215\027\000\000\000",
                         28)},
    {"deflate", std::string("\313\110\315\311\311\127\310\100\047\001", 10)},
    {"deflate", std::string("\170\234\313\110\315\311\311\127\310\100\047\001\150\003\010\261", 16)},
    {"zstd",
     std::string("\050\265\057\375\040\027\145\000\000\060\150\145\154\154\157\040\001\000\231\113\021", 21)},
};

TEST(ContentDecoder, UndoesEveryEncodingInPiecesOfAnySize) {
  for (const auto& [encoding, body] : kSamples) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, body.size()}) {
      const auto text = Decode(encoding, body, piece);
      ASSERT_TRUE(text) << encoding << " in pieces of " << piece << ": " << text.error().message;
      EXPECT_EQ(*text, kText) << encoding;
    }
  }
}

TEST(ContentDecoder, ABodyThatBreaksOffIsAnError) {
  for (const auto& [encoding, body] : kSamples) {
    const auto text = Decode(encoding, std::string_view(body).substr(0, body.size() - 1), 4);
    ASSERT_FALSE(text) << encoding;
    EXPECT_EQ(text.error().code, ErrorCode::kCorrupt);
  }
}

TEST(ContentDecoder, ABodyThatIsSomethingElseIsAnError) {
  for (const auto& [encoding, body] : kSamples)
    EXPECT_FALSE(Decode(encoding, "this is not compressed at all", 5)) << encoding;
}

TEST(ContentDecoder, AnEmptyBodyIsEmpty) {
  for (const auto& [encoding, body] : kSamples)
    EXPECT_EQ(Decode(encoding, "", 1).value_or("?"), "") << encoding;
}

TEST(ContentDecoder, WhatFollowsTheEndIsIgnored) {
  EXPECT_EQ(Decode("gzip", Gzipped(kText) + "and more", 3).value_or("?"), kText);
}

TEST(ContentDecoder, UndoesSeveralEncodingsInTheirOrder) {
  EXPECT_EQ(Decode("gzip, gzip", Gzipped(Gzipped(kText)), 2).value_or("?"), kText);
  EXPECT_FALSE(Decode("gzip, gzip", Gzipped(Gzipped(kText).substr(0, 10)), 2));
}

TEST(ContentDecoder, LeavesAloneWhatItDoesNotKnow) {
  for (const char* encoding : {"", "identity", "aes128gcm", "gzip, unknown"}) {
    const auto decoder = ContentDecoder::For(encoding);
    ASSERT_TRUE(decoder);
    EXPECT_EQ(*decoder, nullptr) << encoding;
  }
}

TEST(ContentDecoder, ABombComesOutInSmallPieces) {
  const std::string bomb = Gzipped(Gzipped(std::string(std::size_t{16} << 20, '\0')));
  auto decoder = ContentDecoder::For("gzip, gzip");
  (*decoder)->Feed(bomb);
  std::size_t total = 0;
  for (;;) {
    const auto piece = (*decoder)->Next();
    ASSERT_TRUE(piece);
    ASSERT_LE(piece->size(), ContentDecoder::kMaxPiece);
    if (piece->empty()) break;
    total += piece->size();
  }
  EXPECT_EQ(total, std::size_t{16} << 20);
}

TEST(ContentDecoder, RefusesAPileOfEncodings) {
  EXPECT_FALSE(ContentDecoder::For("gzip, gzip, gzip, gzip, gzip, gzip"));
}

}  // namespace
}  // namespace vigil::net
