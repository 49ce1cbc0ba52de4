// The state of a worker process: one isolate, two contexts that were warmed in the zygote, and, after the
// fork, the socket, clock and timers of the one worker that this process became. One thread, one instance per
// process.
#pragma once

#include <v8-context.h>
#include <v8-function.h>
#include <v8-isolate.h>
#include <v8-persistent-handle.h>
#include <v8-promise.h>

#include <csignal>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/clock.h"
#include "worker/exit_status.h"
#include "worker/messages.h"
#include "worker/native/allocator.h"
#include "worker/native/platform.h"
#include "worker/native/random.h"
#include "worker/socket.h"
#include "worker/timers.h"

namespace vigil::worker {

class Inspector;

// One context with the bundle's `host` object.
struct Realm {
  v8::Global<v8::Context> context;
  v8::Global<v8::Object> host;
};

class Worker {
 public:
  Worker() = default;
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  static Worker& Of(v8::Isolate* isolate) { return *static_cast<Worker*>(isolate->GetData(0)); }
  // For signal handlers and V8's error callbacks, which come without an isolate.
  static Worker* instance;

  // Says Dying, as far as that is possible, and ends the process.
  [[noreturn]] void Die(ExitStatus status, std::string_view reason);
  // Ends the process if a signal asked for it. Called whenever a script has returned.
  void EndIfAsked();

  // Calls a method of host and then runs all microtasks. An exception goes to host.uncaught.
  void CallHost(const char* method, int argc, v8::Local<v8::Value> argv[]);
  // The argument of host.start. Ends the process if it is malformed.
  v8::Local<v8::Value> ReadStart(std::string_view start);
  // Calls host.receive with a ToWorker.
  void HandMessage(std::string_view to_worker);
  // Runs the timer that is due first, if one is.
  bool FireTimer();
  // Runs microtasks and reports rejected promises that nobody handled, until neither is left. Then says so,
  // if the bundle wants to know.
  void Checkpoint();

  // The next message: first those that were set aside, then the socket's. Without waiting.
  std::optional<std::string_view> NextMessage();
  // Sleeps until the socket can be used, a signal asks for the end, or the timeout (-1: none).
  void Sleep(std::int64_t timeout_us);

  v8::Isolate* isolate = nullptr;
  WorkerClock clock;
  WorkerPlatform platform{clock};
  std::shared_ptr<CappedAllocator> allocator = std::make_shared<CappedAllocator>();
  Realm service_worker;
  Realm page;
  v8::Global<v8::Value> bundle;    // what runs it, while a context is made
  Realm* realm = nullptr;          // the one in use, after Start
  std::string origin;              // from Start
  std::string client_id;           // of a page
  Inspector* inspector = nullptr;  // while a tool is attached
  Random random;
  std::optional<WorkerSocket> socket;
  bool rehearsing = false;  // nobody listens: what is sent is dropped
  TimerHeap timers;
  std::uint64_t heap_cap = 0;
  std::uint64_t next_heap_check = 0;  // used bytes at which garbage is collected to see what is live
  std::deque<std::string> set_aside;
  // The last message that requestSync or a pause took: handled, although the loop never saw it.
  std::uint64_t sync_reply_seq = 0;

  // Set by signal handlers.
  volatile std::sig_atomic_t end_status = 0;
  volatile std::sig_atomic_t asleep = 0;

  // Rejected promises without a handler since the last checkpoint, promises that got one late, and exceptions
  // of microtasks.
  struct Rejection {
    v8::Global<v8::Promise> promise;
    v8::Global<v8::Value> reason;
  };
  std::vector<Rejection> rejections;
  std::vector<v8::Global<v8::Promise>> handled_late;
  std::vector<v8::Global<v8::Value>> uncaught;
  bool checkpoint_end_wanted = false;  // host.checkpointEnd is to be called

 private:
  void ReportRejections();
  void CallQuietly(const char* method, int argc, v8::Local<v8::Value> argv[]);
  std::string current_;
};

}  // namespace vigil::worker
