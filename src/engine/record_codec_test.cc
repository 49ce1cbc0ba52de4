#include "vigil/record_codec.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace vigil {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

RegistrationRecord OneShot() {
  RegistrationRecord record;
  record.key = {7, SyncKind::kOneShot, "post"};
  record.origin = "https://shop.example";
  record.attempts = 1;
  record.max_attempts = 3;
  record.due = WallTime(hours(24) * 20000);
  record.delay = minutes(5);
  record.anchor = record.registered_at = *record.due - minutes(5);
  record.lost_network = true;
  return record;
}

RegistrationRecord Periodic() {
  RegistrationRecord record;
  record.key = {std::numeric_limits<std::uint64_t>::max(), SyncKind::kPeriodic, ""};
  record.origin = "https://news.example";
  record.min_interval_ms = std::numeric_limits<std::int64_t>::max();
  record.max_attempts = std::numeric_limits<std::int32_t>::max();
  record.anchor = WallTime(-hours(1));
  record.registered_at = WallTime(Duration(-1));
  record.last_fired = WallTime(hours(24) * 20001);
  return record;
}

std::string Hex(const std::string& bytes) {
  std::string hex;
  for (const char byte : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(byte) >> 4];
    hex += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return hex;
}

TEST(RecordCodec, GivesBackWhatItWasGiven) {
  std::vector<RegistrationRecord> records{OneShot(), Periodic()};
  records.push_back(OneShot());
  records.back().key.tag = std::string("nul\0and €", 11);
  records.push_back(Periodic());
  records.back().key.tag = std::string(10'240, 't');
  for (const RegistrationRecord& record : records) {
    const DecodedRecord decoded = DecodeRecord(EncodeRecord(record));
    ASSERT_TRUE(decoded.record) << decoded.error;
    EXPECT_EQ(*decoded.record, record);
  }
}

// These bytes are on users' disks. A change of the layout needs a new version, and this one must stay
// readable.
TEST(RecordCodec, KeepsTheBytesOfVersion1) {
  EXPECT_EQ(Hex(EncodeRecord(OneShot())),
            "010300"
            "07"
            "04706f7374"
            "1468747470733a2f2f73686f702e6578616d706c65"
            "01"
            "01"
            "03"
            "8080e0a2ebe69106"
            "80c6868f01"
            "80f4d284e9e69106"
            "80f4d284e9e69106"
            "8003cfb4");
}

TEST(RecordCodec, StaysSmall) {
  const RegistrationRecord record = OneShot();
  EXPECT_LE(EncodeRecord(record).size(), record.key.tag.size() + record.origin.size() + 45);
}

TEST(RecordCodec, RefusesEveryTruncation) {
  for (const RegistrationRecord& record : {OneShot(), Periodic()}) {
    const std::string bytes = EncodeRecord(record);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const DecodedRecord decoded = DecodeRecord(std::string_view(bytes).substr(0, size));
      EXPECT_FALSE(decoded.record) << size;
      EXPECT_FALSE(decoded.error.empty()) << size;
    }
    EXPECT_FALSE(DecodeRecord(bytes + '\0').record);
  }
}

TEST(RecordCodec, RefusesEveryFlippedBit) {
  const std::string bytes = EncodeRecord(Periodic());
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecodeRecord(damaged).record) << "bit " << bit;
  }
}

TEST(RecordCodec, SaysThatANewerVersionWroteIt) {
  std::string bytes = EncodeRecord(OneShot());
  bytes[0] = 2;
  const DecodedRecord decoded = DecodeRecord(bytes);
  EXPECT_FALSE(decoded.record);
  EXPECT_NE(decoded.error.find("version 2"), std::string::npos) << decoded.error;
}

// The bytes are whole and their checksum is right, but no engine can have stored this.
TEST(RecordCodec, RefusesWhatNoEngineStores) {
  const auto refused = [](auto change, RegistrationRecord record = OneShot()) {
    change(record);
    return !DecodeRecord(EncodeRecord(record)).record;
  };
  EXPECT_TRUE(refused([](auto& record) { record.min_interval_ms = 5; })) << "a one-shot with an interval";
  EXPECT_TRUE(refused([](auto& record) { record.due.reset(); })) << "a suspended one-shot";
  EXPECT_TRUE(refused([](auto& record) { record.attempts = -1; }));
  EXPECT_TRUE(refused([](auto& record) { record.max_attempts = std::int64_t{1} << 31; }));
  EXPECT_TRUE(refused([](auto& record) { record.delay = Duration(-1); }));
  EXPECT_TRUE(refused([](auto& record) { record.due = WallTime::max(); }));
  EXPECT_TRUE(refused([](auto& record) { record.anchor = WallTime::min(); }));
  EXPECT_TRUE(refused([](auto& record) { record.key.tag = "\xFF"; })) << "a tag that is no text";
  EXPECT_TRUE(refused([](auto& record) { record.min_interval_ms = -1; }, Periodic()));
}

TEST(RecordCodec, GivesEveryRegistrationAKeyOfItsOwnInOrder) {
  const std::vector<RegistrationKey> ascending{
      {0, SyncKind::kOneShot, ""},      {0, SyncKind::kOneShot, "a"},
      {0, SyncKind::kPeriodic, ""},     {1, SyncKind::kOneShot, "a"},
      {1, SyncKind::kOneShot, "a\x01"}, {255, SyncKind::kPeriodic, "b"},
      {256, SyncKind::kOneShot, ""},    {~std::uint64_t{0}, SyncKind::kPeriodic, "z"}};
  for (std::size_t i = 1; i < ascending.size(); ++i) {
    EXPECT_LT(EncodeRecordKey(ascending[i - 1]), EncodeRecordKey(ascending[i])) << i;
  }
}

}  // namespace
}  // namespace vigil
