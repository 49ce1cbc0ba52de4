// Digests, message authentication and key derivation come from the OpenSSL that the Node executable exports;
// random bytes that scripts see come from the kernel.
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <sys/random.h>
#include <v8-container.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "worker/base64url.h"
#include "worker/native/crypto.h"
#include "worker/native/natives.h"
#include "worker/native/worker.h"

namespace vigil::worker {
namespace {

using Kdf = std::unique_ptr<EVP_KDF, Freed<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Freed<EVP_KDF_CTX_free>>;

// digest(hash, data)
void Digest(const Arguments& args) {
  const EVP_MD* algorithm = DigestNamed(TextAt(args, 0));
  const std::string_view data = BytesAt(args, 1);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (algorithm == nullptr ||
      EVP_Digest(Octets(data), data.size(), digest.data(), &size, algorithm, nullptr) != 1) {
    return;
  }
  ReturnBytes(args, {reinterpret_cast<const char*>(digest.data()), size});
}

// hmac(hash, key, data)
void Hmac(const Arguments& args) {
  const EVP_MD* algorithm = DigestNamed(TextAt(args, 0));
  const std::string_view key = BytesAt(args, 1);
  const std::string_view data = BytesAt(args, 2);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (algorithm == nullptr || key.size() > kMaxOctets ||
      HMAC(algorithm, Octets(key), static_cast<int>(key.size()), Octets(data), data.size(), digest.data(),
           &size) == nullptr) {
    return;
  }
  ReturnBytes(args, {reinterpret_cast<const char*>(digest.data()), size});
}

// isEqual(one, other): in a time that does not tell where they differ
void IsEqual(const Arguments& args) {
  const std::string_view one = BytesAt(args, 0);
  const std::string_view other = BytesAt(args, 1);
  args.GetReturnValue().Set(one.size() == other.size() &&
                            CRYPTO_memcmp(Octets(one), Octets(other), one.size()) == 0);
}

// sizeOf(bytes)
void SizeOf(const Arguments& args) {
  args.GetReturnValue().Set(static_cast<double>(BytesAt(args, 0).size()));
}

// copy(source): the bytes of a buffer or view; none of a detached one
void Copy(const Arguments& args) { ReturnBytes(args, BytesAt(args, 0)); }

OSSL_PARAM OctetParameter(const char* name, std::string_view bytes) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<unsigned char*>(Octets(bytes)), bytes.size());
}

// derive(function, hash, key, salt, info, iterations, bytes): what HKDF or PBKDF2 makes of the key
void Derive(const Arguments& args) {
  const std::string function = TextAt(args, 0);
  const EVP_MD* digest = DigestNamed(TextAt(args, 1));
  const std::string_view key = BytesAt(args, 2);
  const std::string_view salt = BytesAt(args, 3);
  const std::string_view info = BytesAt(args, 4);
  std::uint64_t iterations = NumberAt(args, 5);
  const std::uint64_t size = NumberAt(args, 6);
  const Kdf kdf(EVP_KDF_fetch(nullptr, function.c_str(), nullptr));
  const KdfContext context(kdf == nullptr ? nullptr : EVP_KDF_CTX_new(kdf.get()));
  char* bytes = nullptr;
  v8::Local<v8::Uint8Array> result;
  if (context == nullptr || digest == nullptr || !NewBytes(args.GetIsolate(), size, &bytes).ToLocal(&result))
    return;
  const bool stretches = function == "PBKDF2";
  char* digest_name = const_cast<char*>(EVP_MD_get0_name(digest));
  std::array parameters = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
                           OctetParameter(stretches ? OSSL_KDF_PARAM_PASSWORD : OSSL_KDF_PARAM_KEY, key),
                           OctetParameter(OSSL_KDF_PARAM_SALT, salt),
                           stretches ? OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &iterations)
                                     : OctetParameter(OSSL_KDF_PARAM_INFO, info),
                           OSSL_PARAM_construct_end()};
  if (EVP_KDF_derive(context.get(), reinterpret_cast<unsigned char*>(bytes), size, parameters.data()) == 1) {
    args.GetReturnValue().Set(result);
  }
  ERR_clear_error();
}

// firstBits(bytes, bits): a copy of that many bits, the rest of the last byte zero
void FirstBits(const Arguments& args) {
  const std::string_view bytes = BytesAt(args, 0);
  const std::uint64_t bits = NumberAt(args, 1);
  std::string kept(bytes.substr(0, bits / 8 + (bits % 8 == 0 ? 0 : 1)));
  if (bits % 8 != 0 && !kept.empty())
    kept.back() = static_cast<char>(static_cast<unsigned char>(kept.back()) & (0xffU << (8 - bits % 8)));
  ReturnBytes(args, kept);
}

