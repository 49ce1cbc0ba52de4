// Digests come from the OpenSSL that the Node executable exports; random bytes from the kernel.
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "worker/native/natives.h"
#include "worker/native/values.h"
#include "worker/native/worker.h"

namespace vigil::worker {
namespace {

const EVP_MD* DigestNamed(v8::Isolate* isolate, v8::Local<v8::Value> name) {
  const std::string text = ToUtf8(isolate, name);
  if (text == "SHA-1") return EVP_sha1();
  if (text == "SHA-256") return EVP_sha256();
  if (text == "SHA-384") return EVP_sha384();
  if (text == "SHA-512") return EVP_sha512();
  ThrowTypeError(isolate, "Unknown digest: " + text);
  return nullptr;
}

void ReturnDigest(const Arguments& args, bool worked, const unsigned char* digest, unsigned size) {
  if (!worked) return ThrowTypeError(args.GetIsolate(), "The digest could not be computed");
  v8::Local<v8::Uint8Array> bytes;
  if (NewBytes(args.GetIsolate(), {reinterpret_cast<const char*>(digest), size}).ToLocal(&bytes)) {
    args.GetReturnValue().Set(bytes);
  }
}

void Digest(const Arguments& args) {
  const EVP_MD* algorithm = DigestNamed(args.GetIsolate(), args[0]);
  if (algorithm == nullptr) return;
  const auto data = BytesOf(args[1]);
  if (!data) return ThrowTypeError(args.GetIsolate(), "digest expects a Uint8Array");
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const bool worked = EVP_Digest(data->data(), data->size(), digest, &size, algorithm, nullptr) == 1;
  ReturnDigest(args, worked, digest, size);
}

void Hmac(const Arguments& args) {
  const EVP_MD* algorithm = DigestNamed(args.GetIsolate(), args[0]);
  if (algorithm == nullptr) return;
  const auto key = BytesOf(args[1]);
  const auto data = BytesOf(args[2]);
  if (!key || !data) return ThrowTypeError(args.GetIsolate(), "hmac expects two Uint8Arrays");
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  // An empty key is a valid one, but OpenSSL takes a null pointer for "no key set".
  const char* key_bytes = key->empty() ? "" : key->data();
  const bool worked =
      HMAC(algorithm, key_bytes, static_cast<int>(key->size()),
           reinterpret_cast<const unsigned char*>(data->data()), data->size(), digest, &size) != nullptr;
  ReturnDigest(args, worked, digest, size);
}

void RandomFill(const Arguments& args) {
  const auto target = BytesOf(args[0]);
  if (!target) return ThrowTypeError(args.GetIsolate(), "randomFill expects a Uint8Array");
  char* data = const_cast<char*>(target->data());
  for (std::size_t done = 0; done < target->size();) {
    const ssize_t n = ::getrandom(data + done, target->size() - done, 0);
    if (n < 0 && errno != EINTR) return ThrowTypeError(args.GetIsolate(), "The system has no random bytes");
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

void MathRandom(const Arguments& args) {
  args.GetReturnValue().Set(Worker::Of(args.GetIsolate()).random.Next());
}

}  // namespace

void InstallCryptoNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  SetFunction(context, native, "digest", Digest);
  SetFunction(context, native, "hmac", Hmac);
  SetFunction(context, native, "randomFill", RandomFill);
  const v8::Local<v8::Value> math = context->Global()->Get(context, Symbol(isolate, "Math")).ToLocalChecked();
  const v8::Local<v8::Function> random =
      v8::Function::New(context, MathRandom, {}, 0, v8::ConstructorBehavior::kThrow).ToLocalChecked();
  random->SetName(Symbol(isolate, "random"));
  math.As<v8::Object>()->DefineOwnProperty(context, Symbol(isolate, "random"), random, v8::DontEnum).Check();
  // OpenSSL finds its algorithms lazily and may look for configuration files then: do it before the sandbox
  // stands.
  unsigned char digest[EVP_MAX_MD_SIZE];
  for (const EVP_MD* algorithm : {EVP_sha1(), EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
    unsigned size = 0;
    EVP_Digest("", 0, digest, &size, algorithm, nullptr);
    HMAC(algorithm, "", 0, reinterpret_cast<const unsigned char*>(""), 0, digest, &size);
  }
}

}  // namespace vigil::worker
