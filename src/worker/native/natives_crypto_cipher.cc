// AES in the modes of the Web Cryptography API.
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "worker/native/crypto.h"
#include "worker/native/natives.h"

namespace vigil::worker {
namespace {

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Freed<EVP_CIPHER_CTX_free>>;
constexpr std::size_t kBlockBytes = 16;

enum class Direction { kDecrypt = 0, kEncrypt = 1 };
using Cipher = const EVP_CIPHER* (*)();

// By the length of the key; null: no key of AES is as long.
const EVP_CIPHER* Sized(std::size_t key_bytes, Cipher with128, Cipher with192, Cipher with256) {
  if (key_bytes == 16) return with128();
  if (key_bytes == 24) return with192();
  return key_bytes == 32 ? with256() : nullptr;
}

CipherContext Begin(const EVP_CIPHER* cipher, Direction direction, std::string_view key,
                    std::string_view iv) {
  CipherContext context(EVP_CIPHER_CTX_new());
  if (cipher == nullptr || context == nullptr) return nullptr;
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  const int encrypts = static_cast<int>(direction);
  if (EVP_CipherInit_ex2(context.get(), cipher, nullptr, nullptr, encrypts, nullptr) != 1) return nullptr;
  if (EVP_CIPHER_get_mode(cipher) == EVP_CIPH_GCM_MODE &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(iv.size()), nullptr) !=
          1) {
    return nullptr;
  }
  const unsigned char* iv_octets = iv.empty() ? nullptr : Octets(iv);
  if (EVP_CipherInit_ex2(context.get(), nullptr, Octets(key), iv_octets, encrypts, nullptr) != 1)
    return nullptr;
  return context;
}

// Appends to the result; false: the data is not what the cipher takes.
bool Run(EVP_CIPHER_CTX* context, std::string_view data, std::string& result) {
  const std::size_t before = result.size();
  result.resize(before + data.size() + kBlockBytes);
  int size = 0;
  if (EVP_CipherUpdate(context, Octets(result) + before, &size, Octets(data),
                       static_cast<int>(data.size())) != 1)
    return false;
  int rest = 0;
  if (EVP_CipherFinal_ex(context, Octets(result) + before + size, &rest) != 1) return false;
  result.resize(before + static_cast<std::size_t>(size + rest));
  return true;
}

std::optional<std::string> Whole(const CipherContext& context, std::string_view data) {
  std::string result;
  if (context == nullptr || !Run(context.get(), data, result)) return std::nullopt;
  return result;
}

// In how many blocks the counter, the last `bits` bits of the block, is zero again; 0: not within 2^64
// blocks.
std::uint64_t BlocksBeforeWrap(std::string_view block, std::uint64_t bits) {
  std::uint64_t low = 0;
  for (std::size_t i = 0; i < 8; ++i) low = low << 8 | static_cast<unsigned char>(block[8 + i]);
  if (bits < 64) return (std::uint64_t{1} << bits) - (low & ((std::uint64_t{1} << bits) - 1));
  for (std::uint64_t bit = 64; bit < bits; ++bit) {
    const auto octet = static_cast<unsigned char>(block[15 - bit / 8]);
    if ((octet >> (bit % 8) & 1) == 0) return 0;
  }
  return 0 - low;
}

std::string WithCounterZero(std::string_view block, std::uint64_t bits) {
  std::string zeroed(block);
  for (std::uint64_t bit = 0; bit < bits; ++bit) {
    char& octet = zeroed[15 - bit / 8];
    octet = static_cast<char>(static_cast<unsigned char>(octet) & ~(1U << (bit % 8)));
  }
  return zeroed;
}

// The counter is a part of the block (NIST SP 800-38A, appendix B.1): it wraps without a carry into the rest,
// where OpenSSL counts with the whole block.
std::optional<std::string> Ctr(std::string_view key, std::string_view block, std::uint64_t bits,
                               std::string_view data) {
  if (block.size() != kBlockBytes || bits == 0 || bits > 8 * kBlockBytes) return std::nullopt;
  const EVP_CIPHER* cipher = Sized(key.size(), EVP_aes_128_ctr, EVP_aes_192_ctr, EVP_aes_256_ctr);
  const std::uint64_t blocks = (data.size() + kBlockBytes - 1) / kBlockBytes;
  if (bits < 64 && blocks > std::uint64_t{1} << bits) return std::nullopt;
  const std::uint64_t first = BlocksBeforeWrap(block, bits);
  const std::size_t split = first == 0 || first >= blocks ? data.size() : first * kBlockBytes;
  auto result = Whole(Begin(cipher, Direction::kEncrypt, key, block), data.substr(0, split));
  if (!result || split == data.size()) return result;
  const CipherContext again = Begin(cipher, Direction::kEncrypt, key, WithCounterZero(block, bits));
  if (again == nullptr || !Run(again.get(), data.substr(split), *result)) return std::nullopt;
  return result;
}

std::optional<std::string> Gcm(Direction direction, std::string_view key, std::string_view iv,
                               std::string_view additional, std::uint64_t tag_bytes, std::string_view data) {
  std::array<char, kBlockBytes> tag{};
  const auto tag_size = static_cast<int>(std::min<std::uint64_t>(tag_bytes, tag.size()));
  const bool decrypts = direction == Direction::kDecrypt;
  if (iv.empty() || iv.size() > kMaxOctets || additional.size() > kMaxOctets) return std::nullopt;
  if (decrypts && data.size() < static_cast<std::size_t>(tag_size)) return std::nullopt;
  const EVP_CIPHER* cipher = Sized(key.size(), EVP_aes_128_gcm, EVP_aes_192_gcm, EVP_aes_256_gcm);
  const CipherContext context = Begin(cipher, direction, key, iv);
  int size = 0;
  if (context == nullptr ||
      (!additional.empty() && EVP_CipherUpdate(context.get(), nullptr, &size, Octets(additional),
                                               static_cast<int>(additional.size())) != 1)) {
    return std::nullopt;
  }
  std::string result;
  if (decrypts) {
    const std::string_view given = data.substr(data.size() - static_cast<std::size_t>(tag_size));
    std::copy(given.begin(), given.end(), tag.begin());
    if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) != 1 ||
        !Run(context.get(), data.substr(0, data.size() - given.size()), result)) {
      return std::nullopt;
    }
    return result;
  }
  if (!Run(context.get(), data, result) ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_size, tag.data()) != 1) {
    return std::nullopt;
  }
  return result.append(tag.data(), static_cast<std::size_t>(tag_size));
}

