// What the tests of the walls call from inside a worker: raw system calls, so that no library can refuse
// before the kernel does.
#include "worker/native/natives.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "ipc/descriptors.h"
#include "worker/native/values.h"
#include "worker/zygote.h"

namespace vigil::worker {
namespace {

// syscall(number, ...words): the errno of the attempt, 0: it was allowed. A word is a number, or a text or
// bytes of which the call gets the address.
void SystemCall(const Arguments& args) {
  v8::Isolate* isolate = args.GetIsolate();
  if (!args[0]->IsNumber()) return ThrowTypeError(isolate, "syscall expects a number");
  std::array<std::string, 6> held;
  std::array<long, 6> words{};
  for (int i = 0; i < 6 && i + 1 < args.Length(); ++i) {
    const v8::Local<v8::Value> word = args[i + 1];
    auto& text = held[static_cast<std::size_t>(i)];
    if (word->IsNumber()) {
      words[static_cast<std::size_t>(i)] = static_cast<long>(word.As<v8::Number>()->Value());
      continue;
    }
    const auto bytes = BytesOf(word);
    text = bytes ? std::string(*bytes) : ToUtf8(isolate, word);
    words[static_cast<std::size_t>(i)] = reinterpret_cast<long>(text.data());
  }
  const auto number = static_cast<long>(args[0].As<v8::Number>()->Value());
  const long result = ::syscall(number, words[0], words[1], words[2], words[3], words[4], words[5]);
  args.GetReturnValue().Set(result < 0 ? errno : 0);
}

// The same for a program of the other word size: the kernel takes the call for one of another architecture.
void ForeignCall(const Arguments& args) {
#if defined(__x86_64__)
  long result = 20;  // getpid there
  asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  args.GetReturnValue().Set(static_cast<double>(result));
#else
  args.GetReturnValue().SetUndefined();
#endif
}

// Sends a byte and, as rights, the worker's own socket to the daemon.
void SendDescriptor(const Arguments& args) {
  const ssize_t size = ipc::SendWithDescriptor(kChildSocket, std::string_view("\0", 1), kChildSocket);
  args.GetReturnValue().Set(size < 0 ? errno : 0);
}

void CollectGarbage(const Arguments& args) { args.GetIsolate()->LowMemoryNotification(); }

}  // namespace

void InstallTestNatives(v8::Local<v8::Context> context) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const v8::Local<v8::Object> test = v8::Object::New(isolate);
  SetFunction(context, test, "syscall", SystemCall);
  SetFunction(context, test, "foreignCall", ForeignCall);
  SetFunction(context, test, "sendDescriptor", SendDescriptor);
  SetFunction(context, test, "gc", CollectGarbage);
  context->Global()->DefineOwnProperty(context, Symbol(isolate, "__vigilTest"), test, v8::DontEnum).Check();
}

}  // namespace vigil::worker
