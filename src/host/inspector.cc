#include "host/inspector.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/process.h"

namespace vigil::host {

// ----------------------------------------------------------------------------------------------------
// session
InspectorSession::~InspectorSession() {
  if (const auto process = process_.lock()) process->inspector().Detach(number_);
}

bool InspectorSession::Send(std::string message) {
  const auto process = process_.lock();
  return process && process->inspector().Send(number_, std::move(message));
}

void InspectorSession::Taken(std::size_t bytes) {
  if (const auto process = process_.lock()) process->inspector().Taken(number_, bytes);
}

// ---------------------------------------------------------------------------------------------------- port
std::uint64_t InspectorPort::Attach(InspectorHandlers handlers, bool wait_for_debugger) {
  const std::uint64_t number = ++last_session_;
  sessions_[number].handlers = std::move(handlers);
  ++open_;
  ipc::InspectorFrame frame;
  frame.set_session(number);
  frame.mutable_attach();
  send_(frame);
  if (wait_for_debugger) {
    frame.set_paused(true);
    send_(frame);
  }
  changed_();
  return number;
}

void InspectorPort::Detach(std::uint64_t number) {
  const auto found = sessions_.find(number);
  if (found != sessions_.end() && found->second.open) Close(found->second, number);
}

void InspectorPort::Close(Session& session, std::uint64_t number) {
  session = Session{};
  session.open = false;
  --open_;
  ipc::InspectorFrame frame;
  frame.set_session(number);
  frame.mutable_detach();
  send_(std::move(frame));
  changed_();
}

bool InspectorPort::Send(std::uint64_t number, std::string message) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end() || !found->second.open ||
      message.size() > InspectorSession::kMaxCommandBytes) {
    return false;
  }
  ipc::InspectorFrame frame;
  frame.set_session(number);
  frame.set_message(std::move(message));
  send_(std::move(frame));
  return true;
}

void InspectorPort::Taken(std::uint64_t number, std::size_t bytes) {
  const auto found = sessions_.find(number);
  if (found == sessions_.end()) return;
  found->second.waiting_bytes -= std::min(bytes, found->second.waiting_bytes);
}

Refusal InspectorPort::OnFrame(ipc::InspectorFrame frame) {
  constexpr const char* kForged = "spoke to a developer tool that is not attached";
  if (frame.body_case() == ipc::InspectorFrame::kPaused) {
    // The end of a pause may come after that of the session which it was for.
    if (sessions_.empty() && !(paused_ && !frame.paused())) return kForged;
    if (std::exchange(paused_, frame.paused()) == frame.paused()) return std::nullopt;
    changed_();
    for (std::uint64_t number = 1; number <= last_session_; ++number) {
      const auto found = sessions_.find(number);
      if (found == sessions_.end() || !found->second.handlers.paused) continue;
      auto handler = found->second.handlers.paused;
      handler(frame.paused());
    }
    return std::nullopt;
  }
  const auto found = sessions_.find(frame.session());
  if (found == sessions_.end()) return kForged;
  switch (frame.body_case()) {
    case ipc::InspectorFrame::kMessage:
      OnMessage(frame.session(), found->second, std::move(*frame.mutable_message()));
      return std::nullopt;
    case ipc::InspectorFrame::kDetach:
      if (found->second.open) return kForged;
      sessions_.erase(found);
      return std::nullopt;
    default:
      return kForged;
  }
}

void InspectorPort::OnMessage(std::uint64_t number, Session& session, std::string message) {
  if (!session.open) return;
  session.waiting_bytes += message.size();
  const auto most = static_cast<std::size_t>(caps_.inspector_bytes);
  // One that is large all by itself is fine: its size is limited already.
  if (most > 0 && session.waiting_bytes > most && session.waiting_bytes > message.size()) {
    auto detached = session.handlers.detached;
    Close(session, number);
    if (detached) detached(fmt::format("the worker says more than is read: {} bytes wait", most));
    return;
  }
  auto handler = session.handlers.message;
  if (handler) handler(std::move(message));
}

void InspectorPort::Ended(const std::string& reason) {
  open_ = 0;
  for (auto& [number, session] : std::exchange(sessions_, {})) {
    if (session.handlers.detached) session.handlers.detached(reason);
  }
}

}  // namespace vigil::host
