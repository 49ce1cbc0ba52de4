// One IndexedDB database of an origin: its connections and the queue of requests to open or delete it
// (Indexed Database API, sections 2.1 and 5.1 to 5.3).
//
// Storage thread only. Owned by IdbOrigin.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "ipc/storage.pb.h"
#include "storage/backing_store.h"
#include "storage/idb_transactions.h"

namespace vigil::storage {

class IdbDatabase {
 public:
  struct Environment {
    std::function<void(std::uint64_t client, std::uint64_t request, ipc::IdbReply)> reply;
    std::function<void(std::uint64_t client, ipc::IdbNotice)> notify;
    std::function<bool(std::uint64_t bytes)> reserve;
    std::function<Result<std::unique_ptr<BackingStore>>()> open;
    std::function<Result<bool>()> exists;
    std::function<Result<>()> remove;
    std::function<void(ConnectionId)> connection_gone;
    std::function<std::uint64_t()> next_notice;
  };
  IdbDatabase(std::string name, Environment environment);
  ~IdbDatabase();

  // A version of 0 means none was asked for.
  void Open(ConnectionId connection, std::uint64_t request, std::uint64_t version);
  void Delete(ConnectionId connection, std::uint64_t request);
  void Close(ConnectionId connection);
  void VersionChangeDone(std::uint64_t client, std::uint64_t notice);
  void Run(ConnectionId connection, std::uint64_t request, ipc::IdbRequest::Run run);
  void RemoveClient(std::uint64_t client);
  // Ends everything; connections are told. The database can be opened again afterwards.
  void ForceClose();

  // As last committed; 0: it does not exist.
  Result<std::uint64_t> Version();
  // Nobody uses or wants it.
  bool idle() const { return connections_.empty() && queue_.empty(); }

 private:
  struct Connection {
    bool closing = false;
  };
  struct Pending {
    enum class State { kQueued, kAsking, kBlocked, kUpgrading };
    ConnectionId connection;
    std::uint64_t request = 0;
    bool is_delete = false;
    std::uint64_t version = 0;
    State state = State::kQueued;
    std::map<std::uint64_t, ConnectionId> notices = {};  // versionchange events not fired yet
  };

  Result<> EnsureOpen();
  void Advance();
  // Each returns true when the head of the queue has moved on.
  bool StartHead(Pending& head);
  bool AskOthers(Pending& head);
  bool FinishExclusive(Pending& head);
  bool StartUpgrade(Pending& head);
  void EndUpgrade(bool committed);
  void Answer(const Pending& pending, ipc::IdbReply reply);
  void FailHead(const std::string& name, const std::string& message);
  void TransactionFinished(ConnectionId connection, std::uint64_t transaction, bool committed);
  void Disconnect(ConnectionId connection);

  const std::string name_;
  Environment environment_;
  std::unique_ptr<BackingStore> store_;
  ipc::IdbDatabaseInfo info_;
  std::uint64_t committed_version_ = 0;
  IdbTransactions transactions_;
  std::map<ConnectionId, Connection> connections_;
  std::deque<Pending> queue_;
  bool advancing_ = false;
};

}  // namespace vigil::storage
