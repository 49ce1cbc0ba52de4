#include <v8-container.h>
#include <v8-exception.h>
#include <v8-function.h>
#include <v8-script.h>

#include "worker/native/natives.h"
#include "worker/native/values.h"
#include "worker/native/worker.h"

namespace vigil::worker {
namespace {

v8::MaybeLocal<v8::Script> Compile(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  v8::Local<v8::String> source;
  if (!SourceText(isolate, args[0]).ToLocal(&source)) return {};
  if (!args[1]->IsString()) {
    ThrowTypeError(isolate, "A script has a URL");
    return {};
  }
  v8::ScriptOrigin origin(args[1]);
  return v8::Script::Compile(isolate->GetCurrentContext(), source, &origin);
}

void RunScript(const Arguments& args) {
  v8::Local<v8::Script> script;
  v8::Local<v8::Value> value;
  if (!Compile(args).ToLocal(&script)) return;
  if (script->Run(args.GetIsolate()->GetCurrentContext()).ToLocal(&value)) args.GetReturnValue().Set(value);
}

void CompileCheck(const Arguments& args) { [[maybe_unused]] const auto script = Compile(args); }

// The bundle knows the policy, and tells of violations.
bool MayGenerate(v8::Local<v8::Context> context, const char* kind) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const v8::TryCatch caught(isolate);
  const v8::Local<v8::Object> host = Worker::Of(isolate).realm->host.Get(isolate);
  v8::Local<v8::Value> method;
  v8::Local<v8::Value> allowed;
  v8::Local<v8::Value> arguments[] = {Symbol(isolate, kind)};
  return host->Get(context, Symbol(isolate, "mayGenerateCode")).ToLocal(&method) && method->IsFunction() &&
         method.As<v8::Function>()->Call(context, host, 1, arguments).ToLocal(&allowed) && allowed->IsTrue();
}
v8::ModifyCodeGenerationFromStringsResult OnStringCode(v8::Local<v8::Context> context,
                                                       v8::Local<v8::Value> source, bool) {
  // What is no string is no code: eval() gives it back.
  return {!source->IsString() || MayGenerate(context, "eval"), {}};
}
bool OnWasmCode(v8::Local<v8::Context> context, v8::Local<v8::String>) {
  return MayGenerate(context, "wasm");
}

// guardCode(evalRefusal, wasmRefusal): from here on host.mayGenerateCode is asked; the texts are the
// exceptions'.
void GuardCode(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  if (!args[0]->IsString() || !args[1]->IsString()) return ThrowTypeError(isolate, "A refusal is a text");
  const v8::Local<v8::Context> context = isolate->GetCurrentContext();
  context->AllowCodeGenerationFromStrings(false);
  context->SetErrorMessageForCodeGenerationFromStrings(args[0].As<v8::String>());
  context->SetErrorMessageForWasmCodeGeneration(args[1].As<v8::String>());
  isolate->SetModifyCodeGenerationFromStringsCallback(OnStringCode);
  isolate->SetAllowWasmCodeGenerationCallback(OnWasmCode);
}

v8::MaybeLocal<v8::Value> OnStack(v8::Local<v8::Context> context, v8::Local<v8::Value> error,
                                  v8::Local<v8::Array> sites) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::EscapableHandleScope scope(isolate);
  const v8::Local<v8::Object> host = Worker::Of(isolate).realm->host.Get(isolate);
  v8::Local<v8::Value> method;
  v8::Local<v8::Value> stack;
  v8::Local<v8::Value> arguments[] = {error, sites};
  if (!host->Get(context, Symbol(isolate, "shapeStack")).ToLocal(&method) || !method->IsFunction() ||
      !method.As<v8::Function>()->Call(context, host, 2, arguments).ToLocal(&stack)) {
    return {};
  }
  return scope.Escape(stack);
}

}  // namespace

void ShapeStacks(v8::Isolate* isolate) { isolate->SetPrepareStackTraceCallback(OnStack); }

void InstallScriptNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native) {
  SetFunction(context, native, "runScript", RunScript);
  SetFunction(context, native, "compileCheck", CompileCheck);
  SetFunction(context, native, "guardCode", GuardCode);
}

}  // namespace vigil::worker
