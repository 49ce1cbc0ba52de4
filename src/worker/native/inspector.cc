#include "worker/native/inspector.h"

#include <sys/random.h>
#include <v8-json.h>

#include <algorithm>
#include <utility>

#include "worker/native/values.h"

namespace vigil::worker {
namespace {

using v8_inspector::StringBuffer;
using v8_inspector::StringView;
using v8_inspector::V8Inspector;

// The realm in use is all there is in the one group.
constexpr int kGroup = 1;

// V8 writes JSON in which everything beyond ASCII is escaped.
std::string Ascii(StringView text) {
  if (text.is_narrow()) return std::string(text.narrow());
  std::string out(text.length(), '\0');
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<char>(text.wide()[i]);
  return out;
}

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + '"';
}

// A sampling profiler is a thread beside the script's, and there is none in here (worker/sandbox.h): V8 would
// end the process over it. The answer to the command; empty: it is another one.
std::string RefusedCommand(v8::Isolate* isolate, std::string_view command) {
  if (command.find("Profiler.start") == std::string_view::npos) return {};
  const v8::TryCatch caught(isolate);
  const v8::Local<v8::Context> context = isolate->GetCurrentContext();
  v8::Local<v8::String> text;
  v8::Local<v8::Value> parsed;
  v8::Local<v8::Value> method;
  v8::Local<v8::Value> id;
  if (!FromUtf8(isolate, command).ToLocal(&text) || !v8::JSON::Parse(context, text).ToLocal(&parsed) ||
      !parsed->IsObject() ||
      !parsed.As<v8::Object>()->Get(context, Symbol(isolate, "method")).ToLocal(&method) ||
      !parsed.As<v8::Object>()->Get(context, Symbol(isolate, "id")).ToLocal(&id) || !id->IsNumber() ||
      ToUtf8(isolate, method) != "Profiler.start") {
    return {};
  }
  return "{\"id\":" + ToUtf8(isolate, id) +
         ",\"error\":{\"code\":-32000,\"message\":\"A worker of Vigil has one thread, so that nothing can "
         "take samples of it: "
         "use Profiler.startPreciseCoverage or HeapProfiler\"}}";
}

// An address that stands for a timer and for nothing else.
void* TimerTask(std::uint64_t id) { return reinterpret_cast<void*>(id * 2 + 1); }

}  // namespace

class Inspector::Session final : public V8Inspector::Channel {
 public:
  Session(Worker& worker, std::uint64_t number) : worker_(worker), number_(number) {}
  void Open(V8Inspector& inspector) {
    v8_ = inspector.connect(kGroup, this, "{}", V8Inspector::kFullyTrusted,
                            V8Inspector::kNotWaitingForDebugger);
  }
  void Dispatch(std::string_view message) {
    const std::string refusal = RefusedCommand(worker_.isolate, message);
    refusal.empty() ? v8_->dispatchProtocolMessage(message) : static_cast<void>(Say(refusal));
  }
  // What it says from here on is for nobody. V8 may be in the middle of an order of this session.
  void Close() {
    closed_ = true;
    v8_->stop();
  }

  void sendResponse(int call, std::unique_ptr<StringBuffer> message) override {
    if (Send(*message)) return;
    Say("{\"id\":" + std::to_string(call) +
        ",\"error\":{\"code\":-32000,\"message\":\"The answer is larger than a message may be\"}}");
  }
  void sendNotification(std::unique_ptr<StringBuffer> message) override { Send(*message); }
  void flushProtocolNotifications() override {}

 private:
  bool Send(const StringBuffer& message) { return closed_ || Say(Ascii(message.string())); }
  bool Say(std::string_view text) { return worker_.socket->Send(InspectorMessage(number_, text)); }

  Worker& worker_;
  const std::uint64_t number_;
  bool closed_ = false;
  std::unique_ptr<v8_inspector::V8InspectorSession> v8_;
};

Inspector::Inspector(Worker& worker)
    : worker_(worker), inspector_(V8Inspector::create(worker.isolate, this)) {
  const v8::HandleScope scope(worker.isolate);
  const bool page = worker.realm == &worker.page;
  const std::string frame = ",\"frameId\":" + Quoted(worker.client_id);
  const std::string aux = std::string(R"({"isDefault":true,"type":"default")") + (page ? frame : "") + "}";
  v8_inspector::V8ContextInfo info;
  info.context = worker.realm->context.Get(worker.isolate);
  info.context_group = kGroup;
  info.origin = worker.origin;
  info.aux_data = aux;
  inspector_->contextCreated(info);
}

Inspector::~Inspector() {
  sessions_.clear();
  const v8::HandleScope scope(worker_.isolate);
  inspector_->contextDestroyed(worker_.realm->context.Get(worker_.isolate));
}

void Inspector::Handle(const InspectorOrder& order) {
  const v8::HandleScope scope(worker_.isolate);
  switch (order.kind) {
    case InspectorOrder::Kind::kAttach:
      return Attach(order.session);
    case InspectorOrder::Kind::kWait:
      if (sessions_.contains(order.session)) waiting_.insert(order.session);
      return;
    case InspectorOrder::Kind::kMessage:
      return Dispatch(order.session, order.message);
    case InspectorOrder::Kind::kDetach:
      return Detach(order.session);
  }
}

void Inspector::Attach(std::uint64_t session) {
  auto& made = sessions_[session];
  if (made) return;
  made = std::make_shared<Session>(worker_, session);
  made->Open(*inspector_);
}

