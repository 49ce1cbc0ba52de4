// Short helpers between C++ and V8 values, for the native functions.
#pragma once

#include <v8-exception.h>
#include <v8-function-callback.h>
#include <v8-isolate.h>
#include <v8-local-handle.h>
#include <v8-object.h>
#include <v8-primitive.h>
#include <v8-typed-array.h>

#include <optional>
#include <string>
#include <string_view>

namespace vigil::worker {

using Arguments = v8::FunctionCallbackInfo<v8::Value>;

// An internalized string of ours (ASCII).
v8::Local<v8::String> Symbol(v8::Isolate* isolate, std::string_view text);
// Empty, with a RangeError thrown: too long for a string.
v8::MaybeLocal<v8::String> FromUtf8(v8::Isolate* isolate, std::string_view text);
std::string ToUtf8(v8::Isolate* isolate, v8::Local<v8::Value> value);

// The bytes of an ArrayBuffer or a view; empty: it is neither. They live until a script runs.
std::optional<std::string_view> BytesOf(v8::Local<v8::Value> value);
// A new Uint8Array with uninitialized contents, at `data`. Empty, with a RangeError thrown: over the cap.
v8::MaybeLocal<v8::Uint8Array> NewBytes(v8::Isolate* isolate, std::size_t size, char** data);
v8::MaybeLocal<v8::Uint8Array> NewBytes(v8::Isolate* isolate, std::string_view bytes);

void ThrowTypeError(v8::Isolate* isolate, std::string_view message);
void ThrowRangeError(v8::Isolate* isolate, std::string_view message);

// A source text argument: a string, or a Uint8Array of UTF-8. Empty, with an exception thrown: neither.
v8::MaybeLocal<v8::String> SourceText(v8::Isolate* isolate, v8::Local<v8::Value> value);
// The same of UTF-8: without a byte order mark.
v8::MaybeLocal<v8::String> SourceText(v8::Isolate* isolate, std::string_view bytes);

// Sets object[name] to a function.
void SetFunction(v8::Local<v8::Context> context, v8::Local<v8::Object> object, std::string_view name,
                 v8::FunctionCallback callback);

}  // namespace vigil::worker
