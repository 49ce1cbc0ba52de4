// The transactions of one IndexedDB database: who may run when, and the running of it.
//
// A transaction starts when no transaction created before it that still lives overlaps it in scope while one
// of the two writes (Indexed Database API, section 2.7.2). The locks alone isolate transactions from each
// other. The backing store has one writer at a time: a transaction becomes it with its first write and stays
// it to its end; another that wants to write meanwhile waits with that message, which the specification
// allows and which cannot deadlock, as whoever writes waits for nobody.
//
// Storage thread only. Owned by IdbDatabase.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <set>
#include <string>

#include "ipc/storage.pb.h"
#include "storage/backing_store.h"
#include "storage/idb_operations.h"

namespace vigil::storage {

struct ConnectionId {
  std::uint64_t client = 0;
  std::uint64_t number = 0;
  friend auto operator<=>(const ConnectionId&, const ConnectionId&) = default;
};

// The number of a connection's versionchange transaction.
constexpr std::uint64_t kVersionChange = 1;

class IdbTransactions {
 public:
  struct Callbacks {
    std::function<void(ConnectionId, std::uint64_t request, ipc::IdbReply)> reply;
    // After the reply. May call back into this object.
    std::function<void(ConnectionId, std::uint64_t transaction, bool committed)> finished;
    std::function<bool(std::uint64_t bytes)> reserve;
  };
  explicit IdbTransactions(Callbacks callbacks) : callbacks_(std::move(callbacks)) {}

  // Both stay valid until the next Use; no transaction lives at the time.
  void Use(BackingStore* store, ipc::IdbDatabaseInfo* info) { store_ = store, info_ = info; }

  // No other transaction lives. The caller has put the new version into the info.
  Result<> StartVersionChange(ConnectionId connection);
  void Run(ConnectionId connection, std::uint64_t request, ipc::IdbRequest::Run run);
  // Ends all transactions of the connection without effect.
  void Abort(ConnectionId connection);
  bool Has(ConnectionId connection) const;

 private:
  struct Message {
    std::uint64_t request;
    ipc::IdbRequest::Run run;
    std::uint64_t bytes = 0;
  };
  struct Transaction {
    ConnectionId connection;
    std::uint64_t id = 0;
    bool write = false;
    bool strict = false;
    bool started = false;
    bool finished = false;
    bool committed = false;
    bool paused = false;  // its client reads on before anything else
    std::set<StoreId> scope;
    std::deque<Message> waiting;
    std::uint64_t waiting_bytes = 0;
  };
  struct Locks {
    bool exclusive = false;
    std::set<StoreId> read, write;
  };

  Transaction* Find(ConnectionId connection, std::uint64_t id);
  std::string Create(ConnectionId connection, const ipc::IdbRequest::Run& run);
  static bool Free(const Locks& locks, const Transaction& transaction);
  static void Take(Locks& locks, const Transaction& transaction);
  void Pump();
  bool PumpOnce();
  // False: it must wait for the writer.
  bool RunFront(Transaction& transaction);
  Result<bool> BecomeWriter(Transaction& transaction, const ipc::IdbRequest::Run& run);
  Result<> RunOperations(Transaction& transaction, const ipc::IdbRequest::Run& run, ipc::IdbReply& reply);
  void Finish(Transaction& transaction, bool committed);
  void Break(Transaction& transaction, const Error& error, ipc::IdbReply& reply);
  void Refuse(ConnectionId connection, std::uint64_t request, const std::string& message);

  Callbacks callbacks_;
  BackingStore* store_ = nullptr;
  ipc::IdbDatabaseInfo* info_ = nullptr;
  std::list<Transaction> transactions_;  // in order of creation
  int ended_ = 0;                        // finished, and still in the list
  Transaction* writer_ = nullptr;
  bool pumping_ = false;
  bool pump_again_ = false;
};

}  // namespace vigil::storage
