// V8's inspector in a child: what developer tools and the realm in use say to each other (vigil.proto
// InspectorFrame). It exists while a tool is attached, and only then.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "worker/messages.h"
#include "worker/native/v8_inspector.h"
#include "worker/native/worker.h"

namespace vigil::worker {

class Inspector final : public v8_inspector::V8InspectorClient {
 public:
  explicit Inspector(Worker& worker);
  ~Inspector() override;
  Inspector(const Inspector&) = delete;
  Inspector& operator=(const Inspector&) = delete;

  // A tool attaches, says something, or leaves. It may run scripts, and stand still in one of them.
  void Handle(const InspectorOrder& order);
  // Nobody is attached and nothing stands still.
  bool unused() const { return sessions_.empty() && depth_ == 0; }
  // Before the script's first run: until each tool that asked for it has said that it may begin.
  void WaitForDebuggers();

  // What nobody caught. The number is for ExceptionRevoked.
  unsigned ExceptionThrown(v8::Local<v8::Value> error, bool in_promise);
  void ExceptionRevoked(unsigned number);
  // A timer's callback belongs to the stack that set it.
  void TimerSet(std::uint64_t id);
  void TimerCleared(std::uint64_t id);
  void TimerStarts(std::uint64_t id);
  void TimerEnded(std::uint64_t id);

  // For V8.
  void runMessageLoopOnPause(int group) override;
  void quitMessageLoopOnPause() override;
  void runIfWaitingForDebugger(int group) override;
  v8::Local<v8::Context> ensureDefaultContextInGroup(int group) override;
  double currentTimeMS() override;
  std::int64_t generateUniqueId() override;

 private:
  class Session;

  void Attach(std::uint64_t session);
  void Detach(std::uint64_t session);
  void Dispatch(std::uint64_t session, std::string_view message);
  void HandleNext();
  std::optional<std::string> NextFrame();
  void TellPaused(bool paused);

  Worker& worker_;
  std::unique_ptr<v8_inspector::V8Inspector> inspector_;
  std::map<std::uint64_t, std::shared_ptr<Session>> sessions_;
  std::set<std::uint64_t> waiting_;  // sessions that the first run waits for
  std::uint64_t dispatching_ = 0;    // the session that said what is being done
  int depth_ = 0;                    // pauses within pauses
};

// A frame of the daemon's for the inspector, which is made when it is needed, and goes when it is not any
// more. outermost: no script is under way.
void HandleInspectorFrame(Worker& worker, std::string_view frame, bool outermost);

}  // namespace vigil::worker
