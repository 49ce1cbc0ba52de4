// ECMAScript modules: runModule compiles and links a graph whose parts the bundle fetches (resolve), and V8's
// questions about import() and import.meta are answered from the same map. Modules are known by the URL of
// their response; a URL is fetched and evaluated once per worker.
#include <v8-context.h>
#include <v8-promise.h>
#include <v8-script.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "worker/native/natives.h"
#include "worker/native/values.h"
#include "worker/native/worker.h"

namespace vigil::worker {
namespace {

struct ModuleMap {
  std::map<std::string, v8::Global<v8::Module>> by_url;
  // (URL of the importing module, specifier) → URL of the module that was found.
  std::map<std::pair<std::string, std::string>, std::string> links;
  // The bundle's resolve function; set by the first runModule.
  v8::Global<v8::Function> resolve;
  // The bundle's (specifier, referrer) → URL, for import.meta.resolve(). Set with `resolve`.
  v8::Global<v8::Function> resolve_url;
  // Service Workers: neither top-level await nor import(). Set by the first runModule.
  bool only_static = false;
};

// One per process: a worker process has one realm in use and one map. Never destroyed, the process ends by
// _exit.
ModuleMap& Map() {
  static ModuleMap& map = *new ModuleMap;
  return map;
}

std::string UrlOf(v8::Isolate* isolate, v8::Local<v8::Module> module) {
  return ToUtf8(isolate, module->GetResourceName());
}

v8::MaybeLocal<v8::Module> Compile(const std::string& url, v8::Local<v8::Value> source_value) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const auto known = Map().by_url.find(url);
  if (known != Map().by_url.end()) return known->second.Get(isolate);
  v8::Local<v8::String> source;
  v8::Local<v8::String> name;
  if (!SourceText(isolate, source_value).ToLocal(&source) || !FromUtf8(isolate, url).ToLocal(&name))
    return {};
  v8::ScriptOrigin origin(name, 0, 0, false, -1, {}, false, false, true);
  v8::ScriptCompiler::Source compiled(source, origin);
  v8::Local<v8::Module> module;
  if (!v8::ScriptCompiler::CompileModule(isolate, &compiled).ToLocal(&module)) return {};
  Map().by_url[url].Reset(isolate, module);
  return module;
}

// Asks the bundle for what `specifier` means to `referrer`, and compiles it.
v8::MaybeLocal<v8::Module> Find(v8::Local<v8::Context> context, v8::Local<v8::String> specifier,
                                const std::string& referrer) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  ModuleMap& map = Map();
  const auto link = std::pair(referrer, ToUtf8(isolate, specifier));
  const auto known = map.links.find(link);
  if (known != map.links.end()) return map.by_url.at(known->second).Get(isolate);
  v8::Local<v8::String> from;
  if (!FromUtf8(isolate, referrer).ToLocal(&from)) return {};
  v8::Local<v8::Value> arguments[] = {specifier, from};
  v8::Local<v8::Value> found;
  if (!map.resolve.Get(isolate)->Call(context, v8::Undefined(isolate), 2, arguments).ToLocal(&found))
    return {};
  v8::Local<v8::Value> url;
  v8::Local<v8::Value> source;
  if (!found->IsObject()) {
    ThrowTypeError(isolate, "Failed to resolve module specifier '" + link.second + "'");
    return {};
  }
  if (!found.As<v8::Object>()->Get(context, Symbol(isolate, "url")).ToLocal(&url) ||
      !found.As<v8::Object>()->Get(context, Symbol(isolate, "source")).ToLocal(&source)) {
    return {};
  }
  const std::string url_text = ToUtf8(isolate, url);
  v8::Local<v8::Module> module;
  if (!Compile(url_text, source).ToLocal(&module)) return {};
  map.links[link] = url_text;
  return module;
}

// Finds everything that a module needs, transitively, before V8 links the graph.
bool Load(v8::Local<v8::Context> context, v8::Local<v8::Module> root) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::LocalVector<v8::Module> open(isolate);
  std::set<std::string> seen;
  open.push_back(root);
  while (!open.empty()) {
    const v8::Local<v8::Module> module = open.back();
    open.pop_back();
    const std::string url = UrlOf(isolate, module);
    if (!seen.insert(url).second) continue;
    const v8::Local<v8::FixedArray> requests = module->GetModuleRequests();
    for (int i = 0; i < requests->Length(); ++i) {
      const auto request = requests->Get(i).As<v8::ModuleRequest>();
      v8::Local<v8::Module> dependency;
      if (request->GetImportAttributes()->Length() != 0) {
        ThrowTypeError(isolate, "Import attributes are not supported");
        return false;
      }
      if (!Find(context, request->GetSpecifier(), url).ToLocal(&dependency)) return false;
      open.push_back(dependency);
    }
  }
  return true;
}

v8::MaybeLocal<v8::Module> Link(v8::Local<v8::Context> context, v8::Local<v8::String> specifier,
                                v8::Local<v8::FixedArray>, v8::Local<v8::Module> referrer) {
  return Find(context, specifier, UrlOf(v8::Isolate::GetCurrent(), referrer));
}

