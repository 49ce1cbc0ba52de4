#include "worker/native/values.h"

#include <v8-array-buffer.h>
#include <v8-context.h>
#include <v8-function.h>

#include <cstring>
#include <utility>

namespace vigil::worker {

v8::Local<v8::String> Symbol(v8::Isolate* isolate, std::string_view text) {
  return v8::String::NewFromUtf8(isolate, text.data(), v8::NewStringType::kInternalized,
                                 static_cast<int>(text.size()))
      .ToLocalChecked();
}

v8::MaybeLocal<v8::String> FromUtf8(v8::Isolate* isolate, std::string_view text) {
  v8::Local<v8::String> string;
  if (text.size() > static_cast<std::size_t>(v8::String::kMaxLength) ||
      !v8::String::NewFromUtf8(isolate, text.data(), v8::NewStringType::kNormal,
                               static_cast<int>(text.size()))
           .ToLocal(&string)) {
    ThrowRangeError(isolate, "The text is too long for a string");
    return {};
  }
  return string;
}

std::string ToUtf8(v8::Isolate* isolate, v8::Local<v8::Value> value) {
  const v8::String::Utf8Value text(isolate, value);
  return *text == nullptr ? std::string() : std::string(*text, static_cast<std::size_t>(text.length()));
}

std::optional<std::string_view> BytesOf(v8::Local<v8::Value> value) {
  if (value->IsArrayBufferView()) {
    const auto view = value.As<v8::ArrayBufferView>();
    // Buffer() makes a small typed array leave V8's heap, so that its address does not change.
    const auto* data = static_cast<const char*>(view->Buffer()->Data());
    return std::string_view(data + view->ByteOffset(), view->ByteLength());
  }
  if (value->IsArrayBuffer()) {
    const auto buffer = value.As<v8::ArrayBuffer>();
    return std::string_view(static_cast<const char*>(buffer->Data()), buffer->ByteLength());
  }
  return std::nullopt;
}

v8::MaybeLocal<v8::Uint8Array> NewBytes(v8::Isolate* isolate, std::size_t size, char** data) {
  std::unique_ptr<v8::BackingStore> store =
      v8::ArrayBuffer::NewBackingStore(isolate, size, v8::BackingStoreInitializationMode::kUninitialized,
                                       v8::BackingStoreOnFailureMode::kReturnNull);
  if (store == nullptr) {
    ThrowRangeError(isolate, "Array buffer allocation failed");
    return {};
  }
  *data = static_cast<char*>(store->Data());
  return v8::Uint8Array::New(v8::ArrayBuffer::New(isolate, std::move(store)), 0, size);
}

v8::MaybeLocal<v8::Uint8Array> NewBytes(v8::Isolate* isolate, std::string_view bytes) {
  char* data = nullptr;
  const v8::MaybeLocal<v8::Uint8Array> array = NewBytes(isolate, bytes.size(), &data);
  if (!array.IsEmpty() && !bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  return array;
}

void ThrowTypeError(v8::Isolate* isolate, std::string_view message) {
  v8::Local<v8::String> text;
  if (FromUtf8(isolate, message).ToLocal(&text)) isolate->ThrowException(v8::Exception::TypeError(text));
}

void ThrowRangeError(v8::Isolate* isolate, std::string_view message) {
  v8::Local<v8::String> text;
  if (FromUtf8(isolate, message).ToLocal(&text)) isolate->ThrowException(v8::Exception::RangeError(text));
}

v8::MaybeLocal<v8::String> SourceText(v8::Isolate* isolate, v8::Local<v8::Value> value) {
  if (value->IsString()) return value.As<v8::String>();
  if (const auto bytes = BytesOf(value)) return SourceText(isolate, *bytes);
  ThrowTypeError(isolate, "A script is a string or a Uint8Array");
  return {};
}

v8::MaybeLocal<v8::String> SourceText(v8::Isolate* isolate, std::string_view bytes) {
  if (bytes.substr(0, 3) == "\xEF\xBB\xBF") bytes.remove_prefix(3);
  return FromUtf8(isolate, bytes);
}

void SetFunction(v8::Local<v8::Context> context, v8::Local<v8::Object> object, std::string_view name,
                 v8::FunctionCallback callback) {
  const v8::Local<v8::String> key = Symbol(v8::Isolate::GetCurrent(), name);
  const v8::Local<v8::Function> function =
      v8::Function::New(context, callback, {}, 0, v8::ConstructorBehavior::kThrow).ToLocalChecked();
  function->SetName(key);
  object->Set(context, key, function).Check();
}

}  // namespace vigil::worker
