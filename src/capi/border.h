// What crosses the border of the C API: strings, messages, structs that grow. Any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <string>
#include <string_view>

#include "vigil/vigil.h"

namespace vigil::capi {

inline bool IsValid(vigil_bytes bytes, std::size_t most = VIGIL_MAX_BYTES) {
  return bytes.size <= most && (bytes.data != nullptr || bytes.size == 0);
}
// Only of valid ones.
inline std::string_view View(vigil_bytes bytes) {
  return bytes.size == 0 ? std::string_view() : std::string_view(bytes.data, bytes.size);
}
inline std::string Text(vigil_bytes bytes) { return std::string(View(bytes)); }
inline vigil_bytes Bytes(std::string_view text) { return {text.data(), text.size()}; }

// Cut to capacity at the end of a character, ended by NUL.
void WriteMessage(char* message, std::size_t capacity, std::string_view text) noexcept;

// Reads as much of the caller's struct as both sides know; the rest is zero. false: NULL, or smaller than the
// struct was in its first version.
template <class Struct>
bool ReadStruct(const Struct* from, std::size_t first_size, Struct& to) {
  if (from == nullptr || from->struct_size < first_size) return false;
  std::memcpy(&to, from, std::min(from->struct_size, sizeof(Struct)));
  to.struct_size = sizeof(Struct);
  return true;
}

// For calls that change nothing of the engine: no exception leaves.
template <class Fn>
vigil_status Guarded(Fn fn) noexcept {
  try {
    return fn();
  } catch (...) {
    return VIGIL_ERROR_OUT_OF_MEMORY;  // nothing else is thrown in here
  }
}

}  // namespace vigil::capi
