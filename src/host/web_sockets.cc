#include "host/web_sockets.h"

#include <boost/asio/post.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "host/fetch_client.h"
#include "net/fetch_headers.h"

namespace vigil::host {
namespace {

void Misbehaved(WorkerProcess& process, const std::string& what) {
  process.Kill(ExitReport::Reason::kMisbehaved, what + " and was killed");
}

void Tell(const std::weak_ptr<WorkerProcess>& weak, ipc::WebSocketEvent event) {
  const auto process = weak.lock();
  if (!process) return;
  ipc::ToWorker message;
  *message.mutable_web_socket() = std::move(event);
  process->Send(std::move(message));
}

// What scripts can say by close() (WebSockets, "close"), and what the wire can carry.
bool IsCloseCode(std::uint32_t code) { return code == 0 || code == 1000 || (code >= 3000 && code <= 4999); }
constexpr std::size_t kMaxReason = 123;

}  // namespace

void WebSocketTable::OnCall(WorkerProcess& process, const ProcessOwner& owner, ipc::WebSocketCall call) {
  using C = ipc::WebSocketCall;
  if (call.body_case() == C::kOpen)
    return Open(process, owner, call.socket(), std::move(*call.mutable_open()));
  // It may have ended a moment ago, which the process does not know yet.
  const auto found = sockets_.find(Key(process.id(), call.socket()));
  if (found == sockets_.end()) return;
  Entry& entry = found->second;
  if (call.body_case() == C::kMessage) return Send(process, entry, std::move(*call.mutable_message()));
  if (call.body_case() == C::kGrant) return entry.socket->Grant(call.grant());
  if (call.body_case() != C::kClose) return;
  const C::Close& close = call.close();
  if (!IsCloseCode(close.code()) || close.reason().size() > kMaxReason || !IsUtf8(close.reason()))
    return Misbehaved(process, "closed a WebSocket in a way that scripts cannot");
  entry.socket->Close(static_cast<std::uint16_t>(close.code()), close.reason());
}

void WebSocketTable::Open(WorkerProcess& process, const ProcessOwner& owner, std::uint32_t number,
                          ipc::WebSocketCall::Open open) {
  std::uint32_t& last = last_number_[process.id()];
  if (number != last + 1) return Misbehaved(process, "opened WebSockets out of order");
  last = number;
  for (const std::string& protocol : open.protocols()) {
    if (!net::IsToken(protocol)) return Misbehaved(process, "named a WebSocket protocol that is none");
  }
  const Key key(process.id(), number);
  Entry& entry = sockets_[key];
  std::vector<std::string> protocols(open.protocols().begin(), open.protocols().end());
  entry.socket = context_.deps.web_sockets.Open(ClientOf(owner), open.url(), std::move(protocols),
                                                HandlersFor(process, key));
}

void WebSocketTable::Send(WorkerProcess& process, Entry& entry, ipc::WebSocketMessage message) {
  const std::string& data = message.data();
  if (entry.unsent >= kSendWindow || data.size() > net::WebSocket::kMaxMessage)
    return Misbehaved(process, "sent more over a WebSocket than it may");
  if (message.text() && !IsUtf8(data))
    return Misbehaved(process, "sent a text over a WebSocket that is not UTF-8");
  entry.unsent += data.size();
  entry.socket->Send(message.text(), std::move(*message.mutable_data()));
}

net::WebSocketHandlers WebSocketTable::HandlersFor(WorkerProcess& process, Key key) {
  const std::weak_ptr<WorkerProcess> weak = process.weak_from_this();
  net::WebSocketHandlers handlers;
  handlers.on_open = [weak, key](std::string protocol, std::string extensions) {
    ipc::WebSocketEvent event;
    event.set_socket(key.second);
    event.mutable_opened()->set_protocol(ToUtf8(protocol));
    event.mutable_opened()->set_extensions(ToUtf8(extensions));
    Tell(weak, std::move(event));
  };
  handlers.on_message = [weak, key](bool text, std::string data) {
    ipc::WebSocketEvent event;
    event.set_socket(key.second);
    event.mutable_message()->set_text(text);
    event.mutable_message()->set_data(std::move(data));
    Tell(weak, std::move(event));
  };
  handlers.on_sent = [this, weak, key](std::size_t bytes) {
    const auto found = sockets_.find(key);
    if (found != sockets_.end()) found->second.unsent -= bytes;
    ipc::WebSocketEvent event;
    event.set_socket(key.second);
    event.set_sent(static_cast<std::uint32_t>(bytes));
    Tell(weak, std::move(event));
  };
  handlers.on_end = [this, weak, key](net::WebSocketEnd end) {
    ipc::WebSocketEvent event;
    event.set_socket(key.second);
    event.mutable_ended()->set_code(end.code);
    event.mutable_ended()->set_reason(ToUtf8(end.reason));
    event.mutable_ended()->set_clean(end.clean);
    event.mutable_ended()->set_error(ToUtf8(end.error));
    sockets_.erase(key);
    Tell(weak, std::move(event));
  };
  return handlers;
}

void WebSocketTable::OnProcessEnded(std::uint64_t process_id) {
  last_number_.erase(process_id);
  sockets_.erase(sockets_.lower_bound(Key(process_id, 0)), sockets_.lower_bound(Key(process_id + 1, 0)));
}

}  // namespace vigil::host
