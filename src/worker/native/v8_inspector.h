// The binary interface of V8's inspector as the pinned Node executable has it. The executable exports the
// inspector, but its package does not carry the header that V8's sources have for it. What stands here is
// therefore ours: the order of the virtual functions and of the fields is the interface;
// tools/check-inspector-interface.mjs compares the order with the tables of functions inside the executable,
// so that a newer one that differs fails the build's checks and not a worker. Functions that nobody here
// calls have their place and no description.
#pragma once

#include <v8-isolate.h>
#include <v8-local-handle.h>
#include <v8-message.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace v8_inspector {

namespace protocol {
namespace Debugger::API {
class SearchMatch;
}
namespace Runtime::API {
class RemoteObject;
class StackTrace;
}  // namespace Runtime::API
namespace Schema::API {
class Domain;
}
}  // namespace protocol

// Characters that somebody else keeps: Latin-1, UTF-8 in messages, or UTF-16.
class StringView {
 public:
  StringView() = default;
  // As implicit as a string_view.
  StringView(std::string_view text) : length_(text.size()), characters_(text.data()) {}
  StringView(const char* text) : StringView(std::string_view(text)) {}
  StringView(const std::string& text) : StringView(std::string_view(text)) {}
  bool is_narrow() const { return narrow_; }
  std::size_t length() const { return length_; }
  std::string_view narrow() const { return {static_cast<const char*>(characters_), length_}; }
  const char16_t* wide() const { return static_cast<const char16_t*>(characters_); }

 private:
  bool narrow_ = true;
  std::size_t length_ = 0;
  const void* characters_ = nullptr;
};

class StringBuffer {
 public:
  virtual ~StringBuffer() = default;
  virtual StringView string() const = 0;
  static std::unique_ptr<StringBuffer> create(StringView);
};

// What contextCreated() is told.
struct V8ContextInfo {
  v8::Local<v8::Context> context;
  int context_group = 0;  // not 0
  StringView name;
  StringView origin;
  StringView aux_data;  // JSON
  bool has_memory_on_console = false;
};

struct V8DebuggerId {
  std::int64_t first = 0;
  std::int64_t second = 0;
};

struct V8StackFrame;

class V8StackTrace {
 public:
  virtual StringView firstNonEmptySourceURL() const = 0;
  virtual bool isEmpty() const = 0;
  virtual StringView topSourceURL() const = 0;
  virtual int topLineNumber() const = 0;
  virtual int topColumnNumber() const = 0;
  virtual int topScriptId() const = 0;
  virtual StringView topFunctionName() const = 0;
  virtual ~V8StackTrace() = default;
  virtual std::unique_ptr<protocol::Runtime::API::StackTrace> buildInspectorObject(
      int max_async_depth) const = 0;
  virtual std::unique_ptr<StringBuffer> toString() const = 0;
  virtual std::unique_ptr<V8StackTrace> clone() = 0;
  virtual std::vector<V8StackFrame> frames() const = 0;
};

class V8InspectorSession {
 public:
  class Inspectable;
  struct EvaluateResult {
    int type;
    v8::Local<v8::Value> value;
  };

