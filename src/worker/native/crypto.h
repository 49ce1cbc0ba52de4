// What the natives_crypto files share: owners of OpenSSL's objects, bytes in and out.
#pragma once

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <climits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "worker/native/values.h"

namespace vigil::worker {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using PrivateOrPublicKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Freed<BN_clear_free>>;
using BigNumberContext = std::unique_ptr<BN_CTX, Freed<BN_CTX_free>>;

// OpenSSL takes most lengths as int; blocks and tags come on top.
constexpr std::size_t kMaxOctets = INT_MAX - 1024;

// Never null: OpenSSL takes a null pointer for "not given", also where an empty value is a valid one.
inline const unsigned char* Octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data() == nullptr ? "" : bytes.data());
}
inline unsigned char* Octets(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// The bytes of an argument; nothing for what is not a buffer.
inline std::string_view BytesAt(const Arguments& args, int index) {
  return BytesOf(args[index]).value_or(std::string_view());
}
inline std::string TextAt(const Arguments& args, int index) { return ToUtf8(args.GetIsolate(), args[index]); }
// A number that the bundle has checked: what does not fit is 0.
std::uint64_t NumberAt(const Arguments& args, int index);

// A Uint8Array for the bundle. The bundle takes undefined, which a function returns by doing nothing, for a
// failure.
void ReturnBytes(const Arguments& args, std::string_view bytes);
// An array of them.
void ReturnList(const Arguments& args, const std::vector<std::string>& list);

// In the zygote, before anything else asks OpenSSL for something: finds what children will use.
void WarmCrypto();

// By the names of the Web Cryptography API; null: another one.
const EVP_MD* DigestNamed(std::string_view name);

}  // namespace vigil::worker
