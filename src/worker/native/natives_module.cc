// ECMAScript modules: runModule compiles and links a graph whose parts the bundle fetches (resolve), and V8's
// questions about import() and import.meta are answered from the same map. Modules are known by the URL of
// their response and their type ("json" and "text", as an import attribute says; "": JavaScript), and are
// evaluated once per worker.
#include <v8-context.h>
#include <v8-json.h>
#include <v8-promise.h>
#include <v8-script.h>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "worker/native/natives.h"
#include "worker/native/values.h"
#include "worker/native/worker.h"

namespace vigil::worker {
namespace {

// (URL, type)
using ModuleKey = std::pair<std::string, std::string>;
struct Known {
  v8::Global<v8::Module> module;
  v8::Global<v8::Value> value;  // what a module that is no script exports; else empty
};

struct ModuleMap {
  std::map<ModuleKey, Known> by_key;
  // (URL of the importing module, specifier, type) → the module that was found.
  std::map<std::tuple<std::string, std::string, std::string>, ModuleKey> links;
  // The bundle's (specifier, referrer, type) → URL and source. Empty: there are no modules.
  v8::Global<v8::Function> resolve;
  // The bundle's (specifier, referrer) → URL, for import.meta.resolve(). Set with `resolve`.
  v8::Global<v8::Function> resolve_url;
  // Service Workers: neither top-level await nor import().
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

v8::MaybeLocal<v8::Module> CompileScript(v8::Local<v8::String> name, v8::Local<v8::String> source) {
  v8::ScriptOrigin origin(name, 0, 0, false, -1, {}, false, false, true);
  v8::ScriptCompiler::Source compiled(source, origin);
  return v8::ScriptCompiler::CompileModule(v8::Isolate::GetCurrent(), &compiled);
}

// ECMAScript "CreateDefaultExportSyntheticModule", the evaluation steps.
v8::MaybeLocal<v8::Value> ExportValue(v8::Local<v8::Context> context, v8::Local<v8::Module> module) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  for (const auto& [key, known] : Map().by_key) {
    if (known.module != module) continue;
    if (module->SetSyntheticModuleExport(isolate, Symbol(isolate, "default"), known.value.Get(isolate))
            .IsNothing()) {
      return {};
    }
  }
  v8::Local<v8::Promise::Resolver> done;
  if (!v8::Promise::Resolver::New(context).ToLocal(&done) ||
      done->Resolve(context, v8::Undefined(isolate)).IsNothing()) {
    return {};
  }
  return done->GetPromise();
}

// HTML "create a JSON module script" and "create a text module script".
v8::MaybeLocal<v8::Module> CreateData(const ModuleKey& key, v8::Local<v8::String> name,
                                      v8::Local<v8::String> source) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  v8::Local<v8::Value> value = source;
  if (key.second == "json" && !v8::JSON::Parse(isolate->GetCurrentContext(), source).ToLocal(&value))
    return {};
  Map().by_key[key].value.Reset(isolate, value);
  const auto exports = v8::to_array<const v8::Local<v8::String>>({Symbol(isolate, "default")});
  return v8::Module::CreateSyntheticModule(isolate, name, exports, ExportValue);
}

v8::MaybeLocal<v8::Module> Compile(const ModuleKey& key, v8::Local<v8::Value> source_value) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const auto known = Map().by_key.find(key);
  if (known != Map().by_key.end()) return known->second.module.Get(isolate);
  v8::Local<v8::String> source;
  v8::Local<v8::String> name;
  v8::Local<v8::Module> module;
  if (!SourceText(isolate, source_value).ToLocal(&source) || !FromUtf8(isolate, key.first).ToLocal(&name) ||
      !(key.second.empty() ? CompileScript(name, source) : CreateData(key, name, source)).ToLocal(&module)) {
    return {};
  }
  Map().by_key[key].module.Reset(isolate, module);
  return module;
}

// HTML "module type allowed" and "HostGetSupportedImportAttributes". The type that the attributes name;
// nothing, and an exception, if there are others. stride: how many elements each has in the array.
std::optional<std::string> TypeOf(v8::Local<v8::FixedArray> attributes, int stride) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  std::string type;
  for (int i = 0; i < attributes->Length(); i += stride) {
    const std::string key = ToUtf8(isolate, attributes->Get(i).As<v8::String>());
    if (key != "type") {
      const std::string message = "Invalid attribute key \"" + key + "\".";
      v8::Local<v8::String> text;
      if (FromUtf8(isolate, message).ToLocal(&text))
        isolate->ThrowException(v8::Exception::SyntaxError(text));
      return std::nullopt;
    }
    type = ToUtf8(isolate, attributes->Get(i + 1).As<v8::String>());
    if (type != "json" && type != "text") {
      ThrowTypeError(isolate, "\"" + type + "\" is not a valid module type.");
      return std::nullopt;
    }
  }
  return type;
}
constexpr int kStaticStride = 3;   // key, value, place in the source
constexpr int kDynamicStride = 2;  // key, value

