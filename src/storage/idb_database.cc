#include "storage/idb_database.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "storage/origin_directories.h"

namespace vigil::storage {
namespace {

ipc::IdbReply Failure(const std::string& name, const std::string& message) {
  ipc::IdbReply reply;
  reply.set_error_name(name);
  reply.set_error_message(message);
  return reply;
}

}  // namespace

IdbDatabase::IdbDatabase(std::string name, Environment environment)
    : name_(std::move(name)),
      environment_(std::move(environment)),
      transactions_(IdbTransactions::Callbacks{
          .reply =
              [this](ConnectionId connection, std::uint64_t request, ipc::IdbReply reply) {
                environment_.reply(connection.client, request, std::move(reply));
              },
          .finished = [this](ConnectionId connection, std::uint64_t transaction,
                             bool committed) { TransactionFinished(connection, transaction, committed); },
          .reserve = [this](std::uint64_t bytes) { return environment_.reserve(bytes); }}) {}

IdbDatabase::~IdbDatabase() = default;

Result<> IdbDatabase::EnsureOpen() {
  if (store_) return {};
  VIGIL_ASSIGN(auto store, environment_.open());
  VIGIL_ASSIGN(info_, store->Load());
  committed_version_ = info_.version();
  store_ = std::move(store);
  transactions_.Use(store_.get(), &info_);
  return {};
}

Result<std::uint64_t> IdbDatabase::Version() {
  if (!store_) {
    VIGIL_ASSIGN(const bool exists, environment_.exists());
    if (!exists) return std::uint64_t{0};
    VIGIL_TRY(EnsureOpen());
  }
  return committed_version_;
}

void IdbDatabase::Open(ConnectionId connection, std::uint64_t request, std::uint64_t version) {
  queue_.push_back(Pending{.connection = connection, .request = request, .version = version});
  Advance();
}

void IdbDatabase::Delete(ConnectionId connection, std::uint64_t request) {
  queue_.push_back(Pending{.connection = connection, .request = request, .is_delete = true});
  Advance();
}

void IdbDatabase::Close(ConnectionId connection) {
  const auto it = connections_.find(connection);
  if (it == connections_.end()) return;
  it->second.closing = true;
  if (!transactions_.Has(connection)) Disconnect(connection);
  Advance();
}

void IdbDatabase::VersionChangeDone(std::uint64_t client, std::uint64_t notice) {
  for (Pending& pending : queue_) {
    const auto it = pending.notices.find(notice);
    if (it != pending.notices.end() && it->second.client == client) pending.notices.erase(it);
  }
  Advance();
}

void IdbDatabase::Run(ConnectionId connection, std::uint64_t request, ipc::IdbRequest::Run run) {
  const auto it = connections_.find(connection);
  if (it == connections_.end() || (it->second.closing && run.has_begin())) {
    environment_.reply(connection.client, request, Failure("AbortError", "The connection is closed."));
    return;
  }
  transactions_.Run(connection, request, std::move(run));
}

void IdbDatabase::RemoveClient(std::uint64_t client) {
  // A head that is upgrading ends with its transaction.
  std::erase_if(queue_, [&](const Pending& pending) {
    if (pending.connection.client != client || pending.state == Pending::State::kUpgrading) return false;
    environment_.connection_gone(pending.connection);
    return true;
  });
  std::vector<ConnectionId> gone;
  for (const auto& [id, connection] : connections_) {
    if (id.client == client) gone.push_back(id);
  }
  for (const ConnectionId id : gone) {
    connections_[id].closing = true;
    transactions_.Abort(id);
    Disconnect(id);
  }
  Advance();
}

void IdbDatabase::ForceClose() {
  advancing_ = true;  // nothing new starts meanwhile
  const std::map<ConnectionId, Connection> connections = connections_;
  for (const auto& [id, connection] : connections) {
    connections_[id].closing = true;
    transactions_.Abort(id);
    Disconnect(id);
    ipc::IdbNotice notice;
    notice.set_force_closed(id.number);
    environment_.notify(id.client, std::move(notice));
  }
  const std::deque<Pending> queue = std::exchange(queue_, {});
  for (const Pending& pending : queue) {
    Answer(pending, Failure("AbortError", "The database was deleted."));
    environment_.connection_gone(pending.connection);
  }
  store_.reset();
  advancing_ = false;
}

void IdbDatabase::Answer(const Pending& pending, ipc::IdbReply reply) {
  environment_.reply(pending.connection.client, pending.request, std::move(reply));
}

void IdbDatabase::FailHead(const std::string& name, const std::string& message) {
  Pending head = std::move(queue_.front());
  queue_.pop_front();
  environment_.connection_gone(head.connection);
  Answer(head, Failure(name, message));
}

// Works on the head of the queue until it has to wait. Not re-entrant: what calls it meanwhile has its effect
// in the running loop.
void IdbDatabase::Advance() {
  if (advancing_) return;
  advancing_ = true;
  while (!queue_.empty()) {
    Pending& head = queue_.front();
    bool moved = false;
    switch (head.state) {
      case Pending::State::kQueued:
        moved = StartHead(head);
        break;
      case Pending::State::kAsking:
        moved = AskOthers(head);
        break;
      case Pending::State::kBlocked:
        moved = FinishExclusive(head);
        break;
      case Pending::State::kUpgrading:
        break;
    }
    if (!moved) break;
  }
  advancing_ = false;
}

bool IdbDatabase::StartHead(Pending& head) {
  if (head.is_delete) {
    const auto version = Version();
    if (!version) {
      // What cannot be read can still be deleted.
      log::Warning("{}", version.error().message);
    } else if (*version == 0) {
      Pending done = std::move(queue_.front());
      queue_.pop_front();
      environment_.connection_gone(done.connection);
      Answer(done, ipc::IdbReply());
      return true;
    }
  } else {
    if (auto opened = EnsureOpen(); !opened) {
      log::Warning("{}", opened.error().message);
      FailHead("UnknownError", kStorageFailed);
      return true;
    }
    if (head.version == 0) head.version = std::max<std::uint64_t>(info_.version(), 1);
    if (head.version < info_.version()) {
      FailHead("VersionError", "The requested version (" + std::to_string(head.version) +
                                   ") is less than the existing version (" + std::to_string(info_.version()) +
                                   ").");
      return true;
    }
    if (head.version == info_.version()) {
      Pending done = std::move(queue_.front());
      queue_.pop_front();
      connections_.emplace(done.connection, Connection{});
      ipc::IdbReply reply;
      *reply.mutable_database() = info_;
      Answer(done, std::move(reply));
      return true;
    }
  }
  // It needs the database for itself: the other connections are asked to close.
  head.state = Pending::State::kAsking;
  for (const auto& [id, connection] : connections_) {
    if (connection.closing) continue;
    ipc::IdbNotice notice;
    notice.mutable_version_change()->set_id(environment_.next_notice());
    notice.mutable_version_change()->set_connection(id.number);
    notice.mutable_version_change()->set_old_version(info_.version());
    notice.mutable_version_change()->set_new_version(head.version);
    head.notices.emplace(notice.version_change().id(), id);
    environment_.notify(id.client, std::move(notice));
  }
  return true;
}

bool IdbDatabase::AskOthers(Pending& head) {
  if (!head.notices.empty()) return false;
  head.state = Pending::State::kBlocked;
  if (connections_.empty()) return true;
  ipc::IdbNotice notice;
  notice.mutable_blocked()->set_connection(head.connection.number);
  notice.mutable_blocked()->set_old_version(info_.version());
  notice.mutable_blocked()->set_new_version(head.version);
  environment_.notify(head.connection.client, std::move(notice));
  return true;
}

bool IdbDatabase::FinishExclusive(Pending& head) {
  if (!connections_.empty()) return false;
  if (!head.is_delete) return StartUpgrade(head);
  ipc::IdbReply reply;
  reply.set_old_version(info_.version());
  store_.reset();
  info_.Clear();
  committed_version_ = 0;
  if (auto removed = environment_.remove(); !removed) {
    log::Warning("{}", removed.error().message);
    reply = Failure("UnknownError", kStorageFailed);
  }
  Pending done = std::move(queue_.front());
  queue_.pop_front();
  environment_.connection_gone(done.connection);
  Answer(done, std::move(reply));
  return true;
}

bool IdbDatabase::StartUpgrade(Pending& head) {
  const std::uint64_t old_version = info_.version();
  info_.set_version(head.version);
  if (auto started = transactions_.StartVersionChange(head.connection); !started) {
    log::Warning("{}", started.error().message);
    info_.set_version(old_version);
    FailHead("UnknownError", kStorageFailed);
    return true;
  }
  head.state = Pending::State::kUpgrading;
  connections_.emplace(head.connection, Connection{});
  ipc::IdbNotice notice;
  notice.mutable_upgrade_needed()->set_connection(head.connection.number);
  notice.mutable_upgrade_needed()->set_old_version(old_version);
  *notice.mutable_upgrade_needed()->mutable_database() = info_;
  environment_.notify(head.connection.client, std::move(notice));
  return false;
}

void IdbDatabase::EndUpgrade(bool committed) {
  Pending head = std::move(queue_.front());
  queue_.pop_front();
  const bool closing = connections_[head.connection].closing;
  ipc::IdbReply reply =
      Failure("AbortError", committed ? "The connection was closed."
                                      : "Version change transaction was aborted in upgradeneeded "
                                        "event handler.");
  if (committed) {
    committed_version_ = info_.version();
    if (!closing) {
      reply.Clear();
      *reply.mutable_database() = info_;
    }
  } else {
    Disconnect(head.connection);
    auto reloaded = store_->Load();
    if (reloaded) info_ = std::move(*reloaded);
    if (!reloaded || info_.version() == 0) {
      // It was to be made and is not: nothing stays behind.
      store_.reset();
      info_.Clear();
      if (!reloaded) log::Warning("{}", reloaded.error().message);
      if (reloaded) (void)environment_.remove();
    }
  }
  Answer(head, std::move(reply));
}

void IdbDatabase::TransactionFinished(ConnectionId connection, std::uint64_t transaction, bool committed) {
  if (transaction == kVersionChange && !queue_.empty() &&
      queue_.front().state == Pending::State::kUpgrading && queue_.front().connection == connection) {
    EndUpgrade(committed);
  }
  const auto it = connections_.find(connection);
  if (it != connections_.end() && it->second.closing && !transactions_.Has(connection))
    Disconnect(connection);
  Advance();
}

void IdbDatabase::Disconnect(ConnectionId connection) {
  if (connections_.erase(connection) == 0) return;
  for (Pending& pending : queue_) {
    std::erase_if(pending.notices, [&](const auto& notice) { return notice.second == connection; });
  }
  environment_.connection_gone(connection);
}

}  // namespace vigil::storage
