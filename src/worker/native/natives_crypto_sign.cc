// What is done with asymmetric keys: signatures and RSA-OAEP.
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <array>
#include <optional>
#include <string>

#include "worker/native/crypto_key_cache.h"
#include "worker/native/natives.h"

namespace vigil::worker {
namespace {

using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

// The key that the first two arguments name and hold.
PrivateOrPublicKey KeyAt(const Arguments& args, KeyHalf half, const KeyKind** kind) {
  *kind = KeyKindNamed(TextAt(args, 0));
  return *kind == nullptr ? nullptr : LoadRecentKey(**kind, half, BytesAt(args, 1));
}

bool UseContext(EVP_PKEY_CTX* key_context, std::string_view context) {
  const std::array parameters = {
      OSSL_PARAM_construct_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING,
                                        const_cast<unsigned char*>(Octets(context)), context.size()),
      OSSL_PARAM_construct_end()};
  return EVP_PKEY_CTX_set_params(key_context, parameters.data()) == 1;
}

// What sign() and verify() share: (kind, key, hash, parameter, …). The parameter of RSA keys is the length of
// the salt; without one they use the padding of PKCS #1 v1.5. That of ML-DSA is the context; it and Ed25519
// hash in their own way.
bool Prepare(const Arguments& args, const KeyKind& kind, EVP_PKEY* key, KeyHalf half, EVP_MD_CTX* context) {
  const EVP_MD* digest = DigestNamed(TextAt(args, 2));
  const bool hashes = kind.family == KeyFamily::kRsa || kind.family == KeyFamily::kCurve;
  if (hashes != (digest != nullptr)) return false;
  EVP_PKEY_CTX* key_context = nullptr;
  const int begun = half == KeyHalf::kPrivate
                        ? EVP_DigestSignInit(context, &key_context, digest, nullptr, key)
                        : EVP_DigestVerifyInit(context, &key_context, digest, nullptr, key);
  if (begun != 1) return false;
  if (kind.family == KeyFamily::kLattice) return UseContext(key_context, BytesAt(args, 3));
  if (kind.family != KeyFamily::kRsa || args[3]->IsUndefined()) return true;
  const std::uint64_t salt = NumberAt(args, 3);
  return salt <= kMaxOctets && EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, static_cast<int>(salt)) == 1;
}

// ECDSA signatures are r and s here, each as long as the order of the curve; in OpenSSL they are DER.
std::optional<std::string> FromDer(const KeyKind& kind, std::string_view der) {
  const unsigned char* at = Octets(der);
  const Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (signature == nullptr) return std::nullopt;
  const auto size = static_cast<int>(kind.part_bytes);
  std::string bytes(2 * kind.part_bytes, '\0');
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), Octets(bytes), size) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), Octets(bytes) + size, size) < 0) {
    return std::nullopt;
  }
  return bytes;
}

std::optional<std::string> ToDer(const KeyKind& kind, std::string_view bytes) {
  if (bytes.size() != 2 * kind.part_bytes) return std::nullopt;
  const auto size = static_cast<int>(kind.part_bytes);
  const Signature signature(ECDSA_SIG_new());
  BigNumber r(BN_bin2bn(Octets(bytes), size, nullptr));
  BigNumber s(BN_bin2bn(Octets(bytes) + size, size, nullptr));
  if (signature == nullptr || r == nullptr || s == nullptr ||
      ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
    return std::nullopt;
  }
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  std::string der(static_cast<std::size_t>(i2d_ECDSA_SIG(signature.get(), nullptr)), '\0');
  unsigned char* at = Octets(der);
  i2d_ECDSA_SIG(signature.get(), &at);
  return der;
}

