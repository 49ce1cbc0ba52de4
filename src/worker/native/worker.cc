#include "worker/native/worker.h"

#include <unistd.h>

#include <utility>

#include "worker/native/inspector.h"
#include "worker/native/start_object.h"
#include "worker/native/values.h"

namespace vigil::worker {

Worker* Worker::instance = nullptr;

void Worker::Die(ExitStatus status, std::string_view reason) {
  if (socket) socket->SendLast(DyingMessage(reason));
  ::_exit(status);
}

void Worker::EndIfAsked() {
  if (end_status == kExitCpuLimit) Die(kExitCpuLimit, "cpu limit");
  if (end_status == kExitTerminated) Die(kExitTerminated, "terminated");
}

// A host method that throws is a bug of the bundle, or an exception of the app that the bundle let through;
// either way host.uncaught shows it to the developer.
void Worker::CallHost(const char* method, int argc, v8::Local<v8::Value> argv[]) {
  v8::HandleScope scope(isolate);
  v8::Local<v8::Value> error;
  {
    const v8::Local<v8::Context> context = isolate->GetCurrentContext();
    const v8::Local<v8::Object> host = realm->host.Get(isolate);
    v8::TryCatch caught(isolate);
    v8::Local<v8::Value> function;
    if (host->Get(context, Symbol(isolate, method)).ToLocal(&function) && function->IsFunction()) {
      if (function.As<v8::Function>()->Call(context, host, argc, argv).IsEmpty()) EndIfAsked();
    }
    if (caught.HasCaught()) error = caught.Exception();
  }
  if (!error.IsEmpty()) CallQuietly("uncaught", 1, &error);
  Checkpoint();
}

v8::Local<v8::Value> Worker::ReadStart(std::string_view start) {
  const v8::TryCatch caught(isolate);
  v8::Local<v8::Object> object;
  if (StartObject(isolate->GetCurrentContext(), start).ToLocal(&object)) return object;
  if (caught.HasCaught()) Die(kExitHeapLimit, "memory limit");
  Die(kExitProtocol, "protocol: a malformed Start");
}

void Worker::HandMessage(std::string_view to_worker) {
  const v8::HandleScope scope(isolate);
  v8::Local<v8::Value> bytes;
  {
    const v8::TryCatch caught(isolate);
    v8::Local<v8::Uint8Array> made;
    if (!NewBytes(isolate, to_worker).ToLocal(&made)) Die(kExitHeapLimit, "memory limit");
    bytes = made;
  }
  CallHost("receive", 1, &bytes);
}

bool Worker::FireTimer() {
  const auto id = timers.PopDue(clock.MonoUs());
  if (!id) return false;
  const v8::HandleScope scope(isolate);
  v8::Local<v8::Value> argument = v8::Number::New(isolate, static_cast<double>(*id));
  if (inspector != nullptr) inspector->TimerStarts(*id);
  CallHost("timer", 1, &argument);
  if (inspector != nullptr) inspector->TimerEnded(*id);
  return true;
}

void Worker::CallQuietly(const char* method, int argc, v8::Local<v8::Value> argv[]) {
  const v8::Local<v8::Context> context = isolate->GetCurrentContext();
  const v8::Local<v8::Object> host = realm->host.Get(isolate);
  v8::TryCatch caught(isolate);
  v8::Local<v8::Value> function;
  if (!host->Get(context, Symbol(isolate, method)).ToLocal(&function) || !function->IsFunction()) return;
  if (function.As<v8::Function>()->Call(context, host, argc, argv).IsEmpty()) EndIfAsked();
}

void Worker::Checkpoint() {
  while (true) {
    isolate->PerformMicrotaskCheckpoint();
    EndIfAsked();
    if (!rejections.empty() || !handled_late.empty() || !uncaught.empty()) {
      ReportRejections();
    } else if (std::exchange(checkpoint_end_wanted, false)) {
      const v8::HandleScope scope(isolate);
      CallQuietly("checkpointEnd", 0, nullptr);
    } else {
      return;
    }
  }
}

void Worker::ReportRejections() {
  v8::HandleScope scope(isolate);
  for (auto& error : std::exchange(uncaught, {})) {
    v8::Local<v8::Value> value = error.Get(isolate);
    CallQuietly("uncaught", 1, &value);
  }
  for (auto& rejection : std::exchange(rejections, {})) {
    v8::Local<v8::Value> values[] = {rejection.promise.Get(isolate), rejection.reason.Get(isolate)};
    CallQuietly("unhandledRejection", 2, values);
  }
  for (auto& promise : std::exchange(handled_late, {})) {
    v8::Local<v8::Value> value = promise.Get(isolate);
    CallQuietly("rejectionHandled", 1, &value);
  }
}

std::optional<std::string_view> Worker::NextMessage() {
  if (set_aside.empty()) return socket->Receive();
  current_ = std::move(set_aside.front());
  set_aside.pop_front();
  return current_;
}

void Worker::Sleep(std::int64_t timeout_us) {
  // From here on a signal handler may end the process itself: nothing is half done.
  asleep = 1;
  EndIfAsked();
  socket->Wait(timeout_us);
  asleep = 0;
}

}  // namespace vigil::worker
