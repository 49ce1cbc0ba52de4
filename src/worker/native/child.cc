#include "worker/native/child.h"

#include <algorithm>
#include <string>
#include <utility>

#include "worker/native/engine.h"
#include "worker/native/inspector.h"
#include "worker/native/natives.h"
#include "worker/native/rehearsal.h"
#include "worker/native/signals.h"
#include "worker/zygote.h"

namespace vigil::worker {
namespace {

// Room for stacks, the C library's heap, code and WebAssembly besides the two caps.
constexpr std::uint64_t kSlackBytes = 64ULL << 20;

// What is known of the conversation, for Quiescent.
struct Progress {
  std::uint64_t handled_seq = 0;
  std::uint64_t announced_seq = 0;
  std::int64_t announced_timer_us = -2;  // nothing announced yet
};

// Tools may be attached before the start: that waits until there is something to attach to.
std::string_view WaitForStart(Worker& worker) {
  while (true) {
    if (const auto message = worker.socket->Receive()) {
      const auto incoming = Glance(*message);
      if (!incoming || !incoming->inspector) return *message;
      worker.set_aside.emplace_back(*message);
      continue;
    }
    worker.Sleep(-1);
  }
}

// Those of the tools, before a script runs.
void HandleEarlyMessages(Worker& worker) {
  for (const auto& message : std::exchange(worker.set_aside, {})) {
    HandleInspectorFrame(worker, *Glance(message)->inspector, true);
    worker.Checkpoint();
  }
  if (worker.inspector != nullptr) worker.inspector->WaitForDebuggers();
}

// From here on nothing of the app can be anywhere but in this process.
void CloseOff(Worker& worker, const ChildSetting& setting, const LimitSetting& given) {
  SandboxLimits limits;
  limits.cpu_seconds = given.cpu_seconds;
  if (setting.data_bytes > 0) {
    const std::uint64_t more = given.heap_bytes + given.array_buffer_bytes + kSlackBytes;
    limits.data_bytes = setting.data_bytes + more;
    HandleCrashes(more);
  }
  HandleSignals();
  if (const std::string error = EnterSandbox(setting.landlock, limits); !error.empty()) {
    worker.Die(kExitSandbox, "sandbox: " + error);
  }
}

void Start(Worker& worker, const LimitSetting& limits, Progress& progress) {
  const std::string_view message = WaitForStart(worker);
  const auto incoming = Glance(message);
  const auto setting = incoming && incoming->start ? ParseStart(*incoming->start) : std::nullopt;
  if (!setting) worker.Die(kExitProtocol, "protocol: the first message is not Start");
  worker.clock.Apply(setting->clock);
  worker.random.Seed(setting->seed);
  worker.realm = setting->page ? &worker.page : &worker.service_worker;
  worker.origin = setting->origin;
  worker.client_id = setting->client_id;
  ShapeStacks(worker.isolate);
  ApplyEngineLimits(worker, limits);

  const v8::HandleScope scope(worker.isolate);
  const v8::Local<v8::Context> context = worker.realm->context.Get(worker.isolate);
  context->Enter();
  if (setting->test_natives) InstallTestNatives(context);
  progress.handled_seq = incoming->seq;
  v8::Local<v8::Value> start = worker.ReadStart(*incoming->start);
  HandleEarlyMessages(worker);
  worker.CallHost("start", 1, &start);
}

// One message, if one is there.
bool HandleMessage(Worker& worker, Progress& progress) {
  if (worker.socket->IsCongested()) return false;
  const auto message = worker.NextMessage();
  if (!message) return false;
  const auto incoming = Glance(*message);
  if (!incoming) worker.Die(kExitProtocol, "protocol: a malformed message");
  if (incoming->clock) {
    const auto clock = ParseClock(*incoming->clock);
    if (!clock) worker.Die(kExitProtocol, "protocol: a malformed clock");
    worker.clock.Apply(*clock);
  }
  progress.handled_seq = std::max(progress.handled_seq, incoming->seq);
  if (incoming->inspector) {
    const v8::HandleScope scope(worker.isolate);
    // The socket's buffer is used again by whoever reads in a pause.
    const std::string frame(*incoming->inspector);
    HandleInspectorFrame(worker, frame, true);
    worker.Checkpoint();
    return true;
  }
  worker.HandMessage(*message);
  return true;
}

bool RunTask(Worker& worker) {
  const v8::HandleScope scope(worker.isolate);
  if (!worker.platform.tasks().RunOne()) return false;
  worker.Checkpoint();
  return true;
}

// How long the loop may sleep; -1: until something arrives. The system's timers only count under the real
// clock.
std::int64_t SleepTime(const Worker& worker) {
  std::int64_t wake = -1;
  const auto consider = [&wake](std::int64_t us) { wake = wake < 0 ? us : std::min(wake, us); };
  if (const auto timer = worker.timers.Next(); timer && !worker.clock.is_virtual()) {
    consider(std::max<std::int64_t>(0, *timer - worker.clock.MonoUs()));
  }
  const TaskQueue& tasks = const_cast<Worker&>(worker).platform.tasks();
  if (const auto task = tasks.NextDelayed()) consider(std::max<std::int64_t>(0, *task - RealMonoUs()));
  return wake;
}

void AnnounceQuiescence(Worker& worker, Progress& progress) {
  if (!worker.clock.is_virtual() || worker.socket->IsCongested()) return;
  // Messages that were set aside are older than the reply that requestSync waited for.
  if (worker.set_aside.empty()) progress.handled_seq = std::max(progress.handled_seq, worker.sync_reply_seq);
  const std::int64_t timer = worker.timers.Next().value_or(-1);
  if (progress.announced_seq == progress.handled_seq && progress.announced_timer_us == timer) return;
  progress.announced_seq = progress.handled_seq;
  progress.announced_timer_us = timer;
  worker.socket->Send(QuiescentMessage(progress.handled_seq, timer));
}

}  // namespace

void RunChild(Worker& worker, const ChildSetting& setting, const ForkOrder& order) {
  if (order.spare) Rehearse(worker);
  worker.socket.emplace(kChildSocket);
  CloseOff(worker, setting, order.limits);
  Progress progress;
  Start(worker, order.limits, progress);
  while (true) {
    // One of each in turn, so that neither messages nor timers nor V8's tasks starve the others.
    bool busy = HandleMessage(worker, progress);
    busy = worker.FireTimer() || busy;
    busy = RunTask(worker) || busy;
    if (worker.socket->HasOutput()) worker.socket->Flush();
    if (busy) continue;
    AnnounceQuiescence(worker, progress);
    worker.Sleep(SleepTime(worker));
  }
}

}  // namespace vigil::worker
