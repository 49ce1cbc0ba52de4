// Asymmetric keys as bytes: SubjectPublicKeyInfo and PKCS #8, the parts that a JSON Web Key names, raw public
// keys. All of the bytes may be hostile.
#pragma once

#include <openssl/param_build.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/native/crypto.h"

namespace vigil::worker {

enum class KeyFamily { kRsa, kCurve, kEdwards, kLattice };

struct KeyKind {
  std::string_view name;  // what the bundle says: "RSA", or a name of a curve
  KeyFamily family;
  const char* group;       // OpenSSL's name of the curve, or of the type of key
  std::size_t part_bytes;  // of a coordinate, a scalar or a raw key; of a seed
};
const KeyKind* KeyKindNamed(std::string_view name);

enum class KeyHalf { kPublic, kPrivate };

// A key that this file wrote itself. Null: it is not one of that kind.
PrivateOrPublicKey LoadKey(const KeyKind& kind, KeyHalf half, std::string_view der);
// A key of somebody else: of that kind, nothing behind it, and sound in itself.
PrivateOrPublicKey ReadKey(const KeyKind& kind, KeyHalf half, std::string_view der);
std::optional<std::string> WriteKey(const KeyKind& kind, EVP_PKEY* key, KeyHalf half);

// RSA: n e, and of a private key d p q dp dq qi. Curves: the uncompressed point, and the scalar. Edwards and
// Montgomery curves: the raw public key, and the raw private key. Lattices: the raw public key, and the seed
// of the private key.
using KeyParts = std::vector<std::string>;
std::optional<KeyParts> PartsOf(const KeyKind& kind, KeyHalf half, EVP_PKEY* key);
PrivateOrPublicKey KeyFromParts(const KeyKind& kind, const std::vector<std::string_view>& parts);

using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD_free>>;
PrivateOrPublicKey KeyFromParameters(const char* type, KeyHalf half, OSSL_PARAM_BLD* builder);

// Null: OpenSSL refuses.
PrivateOrPublicKey GenerateKey(const KeyKind& kind, std::uint64_t modulus_bits,
                               std::string_view public_exponent);

}  // namespace vigil::worker