// Asks the bundle for what `specifier` means to `referrer`, and compiles it.
v8::MaybeLocal<v8::Module> Find(v8::Local<v8::Context> context, v8::Local<v8::String> specifier,
                                const std::string& referrer, const std::string& type) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  ModuleMap& map = Map();
  const auto link = std::tuple(referrer, ToUtf8(isolate, specifier), type);
  const auto known = map.links.find(link);
  if (known != map.links.end()) return map.by_key.at(known->second).module.Get(isolate);
  v8::Local<v8::String> from;
  if (!FromUtf8(isolate, referrer).ToLocal(&from)) return {};
  v8::Local<v8::Value> arguments[] = {specifier, from, Symbol(isolate, type)};
  v8::Local<v8::Value> found;
  if (!map.resolve.Get(isolate)->Call(context, v8::Undefined(isolate), 3, arguments).ToLocal(&found))
    return {};
  v8::Local<v8::Value> url;
  v8::Local<v8::Value> source;
  if (!found->IsObject()) {
    ThrowTypeError(isolate, "Failed to resolve module specifier '" + std::get<1>(link) + "'");
    return {};
  }
  if (!found.As<v8::Object>()->Get(context, Symbol(isolate, "url")).ToLocal(&url) ||
      !found.As<v8::Object>()->Get(context, Symbol(isolate, "source")).ToLocal(&source)) {
    return {};
  }
  const ModuleKey key(ToUtf8(isolate, url), type);
  v8::Local<v8::Module> module;
  if (!Compile(key, source).ToLocal(&module)) return {};
  map.links[link] = key;
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
    if (!module->IsSourceTextModule()) continue;
    const std::string url = UrlOf(isolate, module);
    if (!seen.insert(url).second) continue;
    const v8::Local<v8::FixedArray> requests = module->GetModuleRequests();
    for (int i = 0; i < requests->Length(); ++i) {
      const auto request = requests->Get(i).As<v8::ModuleRequest>();
      v8::Local<v8::Module> dependency;
      const auto type = TypeOf(request->GetImportAttributes(), kStaticStride);
      if (!type || !Find(context, request->GetSpecifier(), url, *type).ToLocal(&dependency)) return false;
      open.push_back(dependency);
    }
  }
  return true;
}

v8::MaybeLocal<v8::Module> Link(v8::Local<v8::Context> context, v8::Local<v8::String> specifier,
                                v8::Local<v8::FixedArray> attributes, v8::Local<v8::Module> referrer) {
  const auto type = TypeOf(attributes, kStaticStride);
  if (!type) return {};
  return Find(context, specifier, UrlOf(v8::Isolate::GetCurrent(), referrer), *type);
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

void SetModuleLoader(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  if (!args[0]->IsFunction() || !args[1]->IsFunction())
    return ThrowTypeError(isolate, "setModuleLoader expects two resolve functions");
  Map().resolve.Reset(isolate, args[0].As<v8::Function>());
  Map().resolve_url.Reset(isolate, args[1].As<v8::Function>());
  Map().only_static = args[2]->IsTrue();
}

void RunModule(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  const v8::Local<v8::Context> context = isolate->GetCurrentContext();
  if (!args[0]->IsString() || Map().resolve.IsEmpty()) {
    return ThrowTypeError(isolate, "runModule expects a URL and a source, after setModuleLoader");
  }
  v8::TryCatch caught(isolate);
  v8::Local<v8::Module> module;
  v8::Local<v8::Value> result;
  if (Compile({ToUtf8(isolate, args[0]), ""}, args[1]).ToLocal(&module) &&
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
                                              v8::Local<v8::String> specifier,
                                              v8::Local<v8::FixedArray> attributes) {
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
  const auto type = TypeOf(attributes, kDynamicStride);
  if (type && Find(context, specifier, ToUtf8(isolate, resource_name), *type).ToLocal(&module) &&
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
  SetFunction(context, native, "setModuleLoader", SetModuleLoader);
  SetFunction(context, native, "runModule", RunModule);
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  isolate->SetHostImportModuleDynamicallyCallback(ImportDynamically);
  isolate->SetHostInitializeImportMetaObjectCallback(FillImportMeta);
}

}  // namespace vigil::worker
