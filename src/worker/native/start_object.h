// Start as the bundle gets it: an object as its own coder would make it, with the text of scripts as strings.
// Made here because it is the first thing that a worker's JavaScript sees: reading the message there would
// take most of the time of a start, and keep a second copy of every script.
#pragma once

#include <v8-context.h>
#include <v8-local-handle.h>
#include <v8-object.h>

#include <string_view>

namespace vigil::worker {

// Empty: malformed, or an exception is pending (no memory).
v8::MaybeLocal<v8::Object> StartObject(v8::Local<v8::Context> context, std::string_view start);

}  // namespace vigil::worker
