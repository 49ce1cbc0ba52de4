#include "worker/native/crypto_key_cache.h"

#include <array>
#include <utility>

namespace vigil::worker {
namespace {

struct RecentKey {
  const KeyKind* kind = nullptr;
  KeyHalf half = KeyHalf::kPublic;
  std::string der;
  PrivateOrPublicKey key;
};
constexpr std::size_t kRecentKeys = 8;

struct RecentKeys {
  std::array<RecentKey, kRecentKeys> keys;
  std::size_t oldest = 0;
};

RecentKeys& Recent() {
  static RecentKeys& keys = *new RecentKeys;
  return keys;
}

PrivateOrPublicKey Share(const PrivateOrPublicKey& key) {
  EVP_PKEY_up_ref(key.get());
  return PrivateOrPublicKey(key.get());
}

}  // namespace

PrivateOrPublicKey LoadRecentKey(const KeyKind& kind, KeyHalf half, std::string_view der) {
  RecentKeys& recent = Recent();
  for (const RecentKey& each : recent.keys) {
    if (each.kind == &kind && each.half == half && each.der == der) return Share(each.key);
  }
  PrivateOrPublicKey key = LoadKey(kind, half, der);
  if (key == nullptr) return nullptr;
  recent.keys[recent.oldest] = {&kind, half, std::string(der), Share(key)};
  recent.oldest = (recent.oldest + 1) % kRecentKeys;
  return key;
}

}  // namespace vigil::worker
