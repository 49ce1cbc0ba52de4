#include "storage/idb_transactions.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "storage/origin_directories.h"

namespace vigil::storage {
namespace {

// Records of one reply; below the limit of a frame with room to spare.
constexpr std::uint64_t kReplyBudget = 4 << 20;
// What one transaction may have waiting for its start, and how many transactions one connection may have.
constexpr std::uint64_t kMaxWaitingBytes = 256 << 20;
constexpr std::ptrdiff_t kMaxTransactions = 20000;
constexpr int kMaxOperations = 20000;  // of one message

const char* NameOf(const Error& error) {
  return error.code == ErrorCode::kTooLarge ? "QuotaExceededError" : "UnknownError";
}

}  // namespace

IdbTransactions::Transaction* IdbTransactions::Find(ConnectionId connection, std::uint64_t id) {
  for (Transaction& transaction : transactions_) {
    if (transaction.connection == connection && transaction.id == id) return &transaction;
  }
  return nullptr;
}

bool IdbTransactions::Has(ConnectionId connection) const {
  return std::any_of(transactions_.begin(), transactions_.end(),
                     [&](const Transaction& transaction) { return transaction.connection == connection; });
}

void IdbTransactions::Refuse(ConnectionId connection, std::uint64_t request, const std::string& message) {
  ipc::IdbReply reply;
  reply.set_error_name("AbortError");
  reply.set_error_message(message);
  callbacks_.reply(connection, request, std::move(reply));
}

Result<> IdbTransactions::StartVersionChange(ConnectionId connection) {
  VIGIL_TRY(store_->Begin(false));
  if (auto set = store_->SetVersion(info_->version()); !set) {
    store_->Rollback();
    return set;
  }
  Transaction& transaction = transactions_.emplace_back();
  transaction.connection = connection;
  transaction.id = kVersionChange;
  transaction.write = true;
  transaction.started = true;
  writer_ = &transaction;
  return {};
}

// Returns what is wrong with it, or nothing.
std::string IdbTransactions::Create(ConnectionId connection, const ipc::IdbRequest::Run& run) {
  if (run.transaction() <= kVersionChange) return "The number of the transaction is not valid.";
  if (run.begin().stores().empty()) return "The transaction has no scope.";
  const auto of_connection = [&](const Transaction& other) { return other.connection == connection; };
  if (std::count_if(transactions_.begin(), transactions_.end(), of_connection) >= kMaxTransactions) {
    return "Too many transactions.";
  }
  Transaction& transaction = transactions_.emplace_back();
  transaction.connection = connection;
  transaction.id = run.transaction();
  transaction.write = run.begin().write();
  transaction.strict = run.begin().strict();
  transaction.scope.insert(run.begin().stores().begin(), run.begin().stores().end());
  return "";
}

void IdbTransactions::Run(ConnectionId connection, std::uint64_t request, ipc::IdbRequest::Run run) {
  Transaction* transaction = Find(connection, run.transaction());
  if (run.has_begin()) {
    if (transaction) return Refuse(connection, request, "The transaction has begun already.");
    if (const std::string wrong = Create(connection, run); !wrong.empty()) {
      return Refuse(connection, request, wrong);
    }
    transaction = &transactions_.back();
  }
  if (!transaction) return Refuse(connection, request, "The transaction has ended.");
  if (run.operations_size() > kMaxOperations) {
    Finish(*transaction, false);
    Refuse(connection, request, "Too many operations in one message.");
    return Pump();
  }
  if (run.abort()) {
    Finish(*transaction, false);
    callbacks_.reply(connection, request, ipc::IdbReply());
    return Pump();
  }
  const std::uint64_t bytes = run.ByteSizeLong();
  transaction->waiting_bytes += bytes;
  if (run.resume() && transaction->paused) {
    transaction->paused = false;
    transaction->waiting.push_front(Message{request, std::move(run), bytes});
  } else {
    transaction->waiting.push_back(Message{request, std::move(run), bytes});
  }
  if (transaction->waiting_bytes > kMaxWaitingBytes) {
    ipc::IdbReply unused;
    Break(*transaction, Error{ErrorCode::kTooLarge, "too many operations wait for one transaction"}, unused);
  }
  Pump();
}

void IdbTransactions::Abort(ConnectionId connection) {
  for (Transaction& transaction : transactions_) {
    if (transaction.connection == connection) Finish(transaction, false);
  }
  Pump();
}

bool IdbTransactions::Free(const Locks& locks, const Transaction& transaction) {
  if (locks.exclusive) return false;
  return std::none_of(transaction.scope.begin(), transaction.scope.end(), [&](StoreId store) {
    return locks.write.contains(store) || (transaction.write && locks.read.contains(store));
  });
}

void IdbTransactions::Take(Locks& locks, const Transaction& transaction) {
  if (transaction.id == kVersionChange) locks.exclusive = true;
  (transaction.write ? locks.write : locks.read).insert(transaction.scope.begin(), transaction.scope.end());
}

void IdbTransactions::Pump() {
  if (pumping_) {
    pump_again_ = true;
    return;
  }
  pumping_ = true;
  do {
    pump_again_ = false;
    while (PumpOnce()) {
    }
  } while (pump_again_);
  pumping_ = false;
}

// Walks through the transactions once. True: one has ended, so that others may go on.
bool IdbTransactions::PumpOnce() {
  Locks locks;
  for (auto it = transactions_.begin(); it != transactions_.end(); ++it) {
    Transaction& transaction = *it;
    if (!transaction.started && !transaction.finished) transaction.started = Free(locks, transaction);
    while (transaction.started && !transaction.finished && !transaction.paused &&
           !transaction.waiting.empty()) {
      if (!RunFront(transaction)) break;
    }
    if (transaction.finished) {
      for (const Message& message : transaction.waiting) {
        Refuse(transaction.connection, message.request, "The transaction has ended.");
      }
      const ConnectionId connection = transaction.connection;
      const std::uint64_t id = transaction.id;
      const bool committed = transaction.committed;
      transactions_.erase(it);
      --ended_;
      callbacks_.finished(connection, id, committed);
      return true;
    }
    Take(locks, transaction);
    // Nobody behind can start, so nobody behind has work: thousands may be waiting.
    const bool all_locked =
        locks.exclusive || locks.write.size() == static_cast<std::size_t>(info_->stores_size());
    if (all_locked && ended_ == 0) return false;
  }
  return false;
}

bool IdbTransactions::RunFront(Transaction& transaction) {
  const ipc::IdbRequest::Run& run = transaction.waiting.front().run;
  ipc::IdbReply reply;
  const auto ready = BecomeWriter(transaction, run);
  if (ready && !*ready) return false;
  const auto done = ready ? RunOperations(transaction, run, reply) : tl::unexpected<Error>(ready.error());
  if (!done) Break(transaction, done.error(), reply);
  const std::uint64_t request = transaction.waiting.front().request;
  transaction.waiting_bytes -= transaction.waiting.front().bytes;
  transaction.waiting.pop_front();
  callbacks_.reply(transaction.connection, request, std::move(reply));
  return true;
}

Result<bool> IdbTransactions::BecomeWriter(Transaction& transaction, const ipc::IdbRequest::Run& run) {
  if (!transaction.write || writer_ == &transaction) return true;
  const auto& operations = run.operations();
  if (std::none_of(operations.begin(), operations.end(), IsWrite)) return true;
  if (writer_) return false;
  VIGIL_TRY(store_->Begin(transaction.strict));
  writer_ = &transaction;
  return true;
}

Result<> IdbTransactions::RunOperations(Transaction& transaction, const ipc::IdbRequest::Run& run,
                                        ipc::IdbReply& reply) {
  const bool version_change = transaction.id == kVersionChange;
  OperationContext context{
      .store = *store_, .info = *info_, .scope = version_change ? nullptr : &transaction.scope};
  context.may_write = transaction.write;
  context.may_change_schema = version_change;
  context.reserve = callbacks_.reserve;
  context.full_budget = context.reply_budget = kReplyBudget;
  bool all_well = true;
  for (const ipc::IdbOperation& operation : run.operations()) {
    VIGIL_ASSIGN(ipc::IdbResult result, Execute(context, operation));
    all_well = all_well && result.error_name().empty();
    transaction.paused = result.more();
    *reply.add_results() = std::move(result);
    if (transaction.paused) return {};
  }
  // What failed aborts the transaction, unless the script says otherwise: it has to hear of it first.
  if (!run.commit() || !all_well) return {};
  if (writer_ == &transaction) VIGIL_TRY(store_->Commit());
  reply.set_committed(true);
  Finish(transaction, true);
  return {};
}

void IdbTransactions::Finish(Transaction& transaction, bool committed) {
  if (transaction.finished) return;
  transaction.finished = true;
  ++ended_;
  transaction.committed = committed;
  if (writer_ != &transaction) return;
  if (!committed) store_->Rollback();
  writer_ = nullptr;
}

void IdbTransactions::Break(Transaction& transaction, const Error& error, ipc::IdbReply& reply) {
  log::Warning("IndexedDB transaction aborted: {}", error.message);
  Finish(transaction, false);
  reply.clear_results();
  reply.set_error_name(NameOf(error));
  reply.set_error_message(error.code == ErrorCode::kTooLarge ? "The storage is full." : kStorageFailed);
}

}  // namespace vigil::storage
