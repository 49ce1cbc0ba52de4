// OpenSSL finds an algorithm, makes its tables and seeds its generator when it is first asked. The zygote
// asks, for what apps use most: what is found is shared with every child. (A child seeds anew: OpenSSL
// notices that it was forked.)
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <array>
#include <string>

#include "worker/native/crypto_keys.h"

namespace vigil::worker {
namespace {

void WarmDigests() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> result{};
  for (const EVP_MD* digest : {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
    unsigned size = 0;
    EVP_Digest("", 0, result.data(), &size, digest, nullptr);
    HMAC(digest, "", 0, Octets(""), 0, result.data(), &size);
  }
  for (const char* name : {"HKDF", "PBKDF2"}) EVP_KDF_free(EVP_KDF_fetch(nullptr, name, nullptr));
}

void WarmCiphers() {
  using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
  const std::array<unsigned char, EVP_MAX_KEY_LENGTH> key{};
  for (const EVP_CIPHER* cipher : {EVP_aes_128_gcm(), EVP_aes_256_gcm(), EVP_aes_128_cbc(), EVP_aes_256_cbc(),
                                   EVP_aes_128_ctr(), EVP_aes_256_ctr()}) {
    const CipherContext context(EVP_CIPHER_CTX_new());
    EVP_CipherInit_ex2(context.get(), cipher, key.data(), key.data(), 1, nullptr);
  }
}

// Made, written and read once, and tried on a signature that is none.
void WarmKey(const char* name, const PrivateOrPublicKey& key, bool signs) {
  const KeyKind& kind = *KeyKindNamed(name);
  const auto der = WriteKey(kind, key.get(), KeyHalf::kPublic);
  if (der) LoadKey(kind, KeyHalf::kPublic, *der);
  const auto secret =
      kind.family == KeyFamily::kRsa ? std::nullopt : WriteKey(kind, key.get(), KeyHalf::kPrivate);
  if (secret) LoadKey(kind, KeyHalf::kPrivate, *secret);
  if (!signs) return;
  const DigestContext context(EVP_MD_CTX_new());
  const EVP_MD* digest = kind.family == KeyFamily::kEdwards ? nullptr : EVP_sha256();
  if (EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key.get()) == 1)
    EVP_DigestVerify(context.get(), Octets(""), 0, Octets(""), 0);
}

}  // namespace

void WarmCrypto() {
  // No file of the machine decides what the cryptography of a worker is.
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  std::array<unsigned char, 1> octet{};
  RAND_bytes(octet.data(), octet.size());
  RAND_priv_bytes(octet.data(), octet.size());
  WarmDigests();
  WarmCiphers();
  for (const char* name : {"P-256", "Ed25519"}) WarmKey(name, GenerateKey(*KeyKindNamed(name), 0, {}), true);
  WarmKey("X25519", GenerateKey(*KeyKindNamed("X25519"), 0, {}), false);
  // Real primes take long to find.
  const std::string modulus(64, '\xff');
  WarmKey("RSA", KeyFromParts(*KeyKindNamed("RSA"), {modulus, "\x03"}), true);
  ERR_clear_error();
}

}  // namespace vigil::worker