std::optional<std::string> Cbc(Direction direction, std::string_view key, std::string_view iv,
                               std::string_view data) {
  if (iv.size() != kBlockBytes) return std::nullopt;
  const EVP_CIPHER* cipher = Sized(key.size(), EVP_aes_128_cbc, EVP_aes_192_cbc, EVP_aes_256_cbc);
  return Whole(Begin(cipher, direction, key, iv), data);
}

// RFC 3394: at least two blocks of eight bytes are wrapped.
std::optional<std::string> Kw(Direction direction, std::string_view key, std::string_view data) {
  const std::size_t least = direction == Direction::kEncrypt ? 16 : 24;
  if (data.size() < least || data.size() % 8 != 0) return std::nullopt;
  const EVP_CIPHER* cipher = Sized(key.size(), EVP_aes_128_wrap, EVP_aes_192_wrap, EVP_aes_256_wrap);
  return Whole(Begin(cipher, direction, key, {}), data);
}

// aes(mode, isDecryption, key, iv, parameter, additionalData, data); the parameter: bits of the counter, or
// bytes of the tag
void Aes(const Arguments& args) {
  const std::string mode = TextAt(args, 0);
  const Direction direction =
      args[1]->BooleanValue(args.GetIsolate()) ? Direction::kDecrypt : Direction::kEncrypt;
  const std::string_view key = BytesAt(args, 2);
  const std::string_view iv = BytesAt(args, 3);
  const std::uint64_t parameter = NumberAt(args, 4);
  const std::string_view data = BytesAt(args, 6);
  if (data.size() > kMaxOctets) return;
  std::optional<std::string> result;
  if (mode == "AES-CBC") result = Cbc(direction, key, iv, data);
  if (mode == "AES-CTR") result = Ctr(key, iv, parameter, data);
  if (mode == "AES-GCM") result = Gcm(direction, key, iv, BytesAt(args, 5), parameter, data);
  if (mode == "AES-KW") result = Kw(direction, key, data);
  if (result) ReturnBytes(args, *result);
  ERR_clear_error();
}

}  // namespace

void InstallCryptoCipherNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> crypto) {
  SetFunction(context, crypto, "aes", Aes);
}

}  // namespace vigil::worker
