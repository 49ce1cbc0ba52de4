// Asymmetric keys for the bundle. It keeps a key as the bytes that WriteKey() gives and hands them in again
// for each operation: nothing here has a lifetime, and a key is cloned or stored as it is.
#include <openssl/err.h>
#include <v8-container.h>

#include <string>
#include <vector>

#include "worker/native/crypto_key_cache.h"
#include "worker/native/natives.h"

namespace vigil::worker {
namespace {

KeyHalf HalfAt(const Arguments& args, int index) {
  return args[index]->BooleanValue(args.GetIsolate()) ? KeyHalf::kPrivate : KeyHalf::kPublic;
}

void ReturnKey(const Arguments& args, const KeyKind& kind, EVP_PKEY* key, KeyHalf half) {
  const auto der = key == nullptr ? std::nullopt : WriteKey(kind, key, half);
  if (der) ReturnBytes(args, *der);
  ERR_clear_error();
}

// generateKeyPair(kind, modulusBits, publicExponent): [public, private]
void GenerateKeyPair(const Arguments& args) {
  const KeyKind* kind = KeyKindNamed(TextAt(args, 0));
  if (kind == nullptr) return;
  const PrivateOrPublicKey key = GenerateKey(*kind, NumberAt(args, 1), BytesAt(args, 2));
  const auto shared = key == nullptr ? std::nullopt : WriteKey(*kind, key.get(), KeyHalf::kPublic);
  const auto secret = key == nullptr ? std::nullopt : WriteKey(*kind, key.get(), KeyHalf::kPrivate);
  if (shared && secret) ReturnList(args, {*shared, *secret});
  ERR_clear_error();
}

// readKey(kind, isPrivate, der): the key
void ReadKeyBytes(const Arguments& args) {
  const KeyKind* kind = KeyKindNamed(TextAt(args, 0));
  if (kind == nullptr) return;
  const KeyHalf half = HalfAt(args, 1);
  ReturnKey(args, *kind, ReadKey(*kind, half, BytesAt(args, 2)).get(), half);
}

// partsOfKey(kind, isPrivate, key): its parts
void ListParts(const Arguments& args) {
  const KeyKind* kind = KeyKindNamed(TextAt(args, 0));
  if (kind == nullptr) return;
  const KeyHalf half = HalfAt(args, 1);
  const PrivateOrPublicKey key = LoadRecentKey(*kind, half, BytesAt(args, 2));
  if (const auto parts = key == nullptr ? std::nullopt : PartsOf(*kind, half, key.get()))
    ReturnList(args, *parts);
  ERR_clear_error();
}

// keyFromParts(kind, isPrivate, parts): the key
void MakeFromParts(const Arguments& args) {
  const KeyKind* kind = KeyKindNamed(TextAt(args, 0));
  if (kind == nullptr || !args[2]->IsArray()) return;
  const auto list = args[2].As<v8::Array>();
  std::vector<std::string_view> parts;
  for (std::uint32_t i = 0; i < list->Length(); ++i) {
    v8::Local<v8::Value> part;
    if (!list->Get(args.GetIsolate()->GetCurrentContext(), i).ToLocal(&part)) return;
    parts.push_back(BytesOf(part).value_or(std::string_view()));
  }
  ReturnKey(args, *kind, KeyFromParts(*kind, parts).get(), HalfAt(args, 1));
}

// pointOf(x, y): the uncompressed point
void PointOf(const Arguments& args) {
  ReturnBytes(args, std::string("\x04").append(BytesAt(args, 0)).append(BytesAt(args, 1)));
}

// publicKeyOf(kind, key): the public half of a private key
void PublicKeyOf(const Arguments& args) {
  const KeyKind* kind = KeyKindNamed(TextAt(args, 0));
  if (kind == nullptr) return;
  ReturnKey(args, *kind, LoadRecentKey(*kind, KeyHalf::kPrivate, BytesAt(args, 1)).get(), KeyHalf::kPublic);
}

}  // namespace

void InstallCryptoKeyNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> crypto) {
  SetFunction(context, crypto, "generateKeyPair", GenerateKeyPair);
  SetFunction(context, crypto, "readKey", ReadKeyBytes);
  SetFunction(context, crypto, "partsOfKey", ListParts);
  SetFunction(context, crypto, "keyFromParts", MakeFromParts);
  SetFunction(context, crypto, "pointOf", PointOf);
  SetFunction(context, crypto, "publicKeyOf", PublicKeyOf);
}

}  // namespace vigil::worker
