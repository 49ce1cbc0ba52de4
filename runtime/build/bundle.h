// The JavaScript half of the Web APIs as one classic script, embedded at build time.
//
// Its completion value is the function install(native, scope); see runtime/native.ts for what it expects and
// runtime/main.ts for what it returns. The text is ASCII, so that V8 can use it as an external one-byte
// string without a copy. Immutable, valid for the whole life of the process, usable from any thread.
#pragma once

#include <cstddef>

extern "C" {
extern const char vigil_runtime_bundle[];
extern const std::size_t vigil_runtime_bundle_size;  // bytes; a NUL that is not counted follows
}
