// Structured clone with V8's serializer. Platform objects are plain JavaScript objects of the bundle; it is
// asked about each object that is not obviously an ordinary one, and gives a tag and a value to store
// instead.
#include <v8-container.h>
#include <v8-value-serializer.h>
#include <v8-wasm.h>

#include <cstdlib>
#include <utility>

#include "worker/native/natives.h"
#include "worker/native/values.h"
#include "worker/native/worker.h"

namespace vigil::worker {
namespace {

// object[name] if it is a function.
v8::MaybeLocal<v8::Function> Method(v8::Isolate* isolate, v8::Local<v8::Value> object,
                                    std::string_view name) {
  v8::Local<v8::Value> function;
  if (!object->IsObject()) return {};
  if (!object.As<v8::Object>()->Get(isolate->GetCurrentContext(), Symbol(isolate, name)).ToLocal(&function))
    return {};
  if (!function->IsFunction()) return {};
  return function.As<v8::Function>();
}

// Throws what host.dataCloneError(message) makes: a DataCloneError DOMException.
void ThrowDataClone(v8::Isolate* isolate, v8::Local<v8::Value> message) {
  Worker& worker = Worker::Of(isolate);
  const v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Function> make;
  v8::Local<v8::Value> error;
  if (worker.realm != nullptr) {
    const v8::Local<v8::Object> host = worker.realm->host.Get(isolate);
    if (Method(isolate, host, "dataCloneError").ToLocal(&make)) {
      if (make->Call(context, host, 1, &message).ToLocal(&error)) isolate->ThrowException(error);
      return;
    }
  }
  isolate->ThrowException(v8::Exception::Error(message.As<v8::String>()));
}

class Writer final : public v8::ValueSerializer::Delegate {
 public:
  Writer(v8::Isolate* isolate, v8::Local<v8::Value> host) : isolate_(isolate), host_(host) {
    if (!Method(isolate, host, "write").ToLocal(&write_)) return;
    plain_ = v8::Object::New(isolate)->GetPrototypeV2();
    array_ = v8::Array::New(isolate)->GetPrototypeV2();
  }
  void Use(v8::ValueSerializer& serializer) { serializer_ = &serializer; }

  void ThrowDataCloneError(v8::Local<v8::String> message) override { ThrowDataClone(isolate_, message); }

  // Shared memory is for scopes that are isolated from other origins' data, which these are not.
  v8::Maybe<uint32_t> GetSharedArrayBufferId(v8::Isolate*, v8::Local<v8::SharedArrayBuffer>) override {
    ThrowDataClone(isolate_, Symbol(isolate_, "A SharedArrayBuffer could not be cloned."));
    return v8::Nothing<uint32_t>();
  }

  // Modules travel within an agent cluster only, and none of these messages is sure to stay in one.
  v8::Maybe<uint32_t> GetWasmModuleTransferId(v8::Isolate*, v8::Local<v8::WasmModuleObject>) override {
    ThrowDataClone(isolate_, Symbol(isolate_, "A WebAssembly.Module can not be serialized."));
    return v8::Nothing<uint32_t>();
  }

  bool HasCustomHostObject(v8::Isolate*) override { return !write_.IsEmpty(); }

  v8::Maybe<bool> IsHostObject(v8::Isolate*, v8::Local<v8::Object> object) override {
    const v8::Local<v8::Value> prototype = object->GetPrototypeV2();
    if (prototype == plain_ || prototype == array_ || prototype->IsNull()) return v8::Just(false);
    v8::Local<v8::Value> answer;
    v8::Local<v8::Value> argument = object;
    if (!write_->Call(isolate_->GetCurrentContext(), host_, 1, &argument).ToLocal(&answer)) {
      return v8::Nothing<bool>();
    }
    if (!answer->IsObject()) return v8::Just(false);
    answer_ = answer.As<v8::Object>();
    return v8::Just(true);
  }

  // V8 calls this right after IsHostObject said yes.
  v8::Maybe<bool> WriteHostObject(v8::Isolate*, v8::Local<v8::Object>) override {
    const v8::Local<v8::Context> context = isolate_->GetCurrentContext();
    const v8::Local<v8::Object> answer = std::exchange(answer_, {});
    v8::Local<v8::Value> tag;
    v8::Local<v8::Value> payload;
    if (answer.IsEmpty()) {
      ThrowDataClone(isolate_, Symbol(isolate_, "The object could not be cloned."));
      return v8::Nothing<bool>();
    }
    if (!answer->Get(context, Symbol(isolate_, "tag")).ToLocal(&tag) ||
        !answer->Get(context, Symbol(isolate_, "payload")).ToLocal(&payload)) {
      return v8::Nothing<bool>();
    }
    serializer_->WriteUint32(tag->Uint32Value(context).FromMaybe(0));
    return serializer_->WriteValue(context, payload);
  }