// sign(kind, privateKey, hash, parameter, data)
void Sign(const Arguments& args) {
  const KeyKind* kind = nullptr;
  const PrivateOrPublicKey key = KeyAt(args, KeyHalf::kPrivate, &kind);
  const DigestContext context(EVP_MD_CTX_new());
  const std::string_view data = BytesAt(args, 4);
  std::size_t size = 0;
  if (key != nullptr && Prepare(args, *kind, key.get(), KeyHalf::kPrivate, context.get()) &&
      EVP_DigestSign(context.get(), nullptr, &size, Octets(data), data.size()) == 1) {
    std::string signature(size, '\0');
    if (EVP_DigestSign(context.get(), Octets(signature), &size, Octets(data), data.size()) == 1) {
      signature.resize(size);
      const auto result =
          kind->family == KeyFamily::kCurve ? FromDer(*kind, signature) : std::optional(signature);
      if (result) ReturnBytes(args, *result);
    }
  }
  ERR_clear_error();
}

// verify(kind, publicKey, hash, parameter, data, signature): whether it is one
void Verify(const Arguments& args) {
  const KeyKind* kind = nullptr;
  const PrivateOrPublicKey key = KeyAt(args, KeyHalf::kPublic, &kind);
  const DigestContext context(EVP_MD_CTX_new());
  const std::string_view data = BytesAt(args, 4);
  const std::string_view given = BytesAt(args, 5);
  bool is_right = false;
  if (key != nullptr && Prepare(args, *kind, key.get(), KeyHalf::kPublic, context.get())) {
    const auto signature =
        kind->family == KeyFamily::kCurve ? ToDer(*kind, given) : std::optional(std::string(given));
    is_right = signature && EVP_DigestVerify(context.get(), Octets(*signature), signature->size(),
                                             Octets(data), data.size()) == 1;
  }
  args.GetReturnValue().Set(is_right);
  ERR_clear_error();
}

bool UseOaep(EVP_PKEY_CTX* context, const EVP_MD* digest, std::string_view label) {
  if (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) != 1 ||
      EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) != 1 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) != 1) {
    return false;
  }
  if (label.empty()) return true;
  if (label.size() > kMaxOctets) return false;
  // The context owns the label when this call works.
  void* copy = OPENSSL_memdup(label.data(), label.size());
  if (EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, static_cast<int>(label.size())) == 1) return true;
  OPENSSL_free(copy);
  return false;
}

using Crypt = int (*)(EVP_PKEY_CTX*, unsigned char*, std::size_t*, const unsigned char*, std::size_t);

// rsaOaep(isDecryption, key, hash, label, data)
void RsaOaep(const Arguments& args) {
  const bool decrypts = args[0]->BooleanValue(args.GetIsolate());
  const PrivateOrPublicKey key =
      LoadRecentKey(*KeyKindNamed("RSA"), decrypts ? KeyHalf::kPrivate : KeyHalf::kPublic, BytesAt(args, 1));
  const EVP_MD* digest = DigestNamed(TextAt(args, 2));
  const KeyContext context(key == nullptr ? nullptr
                                          : EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  const std::string_view data = BytesAt(args, 4);
  const Crypt crypt = decrypts ? EVP_PKEY_decrypt : EVP_PKEY_encrypt;
  std::size_t size = 0;
  if (digest != nullptr && context != nullptr &&
      (decrypts ? EVP_PKEY_decrypt_init : EVP_PKEY_encrypt_init)(context.get()) == 1 &&
      UseOaep(context.get(), digest, BytesAt(args, 3)) &&
      crypt(context.get(), nullptr, &size, Octets(data), data.size()) == 1) {
    std::string result(size, '\0');
    if (crypt(context.get(), Octets(result), &size, Octets(data), data.size()) == 1) {
      ReturnBytes(args, std::string_view(result).substr(0, size));
    }
  }
  ERR_clear_error();
}

}  // namespace

void InstallCryptoSignNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> crypto) {
  SetFunction(context, crypto, "sign", Sign);
  SetFunction(context, crypto, "verify", Verify);
  SetFunction(context, crypto, "rsaOaep", RsaOaep);
}

}  // namespace vigil::worker
