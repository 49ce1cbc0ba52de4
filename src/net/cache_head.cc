#include "net/cache_head.h"

#include <array>

#include "ipc/http_cache.pb.h"
#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

constexpr std::string_view kMagic = "vigil-http-1";
// Above what one response's headers can be (HttpTransfer).
constexpr std::uint64_t kMaxHeadRoom = std::uint64_t{2} << 20;
constexpr int kFields = 4;

void Put(std::string& text, std::uint64_t value) {
  for (unsigned shift = 0; shift < 64; shift += 8) text += static_cast<char>(value >> shift & 0xFFU);
}
std::uint64_t Take(std::string_view text, std::size_t at) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i)
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[at + i])) << 8 * i;
  return value;
}

void EncodeHeaders(const Headers& headers, google::protobuf::RepeatedPtrField<ipc::HttpHeader>& list) {
  for (const auto& [name, value] : headers) {
    ipc::HttpHeader* header = list.Add();
    header->set_name(IsomorphicToUtf8(name));
    header->set_value(IsomorphicToUtf8(value));
  }
}
Headers DecodeHeaders(const google::protobuf::RepeatedPtrField<ipc::HttpHeader>& list) {
  Headers headers;
  for (const ipc::HttpHeader& header : list)
    headers.emplace_back(Utf8ToIsomorphic(header.name()), Utf8ToIsomorphic(header.value()));
  return headers;
}

// Some 30,000 years: times can be subtracted from each other without a thought.
constexpr std::int64_t kMaxTime = 1'000'000'000'000'000'000;
bool IsSaneTime(std::int64_t time_us) { return time_us >= -kMaxTime && time_us <= kMaxTime; }

std::int64_t Microseconds(WallTime time) { return time.time_since_epoch().count(); }

}  // namespace

// Magic (12), head sum (4), then head size, head room, body size, body sum, each 8 bytes, little-endian.
std::string WriteCachePrefix(const CacheHead& head) {
  std::string text(kMagic);
  for (unsigned shift = 0; shift < 32; shift += 8) text += static_cast<char>(head.sum >> shift & 0xFFU);
  Put(text, head.size);
  Put(text, head.room);
  Put(text, head.body_size);
  Put(text, head.body_sum);
  return text;
}

std::optional<CacheHead> ReadCachePrefix(std::string_view prefix, std::uint64_t file_size) {
  if (prefix.size() != kCachePrefixBytes || !prefix.starts_with(kMagic)) return std::nullopt;
  std::array<std::uint64_t, kFields> fields{};
  for (std::size_t i = 0; i < kFields; ++i) fields[i] = Take(prefix, 16 + 8 * i);
  const auto [size, room, body_size, body_sum] = fields;
  if (room > kMaxHeadRoom || size > room || body_sum > UINT32_MAX || body_size > file_size ||
      kCachePrefixBytes + room + body_size != file_size)
    return std::nullopt;
  CacheHead head;
  for (unsigned i = 0; i < 4; ++i)
    head.sum |= static_cast<std::uint32_t>(static_cast<unsigned char>(prefix[12 + i])) << 8 * i;
  head.size = size;
  head.room = room;
  head.body_size = body_size;
  head.body_sum = static_cast<std::uint32_t>(body_sum);
  return head;
}

std::string EncodeCacheHead(const StoredHead& head, const HttpCacheKey& key) {
  ipc::HttpCacheHead message;
  message.set_partition(key.partition);
  message.set_url(key.url);
  message.set_status(static_cast<std::uint32_t>(head.head.status));
  message.set_status_text(IsomorphicToUtf8(head.head.status_text));
  message.set_http_version(head.head.http_version);
  EncodeHeaders(head.head.headers, *message.mutable_headers());
  EncodeHeaders(head.vary, *message.mutable_vary());
  message.set_requested_at_us(Microseconds(head.requested_at));
  message.set_received_at_us(Microseconds(head.received_at));
  return message.SerializeAsString();
}

std::optional<StoredHead> DecodeCacheHead(std::string_view text, const HttpCacheKey& key) {
  ipc::HttpCacheHead message;
  if (!message.ParseFromArray(text.data(), static_cast<int>(text.size()))) return std::nullopt;
  if (message.partition() != key.partition || message.url() != key.url) return std::nullopt;
  if (!IsSaneTime(message.requested_at_us()) || !IsSaneTime(message.received_at_us())) return std::nullopt;
  if (message.status() < 200 || message.status() > 999) return std::nullopt;
  StoredHead head;
  head.head.status = static_cast<int>(message.status());
  head.head.status_text = Utf8ToIsomorphic(message.status_text());
  head.head.http_version = message.http_version();
  head.head.headers = DecodeHeaders(message.headers());
  head.vary = DecodeHeaders(message.vary());
  head.requested_at = WallTime(Duration(message.requested_at_us()));
  head.received_at = WallTime(Duration(message.received_at_us()));
  return head;
}

}  // namespace vigil::net