  virtual ~V8InspectorSession() = default;
  virtual void addInspectedObject(std::unique_ptr<Inspectable>) = 0;
  // One command, as UTF-8. Answers and events go to the channel, most of them before this returns.
  virtual void dispatchProtocolMessage(StringView) = 0;
  virtual std::vector<std::uint8_t> state() = 0;
  virtual std::vector<std::unique_ptr<protocol::Schema::API::Domain>> supportedDomains() = 0;
  virtual void schedulePauseOnNextStatement(StringView reason, StringView details) = 0;
  virtual void cancelPauseOnNextStatement() = 0;
  virtual void breakProgram(StringView reason, StringView details) = 0;
  virtual void setSkipAllPauses(bool) = 0;
  virtual void resume(bool terminate) = 0;
  virtual void stepOver() = 0;
  virtual std::vector<std::unique_ptr<protocol::Debugger::API::SearchMatch>> searchInTextByLines(StringView,
                                                                                                 StringView,
                                                                                                 bool,
                                                                                                 bool) = 0;
  virtual std::unique_ptr<protocol::Runtime::API::RemoteObject> wrapObject(v8::Local<v8::Context>,
                                                                           v8::Local<v8::Value>, StringView,
                                                                           bool) = 0;
  virtual bool unwrapObject(std::unique_ptr<StringBuffer>*, StringView, v8::Local<v8::Value>*,
                            v8::Local<v8::Context>*, std::unique_ptr<StringBuffer>*) = 0;
  virtual void releaseObjectGroup(StringView) = 0;
  virtual void triggerPreciseCoverageDeltaUpdate(StringView) = 0;
  virtual EvaluateResult evaluate(v8::Local<v8::Context>, StringView, bool) = 0;
  // The session's end: it pauses nothing any more; a pause that nobody else wants is over.
  virtual void stop() = 0;
};

struct DeepSerializationResult {};

// What V8 asks of whoever embeds it.
class V8InspectorClient {
 public:
  using TimerCallback = void (*)(void*);

  virtual ~V8InspectorClient() = default;
  // Returns when quitMessageLoopOnPause() was called.
  virtual void runMessageLoopOnPause(int) {}
  virtual void runMessageLoopOnInstrumentationPause(int group) { runMessageLoopOnPause(group); }
  virtual void quitMessageLoopOnPause() {}
  virtual void runIfWaitingForDebugger(int) {}
  virtual void muteMetrics(int) {}
  virtual void unmuteMetrics(int) {}
  virtual void beginUserGesture() {}
  virtual void endUserGesture() {}
  virtual std::unique_ptr<DeepSerializationResult> deepSerialize(v8::Local<v8::Value>, int,
                                                                 v8::Local<v8::Object>) {
    return nullptr;
  }
  virtual std::unique_ptr<StringBuffer> valueSubtype(v8::Local<v8::Value>) { return nullptr; }
  virtual std::unique_ptr<StringBuffer> descriptionForValueSubtype(v8::Local<v8::Context>,
                                                                   v8::Local<v8::Value>) {
    return nullptr;
  }
  virtual bool isInspectableHeapObject(v8::Local<v8::Object>) { return true; }
  virtual v8::Local<v8::Context> ensureDefaultContextInGroup(int) { return {}; }
  virtual void beginEnsureAllContextsInGroup(int) {}
  virtual void endEnsureAllContextsInGroup(int) {}
  virtual void installAdditionalCommandLineAPI(v8::Local<v8::Context>, v8::Local<v8::Object>) {}
  // Two of one name: their order is not the table's, which the checker knows nothing of either.
  virtual void consoleAPIMessage(int, v8::Isolate::MessageErrorLevel, const StringView&, const StringView&,
                                 unsigned, unsigned, V8StackTrace*) {}
  virtual void consoleAPIMessage(int, int, v8::Isolate::MessageErrorLevel, const StringView&,
                                 const StringView&, unsigned, unsigned, V8StackTrace*) {}
  virtual v8::MaybeLocal<v8::Value> memoryInfo(v8::Isolate*, v8::Local<v8::Context>) { return {}; }
  virtual void consoleTime(v8::Isolate*, v8::Local<v8::String>) {}
  virtual void consoleTimeEnd(v8::Isolate*, v8::Local<v8::String>) {}
  virtual void consoleTimeStamp(v8::Isolate*, v8::Local<v8::String>) {}
  virtual void consoleTimeStampWithArgs(v8::Isolate*, v8::Local<v8::String>,
                                        const v8::LocalVector<v8::Value>&) {}
  virtual void consoleClear(int) {}
  // Of the calendar.
  virtual double currentTimeMS() { return 0; }
  virtual void startRepeatingTimer(double /*seconds*/, TimerCallback, void* /*data*/) {}
  virtual void cancelTimer(void* /*data*/) {}
  virtual bool canExecuteScripts(int) { return true; }
  virtual void maxAsyncCallStackDepthChanged(int) {}
  virtual std::unique_ptr<StringBuffer> resourceNameToUrl(const StringView&) { return nullptr; }
  // 0: V8 draws one itself.
  virtual std::int64_t generateUniqueId() { return 0; }
  virtual void dispatchError(v8::Local<v8::Context>, v8::Local<v8::Message>, v8::Local<v8::Value>) {}
};

