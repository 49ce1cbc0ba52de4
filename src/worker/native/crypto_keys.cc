#include "worker/native/crypto_keys.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <array>
#include <utility>

#include "worker/native/crypto_rsa.h"

namespace vigil::worker {
namespace {

constexpr KeyKind kKinds[] = {
    {"RSA", KeyFamily::kRsa, "RSA", 0},
    {"P-256", KeyFamily::kCurve, SN_X9_62_prime256v1, 32},
    {"P-384", KeyFamily::kCurve, SN_secp384r1, 48},
    {"P-521", KeyFamily::kCurve, SN_secp521r1, 66},
    {"Ed25519", KeyFamily::kEdwards, SN_ED25519, 32},
    {"X25519", KeyFamily::kEdwards, SN_X25519, 32},
    {"ML-KEM-512", KeyFamily::kLattice, SN_ML_KEM_512, 64},
    {"ML-KEM-768", KeyFamily::kLattice, SN_ML_KEM_768, 64},
    {"ML-KEM-1024", KeyFamily::kLattice, SN_ML_KEM_1024, 64},
    {"ML-DSA-44", KeyFamily::kLattice, SN_ML_DSA_44, 32},
    {"ML-DSA-65", KeyFamily::kLattice, SN_ML_DSA_65, 32},
    {"ML-DSA-87", KeyFamily::kLattice, SN_ML_DSA_87, 32},
};

using PrivateKeyInfo = std::unique_ptr<PKCS8_PRIV_KEY_INFO, Freed<PKCS8_PRIV_KEY_INFO_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM_free>>;
using Group = std::unique_ptr<EC_GROUP, Freed<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Freed<EC_POINT_clear_free>>;

bool IsOfKind(const KeyKind& kind, EVP_PKEY* key) {
  if (kind.family != KeyFamily::kCurve) return EVP_PKEY_is_a(key, kind.group) == 1;
  if (EVP_PKEY_is_a(key, "EC") != 1) return false;
  std::array<char, 64> group{};
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1) return false;
  int is_explicit = 0;
  const std::array query = {
      OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit),
      OSSL_PARAM_construct_end()};
  std::array mutable_query = query;
  return EVP_PKEY_get_params(key, mutable_query.data()) == 1 && is_explicit == 0 &&
         std::string_view(group.data()) == kind.group;
}

PrivateOrPublicKey Decode(KeyHalf half, std::string_view der) {
  if (der.size() > kMaxOctets) return nullptr;
  const unsigned char* at = Octets(der);
  const unsigned char* const end = at + der.size();
  PrivateOrPublicKey key;
  if (half == KeyHalf::kPublic) {
    key.reset(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
  } else {
    const PrivateKeyInfo info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
    if (info != nullptr) key.reset(EVP_PKCS82PKEY(info.get()));
  }
  if (at != end) return nullptr;
  return key;
}

std::optional<std::string> OctetParameter(EVP_PKEY* key, const char* name) {
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(key, name, nullptr, 0, &size) != 1) return std::nullopt;
  std::string bytes(size, '\0');
  if (EVP_PKEY_get_octet_string_param(key, name, Octets(bytes), size, &size) != 1) return std::nullopt;
  bytes.resize(size);
  return bytes;
}

std::optional<std::string> Scalar(const KeyKind& kind, EVP_PKEY* key) {
  BIGNUM* taken = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &taken) != 1) return std::nullopt;
  const BigNumber scalar(taken);
  std::string bytes(kind.part_bytes, '\0');
  if (BN_bn2binpad(scalar.get(), Octets(bytes), static_cast<int>(bytes.size())) < 0) return std::nullopt;
  return bytes;
}

// An uncompressed point, whatever form it came in: exported keys have one form only.
std::optional<std::string> UncompressedPoint(EVP_PKEY* key) {
  if (EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                     OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) != 1) {
    return std::nullopt;
  }
  return OctetParameter(key, OSSL_PKEY_PARAM_PUB_KEY);
}

