#include <v8-exception.h>
#include <v8-microtask-queue.h>

#include <cmath>
#include <string>

#include "worker/native/inspector.h"
#include "worker/native/natives.h"
#include "worker/native/values.h"
#include "worker/native/worker.h"

namespace vigil::worker {
namespace {

// Ten thousand years: far enough, and no sum with the present overflows.
constexpr double kLongestDelayMs = 3.2e14;
constexpr std::size_t kMaxTimers = 100'000;

// The worker, if it is a child already; else a TypeError is thrown (the zygote has nobody to talk to).
Worker* Running(const Arguments& args) {
  Worker& worker = Worker::Of(args.GetIsolate());
  if (worker.socket || worker.rehearsing) return &worker;
  ThrowTypeError(args.GetIsolate(), "The worker has not been started");
  return nullptr;
}

bool Send(Worker& worker, const Arguments& args, std::string_view message, bool soon = false) {
  if (soon ? worker.socket->Queue(message) : worker.socket->Send(message)) return true;
  ThrowRangeError(args.GetIsolate(), "The message is too large");
  return false;
}

void SendMessage(const Arguments& args) {
  Worker* worker = Running(args);
  if (worker == nullptr) return;
  const auto bytes = BytesOf(args[0]);
  if (!bytes) return ThrowTypeError(args.GetIsolate(), "send expects a Uint8Array");
  if (worker->rehearsing) return;
  Send(*worker, args, *bytes, args[1]->IsTrue());
}

// Blocks until the reply to this request is there. What else arrives waits in order.
void RequestSync(const Arguments& args) {
  Worker* worker = Running(args);
  if (worker == nullptr) return;
  const auto bytes = BytesOf(args[0]);
  const auto id = bytes ? RequestId(*bytes) : std::nullopt;
  if (!id) return ThrowTypeError(args.GetIsolate(), "requestSync expects a Uint8Array with a request");
  if (!Send(*worker, args, *bytes)) return;
  while (true) {
    const auto message = worker->socket->Receive();
    if (!message) {
      worker->Sleep(-1);
      continue;
    }
    const auto incoming = Glance(*message);
    if (!incoming) worker->Die(kExitProtocol, "protocol: a malformed message");
    if (incoming->reply_id == id) {
      worker->sync_reply_seq = std::max(worker->sync_reply_seq, incoming->seq);
      v8::Local<v8::Uint8Array> reply;
      if (NewBytes(args.GetIsolate(), *message).ToLocal(&reply)) args.GetReturnValue().Set(reply);
      return;
    }
    worker->set_aside.emplace_back(*message);
  }
}

void SetTimer(const Arguments& args) {
  Worker* worker = Running(args);
  if (worker == nullptr) return;
  if (!args[0]->IsNumber() || !args[1]->IsNumber()) {
    return ThrowTypeError(args.GetIsolate(), "setTimer expects an id and a delay");
  }
  const double id = args[0].As<v8::Number>()->Value();
  const double delay_ms = std::fmax(0, std::fmin(args[1].As<v8::Number>()->Value(), kLongestDelayMs));
  worker->timers.Set(static_cast<std::uint64_t>(id),
                     worker->clock.MonoUs() + static_cast<std::int64_t>(std::ceil(delay_ms * 1000)));
  if (worker->timers.size() > kMaxTimers) worker->Die(kExitTimerLimit, "timer limit");
  if (worker->inspector != nullptr) worker->inspector->TimerSet(static_cast<std::uint64_t>(id));
}

void ClearTimer(const Arguments& args) {
  if (!args[0]->IsNumber()) return ThrowTypeError(args.GetIsolate(), "clearTimer expects an id");
  Worker& worker = Worker::Of(args.GetIsolate());
  const auto id = static_cast<std::uint64_t>(args[0].As<v8::Number>()->Value());
  worker.timers.Clear(id);
  if (worker.inspector != nullptr) worker.inspector->TimerCleared(id);
}

void WallNowMs(const Arguments& args) {
  args.GetReturnValue().Set(static_cast<double>(Worker::Of(args.GetIsolate()).clock.WallUs()) / 1000);
}

void MonoNowMs(const Arguments& args) {
  args.GetReturnValue().Set(static_cast<double>(Worker::Of(args.GetIsolate()).clock.MonoUs()) / 1000);
}

void RealMonoNowUs(const Arguments& args) { args.GetReturnValue().Set(static_cast<double>(RealMonoUs())); }

// What throws meanwhile is told to host.uncaught, not to the function of the bundle that asked.
void Checkpoint(const Arguments& args) {
  Worker* worker = Running(args);
  if (worker == nullptr || v8::MicrotasksScope::IsRunningMicrotasks(args.GetIsolate())) return;
  v8::TryCatch caught(args.GetIsolate());
  caught.SetVerbose(true);
  worker->Checkpoint();
}

void WantCheckpointEnd(const Arguments& args) { Worker::Of(args.GetIsolate()).checkpoint_end_wanted = true; }

void Exit(const Arguments& args) {
  Worker::Of(args.GetIsolate()).Die(kExitOk, ToUtf8(args.GetIsolate(), args[0]));
}

}  // namespace

void InstallChannelNatives(v8::Local<v8::Context> context, v8::Local<v8::Object> native) {
  SetFunction(context, native, "send", SendMessage);
  SetFunction(context, native, "requestSync", RequestSync);
  SetFunction(context, native, "setTimer", SetTimer);
  SetFunction(context, native, "clearTimer", ClearTimer);
  SetFunction(context, native, "wallNowMs", WallNowMs);
  SetFunction(context, native, "monoNowMs", MonoNowMs);
  SetFunction(context, native, "realMonoUs", RealMonoNowUs);
  SetFunction(context, native, "checkpoint", Checkpoint);
  SetFunction(context, native, "wantCheckpointEnd", WantCheckpointEnd);
  SetFunction(context, native, "exit", Exit);
}

}  // namespace vigil::worker
