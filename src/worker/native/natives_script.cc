#include <v8-script.h>

#include "worker/native/natives.h"
#include "worker/native/values.h"

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

}  // namespace

void InstallScriptNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native) {
  SetFunction(context, native, "runScript", RunScript);
  SetFunction(context, native, "compileCheck", CompileCheck);
}

}  // namespace vigil::worker