struct V8StackTraceId {
  std::uintptr_t id = 0;
  std::pair<std::int64_t, std::int64_t> debugger_id;
  bool should_pause = false;
};

class V8Inspector {
 public:
  class Channel {
   public:
    virtual ~Channel() = default;
    virtual void sendResponse(int call, std::unique_ptr<StringBuffer> message) = 0;
    virtual void sendNotification(std::unique_ptr<StringBuffer> message) = 0;
    virtual void flushProtocolNotifications() = 0;
  };
  class ManagedChannel;
  enum ClientTrustLevel { kUntrusted, kFullyTrusted };
  enum SessionPauseState { kWaitingForDebugger, kNotWaitingForDebugger };

  static std::unique_ptr<V8Inspector> create(v8::Isolate*, V8InspectorClient*);
  virtual ~V8Inspector() = default;
  virtual void contextCreated(const V8ContextInfo&) = 0;
  virtual void contextDestroyed(v8::Local<v8::Context>) = 0;
  virtual void resetContextGroup(int) = 0;
  virtual v8::MaybeLocal<v8::Context> contextById(int) = 0;
  virtual V8DebuggerId uniqueDebuggerId(int) = 0;
  virtual std::uint64_t isolateId() = 0;
  virtual void idleStarted() = 0;
  virtual void idleFinished() = 0;
  // A callback is kept under the name of `task`, any address that is not used for another one.
  virtual void asyncTaskScheduled(StringView name, void* task, bool recurring) = 0;
  virtual void asyncTaskCanceled(void* task) = 0;
  virtual void asyncTaskStarted(void* task) = 0;
  virtual void asyncTaskFinished(void* task) = 0;
  virtual void allAsyncTasksCanceled() = 0;
  virtual V8StackTraceId storeCurrentStackTrace(StringView) = 0;
  virtual void externalAsyncTaskStarted(const V8StackTraceId&) = 0;
  virtual void externalAsyncTaskFinished(const V8StackTraceId&) = 0;
  // Returns a number for exceptionRevoked().
  virtual unsigned exceptionThrown(v8::Local<v8::Context>, StringView text, v8::Local<v8::Value> exception,
                                   StringView detail, StringView url, unsigned line, unsigned column,
                                   std::unique_ptr<V8StackTrace>, int script) = 0;
  virtual void exceptionRevoked(v8::Local<v8::Context>, unsigned exception, StringView reason) = 0;
  virtual bool associateExceptionData(v8::Local<v8::Context>, v8::Local<v8::Value>, v8::Local<v8::Name>,
                                      v8::Local<v8::Value>) = 0;
  virtual std::unique_ptr<V8InspectorSession> connect(int group, Channel*, StringView state, ClientTrustLevel,
                                                      SessionPauseState) = 0;
  virtual std::shared_ptr<V8InspectorSession> connectShared(int group, Channel*, StringView state,
                                                            ClientTrustLevel, SessionPauseState) = 0;
  virtual std::shared_ptr<V8InspectorSession> connectShared(int group, ManagedChannel*, StringView state,
                                                            ClientTrustLevel, SessionPauseState) = 0;
  virtual std::unique_ptr<V8StackTrace> createStackTrace(v8::Local<v8::StackTrace>) = 0;
  virtual std::unique_ptr<V8StackTrace> captureStackTrace(bool full) = 0;
};

}  // namespace v8_inspector
