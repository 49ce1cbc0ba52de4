#include "worker/native/crypto_rsa.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <array>
#include <utility>

namespace vigil::worker {
namespace {

constexpr std::array kNames = {OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
                               OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
                               OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
                               OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
constexpr std::size_t kPublicParts = 2;
enum Part { kN, kE, kD, kP, kQ, kDp, kDq, kQi };
constexpr int kMaxModulusBits = 16384;
constexpr int kMaxExponentBits = 33;

using Numbers = std::vector<BigNumber>;

bool IsSoundPublic(const Numbers& key) {
  return BN_num_bits(key[kN].get()) <= kMaxModulusBits && BN_is_odd(key[kN].get()) == 1 &&
         BN_num_bits(key[kE].get()) <= kMaxExponentBits && BN_is_odd(key[kE].get()) == 1 &&
         BN_num_bits(key[kE].get()) > 1;
}

// RFC 8017 §3.2: p and q are the factors of n, dp and dq the inverses of e for each, qi the inverse of q.
// Whether the factors are primes is not asked: that takes long, and hurts nobody but the owner of the key.
bool IsSoundPrivate(const Numbers& key) {
  for (const BigNumber& number : key) {
    if (BN_is_zero(number.get()) || BN_num_bits(number.get()) > kMaxModulusBits) return false;
  }
  const BigNumberContext context(BN_CTX_secure_new());
  const BigNumber product(BN_new());
  if (context == nullptr || product == nullptr) return false;
  const auto is_inverse = [&](Part one, Part other, const BIGNUM* modulus) {
    return BN_mod_mul(product.get(), key[one].get(), key[other].get(), modulus, context.get()) == 1 &&
           BN_is_one(product.get()) == 1;
  };
  if (BN_mul(product.get(), key[kP].get(), key[kQ].get(), context.get()) != 1 ||
      BN_cmp(product.get(), key[kN].get()) != 0) {
    return false;
  }
  for (const auto& [prime, exponent] : {std::pair(kP, kDp), std::pair(kQ, kDq)}) {
    const BigNumber less_one(BN_dup(key[prime].get()));
    if (less_one == nullptr || BN_sub_word(less_one.get(), 1) != 1 || BN_is_zero(less_one.get()))
      return false;
    if (!is_inverse(kE, kD, less_one.get()) || !is_inverse(kE, exponent, less_one.get())) return false;
    if (BN_cmp(key[exponent].get(), less_one.get()) >= 0) return false;
  }
  return is_inverse(kQ, kQi, key[kP].get()) && BN_cmp(key[kQi].get(), key[kP].get()) < 0 &&
         BN_cmp(key[kD].get(), key[kN].get()) < 0;
}

}  // namespace

std::optional<KeyParts> RsaPartsOf(KeyHalf half, EVP_PKEY* key) {
  KeyParts parts;
  for (std::size_t i = 0; i < (half == KeyHalf::kPublic ? kPublicParts : kNames.size()); ++i) {
    BIGNUM* taken = nullptr;
    if (EVP_PKEY_get_bn_param(key, kNames[i], &taken) != 1) return std::nullopt;
    const BigNumber number(taken);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
    BN_bn2bin(number.get(), Octets(bytes));
    parts.push_back(std::move(bytes));
  }
  return parts;
}

PrivateOrPublicKey RsaFromParts(const std::vector<std::string_view>& parts) {
  if (parts.size() != kPublicParts && parts.size() != kNames.size()) return nullptr;
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  Numbers numbers;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].size() > kMaxOctets) return nullptr;
    numbers.emplace_back(BN_bin2bn(Octets(parts[i]), static_cast<int>(parts[i].size()), nullptr));
    if (numbers.back() == nullptr ||
        OSSL_PARAM_BLD_push_BN(builder.get(), kNames[i], numbers.back().get()) != 1) {
      return nullptr;
    }
  }
  const bool is_private = parts.size() > kPublicParts;
  if (!IsSoundPublic(numbers) || (is_private && !IsSoundPrivate(numbers))) return nullptr;
  return KeyFromParameters("RSA", is_private ? KeyHalf::kPrivate : KeyHalf::kPublic, builder.get());
}

PrivateOrPublicKey GenerateRsaKey(std::uint64_t modulus_bits, std::string_view public_exponent) {
  if (modulus_bits > kMaxModulusBits || public_exponent.size() > kMaxOctets) return nullptr;
  const BigNumber exponent(
      BN_bin2bn(Octets(public_exponent), static_cast<int>(public_exponent.size()), nullptr));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  if (exponent == nullptr || context == nullptr || EVP_PKEY_keygen_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(modulus_bits)) != 1 ||
      EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), exponent.get()) != 1 ||
      EVP_PKEY_generate(context.get(), &key) != 1) {
    return nullptr;
  }
  return PrivateOrPublicKey(key);
}

}  // namespace vigil::worker
