// Layout of a record, version 1. Integers are varints, seven bits a byte, lowest first, in their shortest
// form; signed ones (s) are zigzagged.
//
//   version 1 byte · flags 1 byte · kind 1 byte · worker · tag length, tag · origin length, origin ·
//   min_interval_ms s · attempts · max_attempts · [due s] · delay · anchor s · registered_at s ·
//   [last_fired s] · CRC-32 of everything before it, 4 bytes, lowest first
#include "vigil/record_codec.h"

#include <array>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/utf8.h"

namespace vigil {
namespace {

constexpr unsigned char kVersion = 1;
constexpr unsigned char kHasDue = 1;
constexpr unsigned char kLostNetwork = 2;
constexpr unsigned char kHasLastFired = 4;
constexpr unsigned char kAllFlags = kHasDue | kLostNetwork | kHasLastFired;
constexpr std::size_t kChecksumBytes = 4;
// Seventy thousand years either way: differences of two such times cannot overflow.
constexpr std::int64_t kFarthest = std::int64_t{1} << 61;

constexpr std::array<std::uint32_t, 256> MakeCrcTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? 0xEDB88320U ^ (value >> 1) : value >> 1;
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kCrcTable = MakeCrcTable();

std::uint32_t Crc32(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) crc = kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

class Writer {
 public:
  void Byte(unsigned char byte) { bytes_.push_back(static_cast<char>(byte)); }
  void Unsigned(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) Byte(static_cast<unsigned char>(value | 0x80));
    Byte(static_cast<unsigned char>(value));
  }
  void Signed(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    Unsigned(value < 0 ? ~(bits << 1) : bits << 1);
  }
  void Text(std::string_view text) {
    Unsigned(text.size());
    bytes_.append(text);
  }
  void Time(WallTime time) { Signed(time.time_since_epoch().count()); }
  void Checksum() {
    std::uint32_t crc = Crc32(bytes_);
    for (std::size_t i = 0; i < kChecksumBytes; ++i, crc >>= 8) Byte(static_cast<unsigned char>(crc & 0xFF));
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// After the first thing that does not fit, ok() is false and every answer is empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }
  void Refuse() { ok_ = false; }

  unsigned char Byte() {
    if (!ok_ || rest_.empty()) {
      ok_ = false;
      return 0;
    }
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return byte;
  }
  std::uint64_t Unsigned() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const unsigned char byte = Byte();
      const std::uint64_t part = byte & 0x7F;
      if (shift == 63 && part > 1) break;
      value |= part << shift;
      if ((byte & 0x80) != 0) continue;
      if (byte == 0 && shift > 0) break;  // not the shortest form
      return ok_ ? value : 0;
    }
    ok_ = false;
    return 0;
  }
  std::int64_t Signed() {
    const std::uint64_t bits = Unsigned();
    const auto half = static_cast<std::int64_t>(bits >> 1);
    return (bits & 1) != 0 ? -half - 1 : half;
  }
  // From `least` to `most`.
  std::int64_t Within(std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value < least || value > most) ok_ = false;
    return ok_ ? value : least;
  }
  std::int64_t Count(std::int64_t most) {
    const std::uint64_t value = Unsigned();
    if (value > static_cast<std::uint64_t>(most)) ok_ = false;
    return ok_ ? static_cast<std::int64_t>(value) : 0;
  }
  std::string Text() {
    const std::uint64_t size = Unsigned();
    if (!ok_ || size > rest_.size()) {
      ok_ = false;
      return {};
    }
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  WallTime Time() { return WallTime(Duration(Within(Signed(), -kFarthest, kFarthest))); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

void ReadBody(Reader& in, RegistrationRecord& record) {
  constexpr std::int64_t kMostAttempts = std::numeric_limits<std::int32_t>::max();
  constexpr std::int64_t kLongestInterval = std::numeric_limits<std::int64_t>::max();
  const unsigned char flags = in.Byte();
  const unsigned char kind = in.Byte();
  if ((flags & ~kAllFlags) != 0 || kind > 1) in.Refuse();
  record.key.kind = kind == 0 ? SyncKind::kOneShot : SyncKind::kPeriodic;
  const bool periodic = record.key.kind == SyncKind::kPeriodic;
  record.key.worker_registration = in.Unsigned();
  record.key.tag = in.Text();
  if (!IsUtf8(record.key.tag)) in.Refuse();
  record.origin = in.Text();
  record.min_interval_ms = in.Within(in.Signed(), periodic ? 0 : -1, periodic ? kLongestInterval : -1);
  record.attempts = in.Count(kMostAttempts);
  record.max_attempts = in.Count(kMostAttempts);
  if ((flags & kHasDue) != 0) {
    record.due = in.Time();
  } else if (!periodic) {
    in.Refuse();  // only a periodic registration can be suspended
  }
  record.delay = Duration(in.Count(kFarthest));
  record.anchor = in.Time();
  record.registered_at = in.Time();
  if ((flags & kHasLastFired) != 0) record.last_fired = in.Time();
  record.lost_network = (flags & kLostNetwork) != 0;
}

DecodedRecord Refused(std::string why) { return {std::nullopt, std::move(why)}; }

}  // namespace

std::string EncodeRecordKey(const RegistrationKey& key) {
  std::string bytes;
  bytes.reserve(9 + key.tag.size());
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(key.worker_registration >> shift & 0xFF));
  }
  bytes.push_back(static_cast<char>(key.kind));
  bytes.append(key.tag);
  return bytes;
}

std::string EncodeRecord(const RegistrationRecord& record) {
  Writer out;
  out.Byte(kVersion);
  out.Byte(static_cast<unsigned char>((record.due ? kHasDue : 0) | (record.lost_network ? kLostNetwork : 0) |
                                      (record.last_fired ? kHasLastFired : 0)));
  out.Byte(static_cast<unsigned char>(record.key.kind));
  out.Unsigned(record.key.worker_registration);
  out.Text(record.key.tag);
  out.Text(record.origin);
  out.Signed(record.min_interval_ms);
  out.Unsigned(static_cast<std::uint64_t>(record.attempts));
  out.Unsigned(static_cast<std::uint64_t>(record.max_attempts));
  if (record.due) out.Time(*record.due);
  out.Unsigned(static_cast<std::uint64_t>(record.delay.count()));
  out.Time(record.anchor);
  out.Time(record.registered_at);
  if (record.last_fired) out.Time(*record.last_fired);
  out.Checksum();
  return out.Take();
}

DecodedRecord DecodeRecord(std::string_view bytes) {
  if (bytes.size() <= kChecksumBytes) return Refused("a stored registration is cut off; restore a backup");
  const auto version = static_cast<unsigned char>(bytes.front());
  if (version > kVersion) {
    return Refused("a stored registration is of version " + std::to_string(version) +
                   ", and this library reads versions up to " + std::to_string(kVersion) +
                   "; use the newer library that wrote it");
  }
  const std::string_view body = bytes.substr(0, bytes.size() - kChecksumBytes);
  std::uint32_t stored = 0;
  for (std::size_t i = kChecksumBytes; i > 0; --i) {
    stored = stored << 8 | static_cast<unsigned char>(bytes[body.size() + i - 1]);
  }
  if (stored != Crc32(body)) {
    return Refused("a stored registration is damaged: its checksum is wrong; restore a backup");
  }
  Reader in(body.substr(1));
  RegistrationRecord record;
  ReadBody(in, record);
  if (version == 0 || !in.ok() || !in.at_end()) {
    return Refused("a stored registration is not one that this library wrote; restore a backup");
  }
  return {std::move(record), {}};
}

}  // namespace vigil
