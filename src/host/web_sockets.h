// The WebSockets of worker processes. They are activity of nobody: a process may be stopped while they are
// open, and they end with it. Event-loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "host/context.h"
#include "host/processes.h"
#include "net/websocket.h"

namespace vigil::host {

class WebSocketTable {
 public:
  // A process has at most so much unsent on one socket when it hands over another message.
  static constexpr std::size_t kSendWindow = 1024 * 1024;

  explicit WebSocketTable(HostContext& context) : context_(context) {}

  void OnCall(WorkerProcess& process, const ProcessOwner& owner, ipc::WebSocketCall call);
  void OnProcessEnded(std::uint64_t process_id);

 private:
  using Key = std::pair<std::uint64_t, std::uint32_t>;  // process, socket
  struct Entry {
    std::unique_ptr<net::WebSocket> socket;
    std::size_t unsent = 0;
  };

  void Open(WorkerProcess& process, const ProcessOwner& owner, std::uint32_t number,
            ipc::WebSocketCall::Open open);
  void Send(WorkerProcess& process, Entry& entry, ipc::WebSocketMessage message);
  net::WebSocketHandlers HandlersFor(WorkerProcess& process, Key key);

  HostContext& context_;
  std::map<Key, Entry> sockets_;
  std::map<std::uint64_t, std::uint32_t> last_number_;
};

}  // namespace vigil::host
