#include "worker/native/engine.h"

#include <v8-array-buffer.h>
#include <v8-exception.h>
#include <v8-extension.h>
#include <v8-initialization.h>
#include <v8-message.h>
#include <v8-script.h>
#include <v8-statistics.h>

#include <algorithm>
#include <string>

#include "worker/native/crypto.h"
#include "worker/native/natives.h"
#include "worker/native/values.h"

// V8's failed checks go through this hook. Not in V8's public headers, but exported by the Node executable.
namespace v8::base {
void SetFatalFunction(void (*function)(const char* file, int line, const char* message));
}

namespace vigil::worker {
namespace {

constexpr std::size_t kMiB = 1U << 20;
// V8's own limit; a child's cap is watched by WatchHeap and is usually lower.
constexpr std::size_t kEngineHeapBytes = 512 * kMiB;
constexpr std::size_t kEngineHeapStep = 64 * kMiB;
// Scripts get this much of the main thread's stack (8 MiB by default).
constexpr std::size_t kStackBytes = 960U << 10;

// single-threaded: nothing may run beside the one thread that is forked. no-flush-bytecode: what the zygote
// compiled stays. no-memory-reducer: an idle child keeps its pages shared instead of compacting them.
// wasm-max-mem-pages: 256 MiB per WebAssembly memory. no-lazy: the bundle's functions are compiled at once;
// WarmContexts() takes it back, which needs no-freeze-flags-after-init. initial-old-space-size (MiB): no full
// collection before the heap has grown so far, for one touches, and so copies, every page that a child shares
// with the zygote; the flag holds through the zygote's own collections, the isolate's parameter does not.
// max-semi-space-size (MiB): young objects stay in pages that are there already; a fault in a child is dear.
// invocation-count-for-turbofan: without threads a function stands still while it is optimised, which pays
// only for one that is called very often.
constexpr char kFlags[] =
    "--no-freeze-flags-after-init --no-lazy --single-threaded --no-flush-bytecode --no-memory-reducer "
    "--no-minor-gc-task --stack-size=960 --wasm-max-mem-pages=4096 --no-memory-protection-keys "
    "--initial-old-space-size=32 --max-semi-space-size=2 --invocation-count-for-turbofan=20000";

void OnFatalError(const char* location, const char* message) {
  Worker::instance->Die(
      kExitFatal, std::string("fatal: ") + (location ? location : "") + ": " + (message ? message : ""));
}

void OnFailedCheck(const char* file, int line, const char* message) {
  OnFatalError(file, (std::to_string(line) + ": " + message).c_str());
}

void OnOutOfMemory(const char* location, const v8::OOMDetails&) {
  Worker::instance->Die(kExitHeapLimit, std::string("heap limit (") + (location ? location : "") + ")");
}

std::size_t UsedHeap(v8::Isolate* isolate) {
  v8::HeapStatistics statistics;
  isolate->GetHeapStatistics(&statistics);
  return statistics.used_heap_size() + statistics.malloced_memory();
}

// V8 is at its own limit. While the cap is not reached it gets more room; what is garbage then shows.
std::size_t OnNearHeapLimit(void* data, std::size_t current, std::size_t) {
  Worker& worker = *static_cast<Worker*>(data);
  if (UsedHeap(worker.isolate) > worker.heap_cap) worker.Die(kExitHeapLimit, "heap limit");
  return current + kEngineHeapStep;
}

// Over the cap, with garbage counted: see what is live. Runs between two steps of a script.
void CollectOverCap(v8::Isolate* isolate, void* data) {
  Worker& worker = *static_cast<Worker*>(data);
  isolate->LowMemoryNotification();
  const std::size_t live = UsedHeap(isolate);
  if (live > worker.heap_cap) worker.Die(kExitHeapLimit, "heap limit");
  worker.next_heap_check = std::max<std::uint64_t>(worker.heap_cap, live + worker.heap_cap / 8);
}

// After every collection. What a full one leaves is live; what a young one leaves may be garbage.
void WatchHeap(v8::Isolate* isolate, v8::GCType type, v8::GCCallbackFlags, void* data) {
  Worker& worker = *static_cast<Worker*>(data);
  if (worker.heap_cap == 0) return;
  const std::size_t used = UsedHeap(isolate);
  if (type == v8::kGCTypeMarkSweepCompact && used > worker.heap_cap) worker.Die(kExitHeapLimit, "heap limit");
  // Far over: do not wait for the script to come to a safe point.
  if (used > worker.heap_cap && used - worker.heap_cap > worker.heap_cap)
    worker.Die(kExitHeapLimit, "heap limit");
  if (used > worker.next_heap_check) {
    worker.next_heap_check = used + worker.heap_cap;
    isolate->RequestInterrupt(CollectOverCap, data);
  }
}

void OnPromiseReject(v8::PromiseRejectMessage message) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  Worker& worker = Worker::Of(isolate);
  const v8::Local<v8::Promise> promise = message.GetPromise();
  if (message.GetEvent() == v8::kPromiseRejectWithNoHandler) {
    worker.rejections.push_back(
        {v8::Global<v8::Promise>(isolate, promise), v8::Global<v8::Value>(isolate, message.GetValue())});
  } else if (message.GetEvent() == v8::kPromiseHandlerAddedAfterReject) {
    const auto same = [&](const Worker::Rejection& rejection) { return rejection.promise == promise; };
    const auto found = std::find_if(worker.rejections.begin(), worker.rejections.end(), same);
    if (found != worker.rejections.end()) {
      worker.rejections.erase(found);
    } else {
      worker.handled_late.emplace_back(isolate, promise);
    }
  }
}

// Only exceptions that no C++ caller catches come here: those of microtasks.
void OnMessage(v8::Local<v8::Message>, v8::Local<v8::Value> error) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  Worker::Of(isolate).uncaught.emplace_back(isolate, error);
}