 private:
  v8::Isolate* isolate_;
  v8::Local<v8::Value> host_;
  v8::Local<v8::Function> write_;
  v8::Local<v8::Value> plain_;
  v8::Local<v8::Value> array_;
  v8::Local<v8::Object> answer_;
  v8::ValueSerializer* serializer_ = nullptr;
};

class Reader final : public v8::ValueDeserializer::Delegate {
 public:
  Reader(v8::Isolate* isolate, v8::Local<v8::Value> host) : isolate_(isolate), host_(host) {
    if (!Method(isolate, host, "read").ToLocal(&read_)) read_.Clear();
  }
  void Use(v8::ValueDeserializer& deserializer) { deserializer_ = &deserializer; }

  v8::MaybeLocal<v8::Object> ReadHostObject(v8::Isolate*) override {
    // V8 forbids scripts while it reads, so that nothing changes the bytes under it; they are a copy of ours.
    const v8::Isolate::AllowJavascriptExecutionScope allowed(isolate_);
    const v8::Local<v8::Context> context = isolate_->GetCurrentContext();
    std::uint32_t tag = 0;
    v8::Local<v8::Value> payload;
    v8::Local<v8::Value> object;
    if (read_.IsEmpty() || !deserializer_->ReadUint32(&tag)) {
      ThrowDataClone(isolate_, Symbol(isolate_, "Unable to deserialize cloned data."));
      return {};
    }
    if (!deserializer_->ReadValue(context).ToLocal(&payload)) return {};
    v8::Local<v8::Value> arguments[] = {v8::Integer::NewFromUnsigned(isolate_, tag), payload};
    if (!read_->Call(context, host_, 2, arguments).ToLocal(&object)) return {};
    if (!object->IsObject()) {
      ThrowDataClone(isolate_, Symbol(isolate_, "Unable to deserialize cloned data."));
      return {};
    }
    return object.As<v8::Object>();
  }

 private:
  v8::Isolate* isolate_;
  v8::Local<v8::Value> host_;
  v8::Local<v8::Function> read_;
  v8::ValueDeserializer* deserializer_ = nullptr;
};

// The buffers to transfer. Their contents travel in the message; afterwards the sender's are detached.
bool CollectTransfers(const Arguments& args, v8::LocalVector<v8::ArrayBuffer>& buffers) {
  v8::Isolate* isolate = args.GetIsolate();
  if (args[1]->IsNullOrUndefined()) return true;
  if (!args[1]->IsArray()) {
    ThrowTypeError(isolate, "The transfer list is an array of ArrayBuffers");
    return false;
  }
  const auto list = args[1].As<v8::Array>();
  for (std::uint32_t i = 0; i < list->Length(); ++i) {
    v8::Local<v8::Value> item;
    if (!list->Get(isolate->GetCurrentContext(), i).ToLocal(&item)) return false;
    if (!item->IsArrayBuffer()) {
      ThrowTypeError(isolate, "The transfer list is an array of ArrayBuffers");
      return false;
    }
    if (!item.As<v8::ArrayBuffer>()->IsDetachable() || item.As<v8::ArrayBuffer>()->WasDetached()) {
      ThrowDataClone(isolate, Symbol(isolate, "An ArrayBuffer is detached and could not be cloned."));
      return false;
    }
    buffers.push_back(item.As<v8::ArrayBuffer>());
  }
  return true;
}

void Serialize(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  v8::LocalVector<v8::ArrayBuffer> buffers(isolate);
  if (!CollectTransfers(args, buffers)) return;
  Writer writer(isolate, args[2]);
  v8::ValueSerializer serializer(isolate, &writer);
  writer.Use(serializer);
  serializer.WriteHeader();
  if (!serializer.WriteValue(isolate->GetCurrentContext(), args[0]).FromMaybe(false)) return;
  for (const v8::Local<v8::ArrayBuffer> buffer : buffers) {
    if (buffer->Detach({}).IsNothing()) return;
  }
  const auto [data, size] = serializer.Release();
  v8::Local<v8::Uint8Array> bytes;
  const bool made = NewBytes(isolate, {reinterpret_cast<const char*>(data), size}).ToLocal(&bytes);
  std::free(data);
  if (made) args.GetReturnValue().Set(bytes);
}

void Deserialize(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  const auto bytes = BytesOf(args[0]);
  if (!bytes) return ThrowTypeError(isolate, "deserialize expects a Uint8Array");
  // A copy: what the host's read() does must not change the bytes under the reader.
  const std::string copy(*bytes);
  Reader reader(isolate, args[1]);
  v8::ValueDeserializer deserializer(isolate, reinterpret_cast<const std::uint8_t*>(copy.data()), copy.size(),
                                     &reader);
  reader.Use(deserializer);
  const v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::Value> value;
  if (!deserializer.ReadHeader(context).FromMaybe(false)) return;
  if (deserializer.ReadValue(context).ToLocal(&value)) args.GetReturnValue().Set(value);
}

}  // namespace

void InstallCloneNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native) {
  SetFunction(context, native, "serialize", Serialize);
  SetFunction(context, native, "deserialize", Deserialize);
}

}  // namespace vigil::worker
