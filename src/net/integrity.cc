#include "net/integrity.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace vigil::net {
namespace {

struct Digest {
  int strength;  // 1: SHA-256 … 3: SHA-512
  std::string base64;
};

// "sha256-BASE64?options sha512-…"; what is not understood is ignored.
std::vector<Digest> ParseMetadata(std::string_view metadata) {
  static constexpr std::array<std::string_view, 3> kAlgorithms = {"sha256-", "sha384-", "sha512-"};
  std::vector<Digest> digests;
  while (!metadata.empty()) {
    const std::size_t end = std::min(metadata.find_first_of(" \t\r\n\f"), metadata.size());
    const std::string_view token = metadata.substr(0, end);
    for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
      if (!token.starts_with(kAlgorithms[i])) continue;
      const std::string_view value = token.substr(kAlgorithms[i].size());
      std::string base64(value.substr(0, value.find('?')));
      // base64url is accepted, too.
      std::replace(base64.begin(), base64.end(), '-', '+');
      std::replace(base64.begin(), base64.end(), '_', '/');
      digests.push_back(Digest{static_cast<int>(i) + 1, std::move(base64)});
    }
    metadata.remove_prefix(std::min(end + 1, metadata.size()));
  }
  return digests;
}

std::string Base64Digest(std::string_view body, int strength) {
  const EVP_MD* kind = strength == 1 ? EVP_sha256() : strength == 2 ? EVP_sha384() : EVP_sha512();
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(body.data(), body.size(), digest.data(), &size, kind, nullptr) != 1) return "";
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> text{};
  const int length = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(size));
  return std::string(text.begin(), text.begin() + length);
}

}  // namespace

bool HasIntegrityMetadata(std::string_view metadata) { return !ParseMetadata(metadata).empty(); }

bool MatchesIntegrity(std::string_view body, std::string_view metadata) {
  const std::vector<Digest> digests = ParseMetadata(metadata);
  int strongest = 0;
  for (const Digest& digest : digests) strongest = std::max(strongest, digest.strength);
  if (strongest == 0) return true;
  const std::string actual = Base64Digest(body, strongest);
  return std::any_of(digests.begin(), digests.end(), [&](const Digest& digest) {
    return digest.strength == strongest && digest.base64 == actual;
  });
}

}  // namespace vigil::net