constexpr char kBundleName[] = "vigil:runtime";

// An extension runs before its context is whole, and its value is lost: it hands over what will run the
// bundle.
constexpr char kBeforeBundle[] = "(function(){native function take();take(()=>(";
constexpr char kAfterBundle[] = "\n))})()";

void TakeBundle(const Arguments& args) {
  Worker::Of(args.GetIsolate()).bundle.Reset(args.GetIsolate(), args[0]);
}

// V8 takes the functions of an extension for its own: they are in no stack and no list of scripts, and no
// debugger steps into them or stops there. All functions are compiled with it, and once for both contexts.
class Bundle final : public v8::Extension {
 public:
  explicit Bundle(const std::string& text)
      : Extension(kBundleName, text.data(), 0, nullptr, static_cast<int>(text.size())) {}
  v8::Local<v8::FunctionTemplate> GetNativeFunctionTemplate(v8::Isolate* isolate,
                                                            v8::Local<v8::String>) override {
    return v8::FunctionTemplate::New(isolate, TakeBundle);
  }
};

void RegisterBundle(std::string_view bundle) {
  // V8 uses it in place, as long as the process lives.
  const std::string& text = *new std::string(kBeforeBundle + std::string(bundle) + kAfterBundle);
  v8::RegisterExtension(std::make_unique<Bundle>(text));
}

// What V8 and ICU look up lazily in files (time zone) or initialize at first use is done here, while files
// can be read.
constexpr char kWarmUp[] =
    "new Date().getTimezoneOffset(); new Date().toLocaleString(); [2, 1].toLocaleString(); "
    "'a'.localeCompare('b');"
    "new Intl.DateTimeFormat().resolvedOptions().timeZone; /a+?(b|c)/i.exec('aab'); 'é'.normalize('NFD');"
    "new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])); undefined";

std::string Describe(v8::Isolate* isolate, v8::Local<v8::Context> context, const v8::TryCatch& caught) {
  v8::Local<v8::Value> stack;
  if (caught.StackTrace(context).ToLocal(&stack)) return ToUtf8(isolate, stack);
  return ToUtf8(isolate, caught.Exception());
}

// Web IDL's [Global]: nothing in the global object's chain of prototypes can be replaced. The bundle makes
// its interfaces' prototypes of the three objects that V8 puts there.
v8::Local<v8::Context> NewScopeContext(v8::Isolate* isolate) {
  v8::Local<v8::FunctionTemplate> last;
  for (int i = 0; i < 3; ++i) {
    const v8::Local<v8::FunctionTemplate> next = v8::FunctionTemplate::New(isolate);
    if (!last.IsEmpty()) next->Inherit(last);
    next->PrototypeTemplate()->SetImmutableProto();
    last = next;
  }
  last->InstanceTemplate()->SetImmutableProto();
  const char* bundle = kBundleName;
  v8::ExtensionConfiguration extensions(1, &bundle);
  return v8::Context::New(isolate, &extensions, last->InstanceTemplate());
}

