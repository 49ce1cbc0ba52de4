// The daemon's side of IndexedDB: takes the messages of src/ipc/storage.proto from worker processes and
// answers them.
//
// A state machine without threads: Handle() does all it can at once and answers through the sink, possibly
// later and in another order than asked (an open waits for other connections to close, a transaction for
// those before it). Every message may come from a hostile process: whatever it says is checked, and at worst
// it is answered with an error. A client can only reach databases of the origin it was added with.
//
// Storage thread only. The sink is called on it too, from inside Handle() and RemoveClient().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ipc/storage.pb.h"
#include "storage/backing_store.h"
#include "storage/origin_directories.h"

namespace vigil::storage {

// A worker process (or page), as the host counts them; never used twice.
using ClientId = std::uint64_t;

// Where answers go. Calls for a client stop when RemoveClient() has returned.
class IdbSink {
 public:
  virtual ~IdbSink() = default;
  // The one answer to the request; becomes Reply.idb with Reply.id = request_id.
  virtual void OnReply(ClientId client, std::uint64_t request_id, ipc::IdbReply reply) = 0;
  // Becomes ToWorker.idb. Keep the order with replies.
  virtual void OnNotice(ClientId client, ipc::IdbNotice notice) = 0;
};

class IdbOrigin;

class IdbService {
 public:
  // Keeps databases in files.
  IdbService(OriginDirectories& directories, IdbSink& sink);
  // Keeps them where the factory says; it must outlive the service.
  IdbService(OriginDirectories& directories, IdbSink& sink, BackingStoreFactory& factory);
  ~IdbService();
  IdbService(const IdbService&) = delete;
  IdbService& operator=(const IdbService&) = delete;

  // Before the client's first message.
  void AddClient(ClientId client, const std::string& origin);
  // The client is gone: its transactions abort, its connections close, its locks free; nobody is answered.
  void RemoveClient(ClientId client);
  // request_id: the id of the ipc::Request; answered exactly once through the sink unless the client is
  // removed.
  void Handle(ClientId client, std::uint64_t request_id, ipc::IdbRequest request);

  // Deletes all databases of the origin. Open connections get a force_closed notice. Errors: kIo.
  Result<> ClearOrigin(const std::string& origin);

 private:
  struct Client {
    std::string origin;
  };
  OriginDirectories& directories_;
  IdbSink& sink_;
  std::unique_ptr<BackingStoreFactory> own_factory_;
  BackingStoreFactory& factory_;
  std::map<ClientId, Client> clients_;
  std::map<std::string, std::unique_ptr<IdbOrigin>> origins_;
};

}  // namespace vigil::storage
