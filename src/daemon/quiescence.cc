#include "daemon/quiescence.h"

namespace vigil::daemon {

StorageQuiescence::StorageQuiescence(host::Clock& clock, host::StorageThread& storage)
    : clock_(clock), storage_(storage) {
  clock.AddQuiescenceSource(this);
}

FetchQuiescence::FetchQuiescence(host::Clock& clock, net::Fetcher& fetcher)
    : clock_(clock), fetcher_(fetcher) {
  fetcher.OnIdle([&clock] { clock.NoteQuiescence(); });
  clock.AddQuiescenceSource(this);
}

WebSocketQuiescence::WebSocketQuiescence(host::Clock& clock, net::WebSockets& sockets)
    : clock_(clock), sockets_(sockets) {
  sockets.OnSettled([&clock] { clock.NoteQuiescence(); });
  clock.AddQuiescenceSource(this);
}

}  // namespace vigil::daemon
