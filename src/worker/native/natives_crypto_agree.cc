// Secrets that two parties come to know: by agreement (ECDH, X25519) or in a capsule (ML-KEM).
#include <openssl/err.h>

#include <string>

#include "worker/native/crypto_key_cache.h"
#include "worker/native/natives.h"

namespace vigil::worker {
namespace {

KeyContext ContextFor(EVP_PKEY* key) {
  return KeyContext(key == nullptr ? nullptr : EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
}

// agree(kind, privateKey, publicKey): the shared secret
void Agree(const Arguments& args) {
  const KeyKind* kind = KeyKindNamed(TextAt(args, 0));
  const PrivateOrPublicKey own =
      kind == nullptr ? nullptr : LoadRecentKey(*kind, KeyHalf::kPrivate, BytesAt(args, 1));
  const PrivateOrPublicKey other =
      own == nullptr ? nullptr : LoadRecentKey(*kind, KeyHalf::kPublic, BytesAt(args, 2));
  const KeyContext context = ContextFor(other == nullptr ? nullptr : own.get());
  std::size_t size = 0;
  if (context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
      EVP_PKEY_derive_set_peer(context.get(), other.get()) == 1 &&
      EVP_PKEY_derive(context.get(), nullptr, &size) == 1) {
    std::string secret(size, '\0');
    if (EVP_PKEY_derive(context.get(), Octets(secret), &size) == 1) {
      ReturnBytes(args, std::string_view(secret).substr(0, size));
    }
  }
  ERR_clear_error();
}

// encapsulate(kind, publicKey): [the capsule, the secret in it]
void Encapsulate(const Arguments& args) {
  const KeyKind* kind = KeyKindNamed(TextAt(args, 0));
  const PrivateOrPublicKey key =
      kind == nullptr ? nullptr : LoadRecentKey(*kind, KeyHalf::kPublic, BytesAt(args, 1));
  const KeyContext context = ContextFor(key.get());
  std::size_t capsule_size = 0;
  std::size_t secret_size = 0;
  if (context != nullptr && EVP_PKEY_encapsulate_init(context.get(), nullptr) == 1 &&
      EVP_PKEY_encapsulate(context.get(), nullptr, &capsule_size, nullptr, &secret_size) == 1) {
    std::string capsule(capsule_size, '\0');
    std::string secret(secret_size, '\0');
    if (EVP_PKEY_encapsulate(context.get(), Octets(capsule), &capsule_size, Octets(secret), &secret_size) ==
        1)
      ReturnList(args, {capsule, secret});
  }
  ERR_clear_error();
}

// decapsulate(kind, privateKey, capsule): the secret
void Decapsulate(const Arguments& args) {
  const KeyKind* kind = KeyKindNamed(TextAt(args, 0));
  const PrivateOrPublicKey key =
      kind == nullptr ? nullptr : LoadRecentKey(*kind, KeyHalf::kPrivate, BytesAt(args, 1));
  const KeyContext context = ContextFor(key.get());
  const std::string_view capsule = BytesAt(args, 2);
  std::size_t size = 0;
  if (context != nullptr && EVP_PKEY_decapsulate_init(context.get(), nullptr) == 1 &&
      EVP_PKEY_decapsulate(context.get(), nullptr, &size, Octets(capsule), capsule.size()) == 1) {
    std::string secret(size, '\0');
    if (EVP_PKEY_decapsulate(context.get(), Octets(secret), &size, Octets(capsule), capsule.size()) == 1)
      ReturnBytes(args, secret);
  }
  ERR_clear_error();
}

}  // namespace

void InstallCryptoAgreeNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> crypto) {
  SetFunction(context, crypto, "agree", Agree);
  SetFunction(context, crypto, "encapsulate", Encapsulate);
  SetFunction(context, crypto, "decapsulate", Decapsulate);
}

}  // namespace vigil::worker
