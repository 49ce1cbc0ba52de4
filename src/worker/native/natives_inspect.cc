#include <v8-promise.h>
#include <v8-proxy.h>

#include "worker/native/inspector.h"
#include "worker/native/natives.h"
#include "worker/native/values.h"

namespace vigil::worker {
namespace {

void PreviewPromise(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  if (!args[0]->IsPromise()) return ThrowTypeError(isolate, "previewPromise expects a promise");
  const auto promise = args[0].As<v8::Promise>();
  const v8::Local<v8::Context> context = isolate->GetCurrentContext();
  const v8::Local<v8::Object> preview = v8::Object::New(isolate);
  const v8::Promise::PromiseState state = promise->State();
  const char* name = state == v8::Promise::kPending     ? "pending"
                     : state == v8::Promise::kFulfilled ? "fulfilled"
                                                        : "rejected";
  preview->CreateDataProperty(context, Symbol(isolate, "state"), Symbol(isolate, name)).Check();
  if (state != v8::Promise::kPending) {
    preview->CreateDataProperty(context, Symbol(isolate, "value"), promise->Result()).Check();
  }
  args.GetReturnValue().Set(preview);
}

void IsProxy(const Arguments& args) { args.GetReturnValue().Set(args[0]->IsProxy()); }

void ExceptionThrown(const Arguments& args) {
  Inspector* inspector = Worker::Of(args.GetIsolate()).inspector;
  args.GetReturnValue().Set(inspector == nullptr ? 0U
                                                 : inspector->ExceptionThrown(args[0], args[1]->IsTrue()));
}

void ExceptionRevoked(const Arguments& args) {
  Inspector* inspector = Worker::Of(args.GetIsolate()).inspector;
  const std::uint32_t number = args[0]->IsUint32() ? args[0].As<v8::Uint32>()->Value() : 0;
  if (inspector != nullptr && number != 0) inspector->ExceptionRevoked(number);
}

}  // namespace

void InstallInspectNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native) {
  SetFunction(context, native, "previewPromise", PreviewPromise);
  SetFunction(context, native, "isProxy", IsProxy);
  SetFunction(context, native, "exceptionThrown", ExceptionThrown);
  SetFunction(context, native, "exceptionRevoked", ExceptionRevoked);
}

}  // namespace vigil::worker
