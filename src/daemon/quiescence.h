// What the virtual clock waits for besides worker processes: the storage thread, network fetches, and
// WebSockets that are being connected.
#pragma once

#include "host/clock.h"
#include "host/storage_thread.h"
#include "net/fetcher.h"
#include "net/websocket.h"

namespace vigil::daemon {

// Event-loop thread. All outlive it. Whoever makes the storage thread sees to its OnIdle.
class StorageQuiescence final : public host::QuiescenceSource {
 public:
  StorageQuiescence(host::Clock& clock, host::StorageThread& storage);
  ~StorageQuiescence() override { clock_.RemoveQuiescenceSource(this); }
  bool quiescent() const override { return storage_.pending() == 0; }

 private:
  host::Clock& clock_;
  host::StorageThread& storage_;
};

class FetchQuiescence final : public host::QuiescenceSource {
 public:
  FetchQuiescence(host::Clock& clock, net::Fetcher& fetcher);
  ~FetchQuiescence() override { clock_.RemoveQuiescenceSource(this); }
  bool quiescent() const override { return fetcher_.Running() == 0; }

 private:
  host::Clock& clock_;
  net::Fetcher& fetcher_;
};

class WebSocketQuiescence final : public host::QuiescenceSource {
 public:
  WebSocketQuiescence(host::Clock& clock, net::WebSockets& sockets);
  ~WebSocketQuiescence() override { clock_.RemoveQuiescenceSource(this); }
  bool quiescent() const override { return sockets_.Connecting() == 0; }

 private:
  host::Clock& clock_;
  net::WebSockets& sockets_;
};

}  // namespace vigil::daemon