void Inspector::Detach(std::uint64_t session) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  const auto kept = std::move(found->second);
  sessions_.erase(found);
  waiting_.erase(session);
  kept->Close();
  worker_.socket->Send(InspectorDetached(session));
}

void Inspector::Dispatch(std::uint64_t session, std::string_view message) {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  // It may leave while its order stands still in a pause.
  const auto kept = found->second;
  const std::uint64_t outer = std::exchange(dispatching_, session);
  kept->Dispatch(message);
  dispatching_ = outer;
}

// ------------------------------------------------------------------------------------------------ standing
// still
void Inspector::runMessageLoopOnPause(int) {
  const int mine = ++depth_;
  if (mine == 1) TellPaused(true);
  while (depth_ >= mine) HandleNext();
  if (depth_ == 0) TellPaused(false);
}

void Inspector::quitMessageLoopOnPause() {
  if (depth_ > 0) --depth_;
}

void Inspector::runIfWaitingForDebugger(int) { waiting_.erase(dispatching_); }

void Inspector::WaitForDebuggers() {
  if (waiting_.empty()) return;
  TellPaused(true);
  while (!waiting_.empty()) {
    HandleNext();
    worker_.Checkpoint();
  }
  TellPaused(false);
}

// Whatever is not for the inspector waits in order.
std::optional<std::string> Inspector::NextFrame() {
  auto& aside = worker_.set_aside;
  for (auto message = aside.begin(); message != aside.end(); ++message) {
    const auto incoming = Glance(*message);
    if (!incoming || !incoming->inspector) continue;
    std::string frame(*incoming->inspector);
    aside.erase(message);
    return frame;
  }
  while (const auto message = worker_.socket->Receive()) {
    const auto incoming = Glance(*message);
    if (!incoming) worker_.Die(kExitProtocol, "protocol: a malformed message");
    if (incoming->inspector) {
      worker_.sync_reply_seq = std::max(worker_.sync_reply_seq, incoming->seq);
      return std::string(*incoming->inspector);
    }
    aside.emplace_back(*message);
  }
  return std::nullopt;
}

void Inspector::HandleNext() {
  if (const auto frame = NextFrame()) return HandleInspectorFrame(worker_, *frame, false);
  if (worker_.socket->HasOutput()) worker_.socket->Flush();
  worker_.Sleep(-1);
}

void Inspector::TellPaused(bool paused) { worker_.socket->Send(InspectorPaused(paused)); }

// ------------------------------------------------------------------------------------------------ what
// happens
unsigned Inspector::ExceptionThrown(v8::Local<v8::Value> error, bool in_promise) {
  v8::Isolate* isolate = worker_.isolate;
  const v8::HandleScope scope(isolate);
  const v8::Local<v8::Context> context = worker_.realm->context.Get(isolate);
  const v8::Local<v8::Message> message = v8::Exception::CreateMessage(isolate, error);
  const std::string url = ToUtf8(isolate, message->GetScriptResourceName());
  const std::string detail = ToUtf8(isolate, message->Get());
  const v8::Local<v8::StackTrace> stack = message->GetStackTrace();
  std::unique_ptr<v8_inspector::V8StackTrace> trace;
  if (!stack.IsEmpty() && stack->GetFrameCount() > 0) trace = inspector_->createStackTrace(stack);
  const int script = message->GetScriptOrigin().ScriptId();
  const auto line = static_cast<unsigned>(message->GetLineNumber(context).FromMaybe(0));
  const auto column = static_cast<unsigned>(message->GetStartColumn(context).FromMaybe(-1) + 1);
  return inspector_->exceptionThrown(context, in_promise ? "Uncaught (in promise)" : "Uncaught", error,
                                     detail, url, line, column, std::move(trace), script);
}

void Inspector::ExceptionRevoked(unsigned number) {
  const v8::HandleScope scope(worker_.isolate);
  inspector_->exceptionRevoked(worker_.realm->context.Get(worker_.isolate), number,
                               "Handler added to rejected promise");
}

void Inspector::TimerSet(std::uint64_t id) {
  inspector_->asyncTaskScheduled("setTimeout", TimerTask(id), false);
}
void Inspector::TimerCleared(std::uint64_t id) { inspector_->asyncTaskCanceled(TimerTask(id)); }
void Inspector::TimerStarts(std::uint64_t id) { inspector_->asyncTaskStarted(TimerTask(id)); }
void Inspector::TimerEnded(std::uint64_t id) { inspector_->asyncTaskFinished(TimerTask(id)); }

v8::Local<v8::Context> Inspector::ensureDefaultContextInGroup(int) {
  return worker_.realm->context.Get(worker_.isolate);
}

double Inspector::currentTimeMS() { return static_cast<double>(worker_.clock.WallUs()) / 1000; }

// V8's own were drawn in the zygote: all children would have the same.
std::int64_t Inspector::generateUniqueId() {
  std::int64_t id = 0;
  if (::getrandom(&id, sizeof id, 0) != sizeof id) id = 0;
  return id;
}

// ------------------------------------------------------------------------------------------------ processes

void HandleInspectorFrame(Worker& worker, std::string_view frame, bool outermost) {
  const auto order = ParseInspectorOrder(frame);
  if (!order) worker.Die(kExitProtocol, "protocol: a malformed word to the inspector");
  if (!worker.inspector && order->kind != InspectorOrder::Kind::kAttach) return;
  if (!worker.inspector) worker.inspector = new Inspector(worker);
  worker.inspector->Handle(*order);
  if (!outermost || !worker.inspector->unused()) return;
  delete std::exchange(worker.inspector, nullptr);
}

}  // namespace vigil::worker
