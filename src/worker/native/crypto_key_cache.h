// The keys that were used last, decoded: decoding one and, for RSA, preparing its blinding takes as long as
// using it.
#pragma once

#include "worker/native/crypto_keys.h"

namespace vigil::worker {

// LoadKey(), from what is kept if the same bytes were loaded not long ago.
PrivateOrPublicKey LoadRecentKey(const KeyKind& kind, KeyHalf half, std::string_view der);

}  // namespace vigil::worker
