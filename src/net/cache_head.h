// What stands before the body in a file of the HTTP cache. It is read as hostile: a disk may give back
// anything. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_cache_store.h"

namespace vigil::net {

// A fixed prefix says how long the head is, how much room it has, and what follows.
constexpr std::size_t kCachePrefixBytes = 48;
struct CacheHead {
  std::size_t size = 0, room = 0;
  std::uint32_t sum = 0;
  std::uint64_t body_size = 0;
  std::uint32_t body_sum = 0;
};
std::string WriteCachePrefix(const CacheHead& head);
// Absent unless it is one of ours and fits a file of that size exactly.
std::optional<CacheHead> ReadCachePrefix(std::string_view prefix, std::uint64_t file_size);

std::string EncodeCacheHead(const StoredHead& head, const HttpCacheKey& key);
// Absent unless it is the head of this key.
std::optional<StoredHead> DecodeCacheHead(std::string_view text, const HttpCacheKey& key);

}  // namespace vigil::net
