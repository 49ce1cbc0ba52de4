#include "worker/native/child.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "worker/native/engine.h"
#include "worker/native/natives.h"
#include "worker/native/values.h"
#include "worker/zygote.h"

namespace vigil::worker {
namespace {

// Room for stacks, the C library's heap, code and WebAssembly besides the two caps.
constexpr std::uint64_t kSlackBytes = 64ULL << 20;

// SIGTERM: the daemon asks for the end. SIGXCPU: the CPU limit is reached; SIGKILL follows a second later.
void OnSignal(int signal) {
  Worker& worker = *Worker::instance;
  worker.end_status = signal == SIGXCPU ? kExitCpuLimit : kExitTerminated;
  if (worker.asleep != 0) worker.EndIfAsked();
  worker.isolate->TerminateExecution();
}

void HandleSignals() {
  struct sigaction action {};
  action.sa_handler = OnSignal;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaddset(&action.sa_mask, SIGXCPU);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGXCPU, &action, nullptr);
}

// What the sandbox lets this process have besides what it was born with; 0: no limit.
std::uint64_t memory_bytes = 0;

// V8 and the libraries around it do not look everywhere at what they are given when there is no memory. A
// process that crashes with much of its memory in use says that it has run out of it; any other crash goes
// its way, since this handler is gone when the fault happens again. A signal that somebody sent (and not the
// kernel, for a fault) would not come again.
void OnCrash(int, siginfo_t* info, void*) {
  void* probe = ::mmap(nullptr, memory_bytes / 4 * 3, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED) ::_exit(kExitHeapLimit);
  if (info->si_code <= 0) __builtin_trap();
}

void HandleCrashes(std::uint64_t bytes) {
  if (bytes == 0) return;
  memory_bytes = bytes;
  static std::array<char, 64 * 1024> stack;
  stack_t alternative{};
  alternative.ss_sp = stack.data();
  alternative.ss_size = stack.size();
  if (::sigaltstack(&alternative, nullptr) != 0) return;
  struct sigaction action {};
  action.sa_sigaction = OnCrash;
  action.sa_flags = static_cast<int>(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGSEGV, SIGABRT, SIGILL, SIGTRAP}) sigaction(signal, &action, nullptr);
}

v8::Local<v8::Value> MessageBytes(Worker& worker, std::string_view message) {
  v8::TryCatch caught(worker.isolate);
  v8::Local<v8::Uint8Array> bytes;
  if (!NewBytes(worker.isolate, message).ToLocal(&bytes)) worker.Die(kExitHeapLimit, "memory limit");
  return bytes;
}

// What is known of the conversation, for Quiescent.
struct Progress {
  std::uint64_t handled_seq = 0;
  std::uint64_t announced_seq = 0;
  std::int64_t announced_timer_us = -2;  // nothing announced yet
};

std::string_view WaitForStart(Worker& worker) {
  while (true) {
    if (const auto message = worker.socket->Receive()) return *message;
    worker.socket->Wait(-1);
  }
}

void Start(Worker& worker, std::uint64_t data_bytes, Progress& progress) {
  const std::string_view message = WaitForStart(worker);
  const auto incoming = Glance(message);
  const auto setting = incoming && incoming->start ? ParseStart(*incoming->start) : std::nullopt;
  if (!setting) worker.Die(kExitProtocol, "protocol: the first message is not Start");
  SandboxLimits limits;
  limits.cpu_seconds = setting->limits.cpu_seconds;
  if (data_bytes > 0) {
    const std::uint64_t more = setting->limits.heap_bytes + setting->limits.array_buffer_bytes + kSlackBytes;
    limits.data_bytes = data_bytes + more;
    HandleCrashes(more);
  }
  HandleSignals();
  if (const std::string error = CloseSandbox(limits); !error.empty()) {
    worker.Die(kExitSandbox, "sandbox: " + error);
  }
  worker.clock.Apply(setting->clock);
  worker.random.Seed(setting->seed);
  worker.realm = setting->page ? &worker.page : &worker.service_worker;
  ShapeStacks(worker.isolate);
  ApplyEngineLimits(worker, setting->limits);

  const v8::HandleScope scope(worker.isolate);
  const v8::Local<v8::Context> context = worker.realm->context.Get(worker.isolate);
  context->Enter();
  if (setting->test_natives) InstallTestNatives(context);
  v8::Local<v8::Value> bytes = MessageBytes(worker, message);
  progress.handled_seq = incoming->seq;
  worker.CallHost("start", 1, &bytes);
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
  const v8::HandleScope scope(worker.isolate);
  v8::Local<v8::Value> bytes = MessageBytes(worker, *message);
  progress.handled_seq = std::max(progress.handled_seq, incoming->seq);
  worker.CallHost("receive", 1, &bytes);
  return true;
}

bool FireTimer(Worker& worker) {
  const auto id = worker.timers.PopDue(worker.clock.MonoUs());
  if (!id) return false;
  const v8::HandleScope scope(worker.isolate);
  v8::Local<v8::Value> argument = v8::Number::New(worker.isolate, static_cast<double>(*id));
  worker.CallHost("timer", 1, &argument);
  return true;
}

// See runtime/rehearsal.ts. Ends with no timer set and nothing to run.
void Rehearse(Worker& worker) {
  worker.rehearsing = true;
  worker.realm = &worker.service_worker;
  {
    const v8::HandleScope scope(worker.isolate);
    const v8::Context::Scope entered(worker.realm->context.Get(worker.isolate));
    worker.CallHost("rehearse", 0, nullptr);
    while (FireTimer(worker)) {
    }
  }
  worker.rehearsing = false;
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

void RunChild(Worker& worker, const ChildSetting& setting, bool spare) {
  if (spare) Rehearse(worker);
  worker.socket.emplace(kChildSocket);
  if (const std::string error = EnterSandbox(setting.landlock); !error.empty()) {
    worker.Die(kExitSandbox, "sandbox: " + error);
  }
  Progress progress;
  Start(worker, setting.data_bytes, progress);
  while (true) {
    // One of each in turn, so that neither messages nor timers nor V8's tasks starve the others.
    bool busy = HandleMessage(worker, progress);
    busy = FireTimer(worker) || busy;
    busy = RunTask(worker) || busy;
    if (worker.socket->HasOutput()) worker.socket->Flush();
    if (busy) continue;
    AnnounceQuiescence(worker, progress);
    worker.Sleep(SleepTime(worker));
  }
}

}  // namespace vigil::worker