// Loads, links and evaluates. The result is the promise of the evaluation.
v8::MaybeLocal<v8::Value> Evaluate(v8::Local<v8::Context> context, v8::Local<v8::Module> module) {
  if (module->GetStatus() == v8::Module::kUninstantiated) {
    if (!Load(context, module) || !module->InstantiateModule(context, Link).FromMaybe(false)) return {};
    if (Map().only_static && module->IsGraphAsync()) {
      ThrowTypeError(v8::Isolate::GetCurrent(), "Top-level await is disallowed in service workers.");
      return {};
    }
  }
  return module->Evaluate(context);
}

// A promise that is rejected with what was just thrown.
v8::MaybeLocal<v8::Promise> Rejected(v8::Local<v8::Context> context, const v8::TryCatch& caught) {
  v8::Local<v8::Promise::Resolver> resolver;
  if (caught.HasTerminated() || !v8::Promise::Resolver::New(context).ToLocal(&resolver)) return {};
  if (resolver->Reject(context, caught.Exception()).IsNothing()) return {};
  return resolver->GetPromise();
}

void RunModule(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  const v8::Local<v8::Context> context = isolate->GetCurrentContext();
  if (!args[0]->IsString() || !args[2]->IsFunction() || !args[3]->IsFunction()) {
    return ThrowTypeError(isolate, "runModule expects a URL, a source and two resolve functions");
  }
  Map().resolve.Reset(isolate, args[2].As<v8::Function>());
  Map().resolve_url.Reset(isolate, args[3].As<v8::Function>());
  Map().only_static = args[4]->IsTrue();
  v8::TryCatch caught(isolate);
  v8::Local<v8::Module> module;
  v8::Local<v8::Value> result;
  if (Compile(ToUtf8(isolate, args[0]), args[1]).ToLocal(&module) &&
      Evaluate(context, module).ToLocal(&result)) {
    args.GetReturnValue().Set(result);
    return;
  }
  v8::Local<v8::Promise> rejected;
  if (Rejected(context, caught).ToLocal(&rejected)) {
    args.GetReturnValue().Set(rejected);
  } else {
    caught.ReThrow();
  }
}

// The namespace of an evaluated module, as the continuation of its evaluation.
void GiveNamespace(const Arguments& args) { args.GetReturnValue().Set(args.Data()); }

v8::MaybeLocal<v8::Promise> ImportDynamically(v8::Local<v8::Context> context, v8::Local<v8::Data>,
                                              v8::Local<v8::Value> resource_name,
                                              v8::Local<v8::String> specifier, v8::Local<v8::FixedArray>) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::EscapableHandleScope scope(isolate);
  v8::TryCatch caught(isolate);
  v8::Local<v8::Module> module;
  if (Map().only_static || Map().resolve.IsEmpty()) {
    ThrowTypeError(isolate,
                   "import() is disallowed on ServiceWorkerGlobalScope by the HTML specification. "
                   "See https://github.com/w3c/ServiceWorker/issues/1356.");
    v8::Local<v8::Promise> refused;
    if (Rejected(context, caught).ToLocal(&refused)) return scope.Escape(refused);
    caught.ReThrow();
    return {};
  }
  v8::Local<v8::Value> result;
  v8::Local<v8::Promise> promise;
  v8::Local<v8::Function> give;
  if (Find(context, specifier, ToUtf8(isolate, resource_name)).ToLocal(&module) &&
      Evaluate(context, module).ToLocal(&result) &&
      v8::Function::New(context, GiveNamespace, module->GetModuleNamespace()).ToLocal(&give) &&
      result.As<v8::Promise>()->Then(context, give).ToLocal(&promise)) {
    return scope.Escape(promise);
  }
  if (Rejected(context, caught).ToLocal(&promise)) return scope.Escape(promise);
  caught.ReThrow();
  return {};
}

// HTML section 8.1.6.7, import.meta.resolve(). The function's data is the URL of its module.
void ResolveUrl(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  const v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::String> specifier;
  if (!args[0]->ToString(context).ToLocal(&specifier)) return;
  v8::Local<v8::Value> arguments[] = {specifier, args.Data()};
  v8::Local<v8::Value> url;
  if (!Map().resolve_url.Get(isolate)->Call(context, v8::Undefined(isolate), 2, arguments).ToLocal(&url))
    return;
  args.GetReturnValue().Set(url);
}

void FillImportMeta(v8::Local<v8::Context> context, v8::Local<v8::Module> module,
                    v8::Local<v8::Object> meta) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const v8::Local<v8::Value> url = module->GetResourceName();
  meta->CreateDataProperty(context, Symbol(isolate, "url"), url).Check();
  v8::Local<v8::Function> resolve;
  if (!v8::Function::New(context, ResolveUrl, url, 1, v8::ConstructorBehavior::kThrow).ToLocal(&resolve))
    return;
  resolve->SetName(Symbol(isolate, "resolve"));
  meta->CreateDataProperty(context, Symbol(isolate, "resolve"), resolve).Check();
}

}  // namespace

void InstallModuleNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native) {
  SetFunction(context, native, "runModule", RunModule);
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  isolate->SetHostImportModuleDynamicallyCallback(ImportDynamically);
  isolate->SetHostInitializeImportMetaObjectCallback(FillImportMeta);
}

}  // namespace vigil::worker
