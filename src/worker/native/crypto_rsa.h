// The numbers of RSA keys; crypto_keys.h says what they are.
#pragma once

#include "worker/native/crypto_keys.h"

namespace vigil::worker {

std::optional<KeyParts> RsaPartsOf(KeyHalf half, EVP_PKEY* key);
// Null: they do not belong together, or are larger than what browsers take.
PrivateOrPublicKey RsaFromParts(const std::vector<std::string_view>& parts);
PrivateOrPublicKey GenerateRsaKey(std::uint64_t modulus_bits, std::string_view public_exponent);

}  // namespace vigil::worker