// toBase64Url(bytes, start, end): of all of the bytes if no part is named
void WriteBase64Url(const Arguments& args) {
  std::string_view bytes = BytesAt(args, 0);
  if (args.Length() > 1) bytes = bytes.substr(std::min<std::size_t>(NumberAt(args, 1), bytes.size()));
  if (args.Length() > 2) bytes = bytes.substr(0, NumberAt(args, 2) - NumberAt(args, 1));
  v8::Local<v8::String> text;
  if (FromUtf8(args.GetIsolate(), ToBase64Url(bytes)).ToLocal(&text)) args.GetReturnValue().Set(text);
}

// fromBase64Url(text)
void ReadBase64Url(const Arguments& args) {
  if (const auto bytes = FromBase64Url(TextAt(args, 0))) ReturnBytes(args, *bytes);
}

void RandomFill(const Arguments& args) {
  const std::string_view target = BytesAt(args, 0);
  char* data = const_cast<char*>(target.data());
  for (std::size_t done = 0; done < target.size();) {
    const ssize_t n = ::getrandom(data + done, target.size() - done, 0);
    if (n < 0 && errno != EINTR) return ThrowTypeError(args.GetIsolate(), "The system has no random bytes");
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

void MathRandom(const Arguments& args) {
  args.GetReturnValue().Set(Worker::Of(args.GetIsolate()).random.Next());
}

void ReplaceMathRandom(v8::Local<v8::Context> context) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const v8::Local<v8::Value> math = context->Global()->Get(context, Symbol(isolate, "Math")).ToLocalChecked();
  const v8::Local<v8::Function> random =
      v8::Function::New(context, MathRandom, {}, 0, v8::ConstructorBehavior::kThrow).ToLocalChecked();
  random->SetName(Symbol(isolate, "random"));
  math.As<v8::Object>()->DefineOwnProperty(context, Symbol(isolate, "random"), random, v8::DontEnum).Check();
}

}  // namespace

const EVP_MD* DigestNamed(std::string_view name) {
  if (name == "SHA-1") return EVP_sha1();
  if (name == "SHA-256") return EVP_sha256();
  if (name == "SHA-384") return EVP_sha384();
  if (name == "SHA-512") return EVP_sha512();
  return nullptr;
}

std::uint64_t NumberAt(const Arguments& args, int index) {
  if (!args[index]->IsNumber()) return 0;
  const double number = args[index].As<v8::Number>()->Value();
  return number > 0 && number < static_cast<double>(UINT64_MAX) ? static_cast<std::uint64_t>(number) : 0;
}

void ReturnBytes(const Arguments& args, std::string_view bytes) {
  v8::Local<v8::Uint8Array> result;
  if (NewBytes(args.GetIsolate(), bytes).ToLocal(&result)) args.GetReturnValue().Set(result);
}

void ReturnList(const Arguments& args, const std::vector<std::string>& list) {
  v8::Isolate* isolate = args.GetIsolate();
  v8::LocalVector<v8::Value> items(isolate);
  for (const std::string& bytes : list) {
    v8::Local<v8::Uint8Array> item;
    if (!NewBytes(isolate, bytes).ToLocal(&item)) return;
    items.push_back(item);
  }
  args.GetReturnValue().Set(v8::Array::New(isolate, items.data(), items.size()));
}

void InstallCryptoNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  SetFunction(context, native, "randomFill", RandomFill);
  ReplaceMathRandom(context);
  const v8::Local<v8::Object> crypto = v8::Object::New(isolate);
  SetFunction(context, crypto, "digest", Digest);
  SetFunction(context, crypto, "hmac", Hmac);
  SetFunction(context, crypto, "isEqual", IsEqual);
  SetFunction(context, crypto, "sizeOf", SizeOf);
  SetFunction(context, crypto, "copy", Copy);
  SetFunction(context, crypto, "derive", Derive);
  SetFunction(context, crypto, "firstBits", FirstBits);
  SetFunction(context, crypto, "toBase64Url", WriteBase64Url);
  SetFunction(context, crypto, "fromBase64Url", ReadBase64Url);
  InstallCryptoCipherNatives(context, crypto);
  InstallCryptoKeyNatives(context, crypto);
  InstallCryptoSignNatives(context, crypto);
  InstallCryptoAgreeNatives(context, crypto);
  native->Set(context, Symbol(isolate, "crypto"), crypto).Check();
}

}  // namespace vigil::worker