// The point of a scalar, in the form that UncompressedPoint() gives. Empty: the scalar is none of this curve.
std::string PointOfScalar(const KeyKind& kind, const BIGNUM* scalar) {
  const Group group(EC_GROUP_new_by_curve_name(OBJ_sn2nid(kind.group)));
  if (group == nullptr || BN_is_zero(scalar) || BN_cmp(scalar, EC_GROUP_get0_order(group.get())) >= 0)
    return {};
  const Point point(EC_POINT_new(group.get()));
  const BigNumberContext numbers(BN_CTX_secure_new());
  std::string bytes(2 * kind.part_bytes + 1, '\0');
  if (point == nullptr ||
      EC_POINT_mul(group.get(), point.get(), scalar, nullptr, nullptr, numbers.get()) != 1 ||
      EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, Octets(bytes), bytes.size(),
                         numbers.get()) != bytes.size()) {
    return {};
  }
  return bytes;
}

PrivateOrPublicKey CurveFromParts(const KeyKind& kind, const std::vector<std::string_view>& parts) {
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  BigNumber scalar;
  if (builder == nullptr || parts[0].empty() ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, kind.group, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, Octets(parts[0]),
                                       parts[0].size()) != 1) {
    return nullptr;
  }
  if (parts.size() == 2) {
    if (parts[1].size() != kind.part_bytes) return nullptr;
    scalar.reset(BN_bin2bn(Octets(parts[1]), static_cast<int>(parts[1].size()), nullptr));
    // The public half has to be the private one's own.
    if (scalar == nullptr || PointOfScalar(kind, scalar.get()) != parts[0] ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get()) != 1) {
      return nullptr;
    }
  }
  PrivateOrPublicKey key =
      KeyFromParameters("EC", parts.size() == 2 ? KeyHalf::kPrivate : KeyHalf::kPublic, builder.get());
  const KeyContext check(key == nullptr ? nullptr : EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  if (check == nullptr || EVP_PKEY_public_check_quick(check.get()) != 1) return nullptr;
  return key;
}

PrivateOrPublicKey EdwardsFromParts(const KeyKind& kind, const std::vector<std::string_view>& parts) {
  for (const std::string_view part : parts) {
    if (part.size() != kind.part_bytes) return nullptr;
  }
  if (parts.size() == 1) {
    return PrivateOrPublicKey(
        EVP_PKEY_new_raw_public_key_ex(nullptr, kind.group, nullptr, Octets(parts[0]), parts[0].size()));
  }
  PrivateOrPublicKey key(
      EVP_PKEY_new_raw_private_key_ex(nullptr, kind.group, nullptr, Octets(parts[1]), parts[1].size()));
  if (key == nullptr || OctetParameter(key.get(), OSSL_PKEY_PARAM_PUB_KEY) != parts[0]) return nullptr;
  return key;
}

// Raw keys of both algorithms; OpenSSL names their seeds alike.
PrivateOrPublicKey LatticeFromParts(const KeyKind& kind, const std::vector<std::string_view>& parts) {
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  const bool is_private = parts.size() == 2;
  const std::string_view part = parts.back();
  if (builder == nullptr || part.empty() || (is_private && part.size() != kind.part_bytes) ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(),
                                       is_private ? OSSL_PKEY_PARAM_ML_DSA_SEED : OSSL_PKEY_PARAM_PUB_KEY,
                                       Octets(part), part.size()) != 1) {
    return nullptr;
  }
  PrivateOrPublicKey key =
      KeyFromParameters(kind.group, is_private ? KeyHalf::kPrivate : KeyHalf::kPublic, builder.get());
  // The public half of a seed may be left out, but has to be its own if it is there.
  if (key != nullptr && is_private && !parts[0].empty() &&
      OctetParameter(key.get(), OSSL_PKEY_PARAM_PUB_KEY) != parts[0]) {
    return nullptr;
  }
  return key;
}

// RFC 9881 §6, RFC 9935 §6: of the three forms of a private key the one that is only the seed.
PrivateKeyInfo LatticeInfo(const KeyKind& kind, EVP_PKEY* key) {
  auto seed = OctetParameter(key, OSSL_PKEY_PARAM_ML_DSA_SEED);
  PrivateKeyInfo info(PKCS8_PRIV_KEY_INFO_new());
  if (!seed || info == nullptr) return nullptr;
  constexpr char kSeedTag = '\x80';
  const std::string form = std::string({kSeedTag, static_cast<char>(seed->size())}) + *seed;
  auto* octets = static_cast<unsigned char*>(OPENSSL_memdup(form.data(), form.size()));
  if (octets == nullptr || PKCS8_pkey_set0(info.get(), OBJ_txt2obj(kind.group, 0), 0, V_ASN1_UNDEF, nullptr,
                                           octets, static_cast<int>(form.size())) != 1) {
    OPENSSL_free(octets);
    return nullptr;
  }
  return info;
}

}  // namespace