std::string Warm(Worker& worker, Realm& realm, const char* scope_name) {
  v8::Isolate* isolate = worker.isolate;
  v8::HandleScope scope(isolate);
  const v8::Local<v8::Context> context = NewScopeContext(isolate);
  if (context.IsEmpty()) return "the bundle does not compile";
  const v8::Context::Scope entered(context);
  v8::TryCatch caught(isolate);

  const v8::Local<v8::Object> native = v8::Object::New(isolate);
  InstallChannelNatives(context, native);
  InstallScriptNatives(context, native);
  InstallModuleNatives(context, native);
  InstallCloneNatives(context, native);
  InstallTextNatives(context, native);
  InstallCompressionNatives(context, native);
  InstallUrlNatives(context, native);
  InstallCryptoNatives(context, native);
  InstallInspectNatives(context, native);

  const v8::Local<v8::Value> bundle = worker.bundle.Get(isolate);
  worker.bundle.Reset();
  v8::Local<v8::Value> install;
  v8::Local<v8::Value> host;
  if (!bundle.As<v8::Function>()->Call(context, v8::Undefined(isolate), 0, nullptr).ToLocal(&install)) {
    return "the bundle does not run: " + Describe(isolate, context, caught);
  }
  if (!install->IsFunction()) return "the bundle's value is not its install function";
  v8::Local<v8::Value> arguments[] = {native, Symbol(isolate, scope_name)};
  if (!install.As<v8::Function>()->Call(context, v8::Undefined(isolate), 2, arguments).ToLocal(&host)) {
    return "the bundle's install function failed: " + Describe(isolate, context, caught);
  }
  if (!host->IsObject()) return "the bundle's install function did not return its host object";
  isolate->PerformMicrotaskCheckpoint();
  if (!worker.rejections.empty()) {
    return "the bundle's installation rejected a promise: " +
           ToUtf8(isolate, worker.rejections.front().reason.Get(isolate));
  }
  v8::Local<v8::Script> warm_up;
  if (!v8::Script::Compile(context, Symbol(isolate, kWarmUp)).ToLocal(&warm_up) ||
      warm_up->Run(context).IsEmpty()) {
    return "the warm-up failed: " + Describe(isolate, context, caught);
  }
  realm.context.Reset(isolate, context);
  realm.host.Reset(isolate, host.As<v8::Object>());
  return {};
}

}  // namespace

void StartEngine(Worker& worker) {
  Worker::instance = &worker;
  v8::base::SetFatalFunction(OnFailedCheck);
  v8::V8::SetFlagsFromString(kFlags);
  v8::V8::InitializePlatform(&worker.platform);
  v8::V8::Initialize();

  v8::Isolate::CreateParams params;
  params.array_buffer_allocator_shared = worker.allocator;
  params.constraints.set_max_old_generation_size_in_bytes(kEngineHeapBytes);
  params.allow_atomics_wait = false;
  v8::Isolate* isolate = v8::Isolate::New(params);
  worker.isolate = isolate;
  isolate->SetData(0, &worker);
  isolate->Enter();
  isolate->SetMicrotasksPolicy(v8::MicrotasksPolicy::kExplicit);
  isolate->SetFatalErrorHandler(OnFatalError);
  isolate->SetOOMErrorHandler(OnOutOfMemory);
  isolate->SetPromiseRejectCallback(OnPromiseReject);
  isolate->AddMessageListener(OnMessage);
  isolate->AddNearHeapLimitCallback(OnNearHeapLimit, &worker);
  isolate->AddGCEpilogueCallback(WatchHeap, &worker);
}

std::string WarmContexts(Worker& worker, std::string_view bundle, bool is_ascii) {
  WarmCrypto();
  v8::Isolate* isolate = worker.isolate;
  const v8::HandleScope scope(isolate);
  if (!is_ascii) return "the bundle is not ASCII";
  RegisterBundle(bundle);
  if (auto error = Warm(worker, worker.service_worker, "service-worker"); !error.empty()) return error;
  if (auto error = Warm(worker, worker.page, "page"); !error.empty()) return error;
  v8::V8::SetFlagsFromString("--lazy");
  while (worker.platform.tasks().RunOne()) {
  }
  // Young objects move to pages that children will not write to.
  isolate->LowMemoryNotification();
  isolate->LowMemoryNotification();
  return {};
}

void ApplyEngineLimits(Worker& worker, const LimitSetting& limits) {
  const char here = 0;
  worker.isolate->SetStackLimit(reinterpret_cast<std::uintptr_t>(&here) - kStackBytes);
  worker.heap_cap = limits.heap_bytes;
  worker.next_heap_check = limits.heap_bytes;
  worker.allocator->SetCap(worker.allocator->used() + limits.array_buffer_bytes);
}

}  // namespace vigil::worker
