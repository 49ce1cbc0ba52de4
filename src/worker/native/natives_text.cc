#include <v8-container.h>

#include <algorithm>
#include <string_view>

#include "worker/native/natives.h"
#include "worker/native/values.h"
#include "worker/utf8.h"

namespace vigil::worker {
namespace {

void Utf8Encode(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  if (!args[0]->IsString()) return ThrowTypeError(isolate, "utf8Encode expects a string");
  const auto text = args[0].As<v8::String>();
  char* data = nullptr;
  const std::size_t size = text->Utf8LengthV2(isolate);
  v8::Local<v8::Uint8Array> bytes;
  if (!NewBytes(isolate, size, &data).ToLocal(&bytes)) return;
  text->WriteUtf8V2(isolate, data, size, v8::String::WriteFlags::kReplaceInvalidUtf8);
  args.GetReturnValue().Set(bytes);
}

// utf8EncodeInto(text, target): [code units read, bytes written], whole characters only.
void Utf8EncodeInto(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  const auto target = BytesOf(args[1]);
  if (!args[0]->IsString() || !target) {
    return ThrowTypeError(isolate, "utf8EncodeInto expects a string and a Uint8Array");
  }
  std::size_t read = 0;
  const std::size_t written =
      args[0].As<v8::String>()->WriteUtf8V2(isolate, const_cast<char*>(target->data()), target->size(),
                                            v8::String::WriteFlags::kReplaceInvalidUtf8, &read);
  v8::Local<v8::Value> counts[] = {v8::Number::New(isolate, static_cast<double>(read)),
                                   v8::Number::New(isolate, static_cast<double>(written))};
  args.GetReturnValue().Set(v8::Array::New(isolate, counts, 2));
}

void Utf8Decode(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  auto bytes = BytesOf(args[0]);
  if (!bytes) return ThrowTypeError(isolate, "utf8Decode expects a Uint8Array");
  if (args[1]->IsTrue() && !IsValidUtf8(*bytes)) {
    return ThrowTypeError(isolate, "The encoded data was not valid utf-8");
  }
  if (!args[2]->IsTrue() && bytes->substr(0, 3) == "\xEF\xBB\xBF") bytes->remove_prefix(3);
  v8::Local<v8::String> text;
  if (FromUtf8(isolate, *bytes).ToLocal(&text)) args.GetReturnValue().Set(text);
}

void Latin1Decode(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  const auto bytes = BytesOf(args[0]);
  if (!bytes) return ThrowTypeError(isolate, "latin1Decode expects a Uint8Array");
  v8::Local<v8::String> text;
  if (bytes->size() > static_cast<std::size_t>(v8::String::kMaxLength) ||
      !v8::String::NewFromOneByte(isolate, reinterpret_cast<const std::uint8_t*>(bytes->data()),
                                  v8::NewStringType::kNormal, static_cast<int>(bytes->size()))
           .ToLocal(&text)) {
    return ThrowRangeError(isolate, "The text is too long for a string");
  }
  args.GetReturnValue().Set(text);
}

}  // namespace

void InstallTextNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native) {
  SetFunction(context, native, "utf8Encode", Utf8Encode);
  SetFunction(context, native, "utf8EncodeInto", Utf8EncodeInto);
  SetFunction(context, native, "utf8Decode", Utf8Decode);
  SetFunction(context, native, "latin1Decode", Latin1Decode);
}

}  // namespace vigil::worker