const KeyKind* KeyKindNamed(std::string_view name) {
  for (const KeyKind& kind : kKinds) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

PrivateOrPublicKey LoadKey(const KeyKind& kind, KeyHalf half, std::string_view der) {
  PrivateOrPublicKey key = Decode(half, der);
  if (key == nullptr || !IsOfKind(kind, key.get())) return nullptr;
  return key;
}

PrivateOrPublicKey ReadKey(const KeyKind& kind, KeyHalf half, std::string_view der) {
  const PrivateOrPublicKey given = LoadKey(kind, half, der);
  if (given == nullptr) return nullptr;
  // Made anew from its parts: that checks them, and drops attributes and odd encodings.
  const auto parts = PartsOf(kind, half, given.get());
  if (!parts) return nullptr;
  return KeyFromParts(kind, {parts->begin(), parts->end()});
}

std::optional<std::string> WriteKey(const KeyKind& kind, EVP_PKEY* key, KeyHalf half) {
  std::string der;
  const auto write = [&der](auto encode) {
    const int size = encode(nullptr);
    if (size <= 0) return false;
    der.resize(static_cast<std::size_t>(size));
    unsigned char* at = Octets(der);
    return encode(&at) == size;
  };
  if (half == KeyHalf::kPublic) {
    if (!write([key](unsigned char** at) { return i2d_PUBKEY(key, at); })) return std::nullopt;
    return der;
  }
  const PrivateKeyInfo info =
      kind.family == KeyFamily::kLattice ? LatticeInfo(kind, key) : PrivateKeyInfo(EVP_PKEY2PKCS8(key));
  if (info == nullptr ||
      !write([&info](unsigned char** at) { return i2d_PKCS8_PRIV_KEY_INFO(info.get(), at); })) {
    return std::nullopt;
  }
  return der;
}

std::optional<KeyParts> PartsOf(const KeyKind& kind, KeyHalf half, EVP_PKEY* key) {
  if (kind.family == KeyFamily::kRsa) return RsaPartsOf(half, key);
  const bool is_curve = kind.family == KeyFamily::kCurve;
  auto shared = is_curve ? UncompressedPoint(key) : OctetParameter(key, OSSL_PKEY_PARAM_PUB_KEY);
  if (!shared) return std::nullopt;
  KeyParts parts{*std::move(shared)};
  if (half == KeyHalf::kPublic) return parts;
  const bool is_lattice = kind.family == KeyFamily::kLattice;
  auto secret =
      is_curve ? Scalar(kind, key)
               : OctetParameter(key, is_lattice ? OSSL_PKEY_PARAM_ML_DSA_SEED : OSSL_PKEY_PARAM_PRIV_KEY);
  if (!secret) return std::nullopt;
  parts.push_back(*std::move(secret));
  return parts;
}

PrivateOrPublicKey KeyFromParts(const KeyKind& kind, const std::vector<std::string_view>& parts) {
  if (kind.family == KeyFamily::kRsa) return RsaFromParts(parts);
  if (parts.empty() || parts.size() > 2) return nullptr;
  if (kind.family == KeyFamily::kLattice) return LatticeFromParts(kind, parts);
  return kind.family == KeyFamily::kCurve ? CurveFromParts(kind, parts) : EdwardsFromParts(kind, parts);
}

PrivateOrPublicKey KeyFromParameters(const char* type, KeyHalf half, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  const int selection = half == KeyHalf::kPublic ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
  if (parameters == nullptr || context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()) != 1) {
    return nullptr;
  }
  return PrivateOrPublicKey(key);
}

PrivateOrPublicKey GenerateKey(const KeyKind& kind, std::uint64_t modulus_bits,
                               std::string_view public_exponent) {
  if (kind.family == KeyFamily::kRsa) return GenerateRsaKey(modulus_bits, public_exponent);
  if (kind.family == KeyFamily::kCurve) return PrivateOrPublicKey(EVP_EC_gen(kind.group));
  return PrivateOrPublicKey(EVP_PKEY_Q_keygen(nullptr, nullptr, kind.group));
}

}  // namespace vigil::worker
