#include "storage/idb_service.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "storage/idb_database.h"
#include "storage/sqlite_backing_store.h"

namespace vigil::storage {
namespace {

constexpr std::size_t kMaxNameBytes = 8192;
constexpr std::size_t kMaxConnections = 1000;   // of one origin
constexpr std::size_t kMaxOpenDatabases = 200;  // of one origin: each holds file descriptors
constexpr std::size_t kKeptIdle = 4;            // closed by everyone, kept open for the next time

ipc::IdbReply Failure(const std::string& name, const std::string& message) {
  ipc::IdbReply reply;
  reply.set_error_name(name);
  reply.set_error_message(message);
  return reply;
}

}  // namespace

// The databases of one origin.
class IdbOrigin {
 public:
  using Reply = std::function<void(std::uint64_t client, std::uint64_t request, ipc::IdbReply)>;
  using Notify = std::function<void(std::uint64_t client, ipc::IdbNotice)>;
  IdbOrigin(std::string origin, BackingStoreFactory& factory, OriginDirectories& directories, Reply reply,
            Notify notify)
      : origin_(std::move(origin)),
        factory_(factory),
        directories_(directories),
        reply_(std::move(reply)),
        notify_(std::move(notify)) {}

  void Handle(std::uint64_t client, std::uint64_t request, ipc::IdbRequest message) {
    switch (message.body_case()) {
      case ipc::IdbRequest::kOpen:
        OpenOrDelete({client, message.open().connection()}, request, message.open().name(),
                     message.open().version(), false);
        break;
      case ipc::IdbRequest::kDeleteDatabase:
        OpenOrDelete({client, message.delete_database().connection()}, request,
                     message.delete_database().name(), 0, true);
        break;
      case ipc::IdbRequest::kDatabases:
        List(client, request);
        break;
      case ipc::IdbRequest::kClose:
        if (IdbDatabase* database = Find({client, message.close()}))
          database->Close({client, message.close()});
        reply_(client, request, ipc::IdbReply());
        break;
      case ipc::IdbRequest::kVersionChangeDone:
        for (auto& [name, database] : databases_)
          database->VersionChangeDone(client, message.version_change_done());
        reply_(client, request, ipc::IdbReply());
        break;
      case ipc::IdbRequest::kRun:
        Run(client, request, std::move(*message.mutable_run()));
        break;
      case ipc::IdbRequest::BODY_NOT_SET:
        reply_(client, request, Failure("UnknownError", "The request is not known."));
    }
    Tidy();
  }

  void RemoveClient(std::uint64_t client) {
    for (auto& [name, database] : databases_) database->RemoveClient(client);
    Tidy();
  }

  Result<> Clear() {
    for (auto& [name, database] : databases_) database->ForceClose();
    databases_.clear();
    connections_.clear();
    return factory_.DeleteAll(origin_);
  }

  void AddUser() { ++users_; }
  // True: that was the last.
  bool RemoveUser() { return --users_ == 0; }

 private:
  IdbDatabase* Find(ConnectionId connection) {
    const auto it = connections_.find(connection);
    return it == connections_.end() ? nullptr : it->second;
  }

  void OpenOrDelete(ConnectionId connection, std::uint64_t request, const std::string& name,
                    std::uint64_t version, bool is_delete) {
    if (connection.number == 0 || connections_.contains(connection)) {
      return reply_(connection.client, request,
                    Failure("UnknownError", "The number of the connection is not free."));
    }
    if (name.size() % 2 != 0 || name.size() > kMaxNameBytes || connections_.size() >= kMaxConnections ||
        (!databases_.contains(name) && databases_.size() >= kMaxOpenDatabases)) {
      return reply_(connection.client, request,
                    Failure("UnknownError", "Too many open databases, or the name is too long."));
    }
    IdbDatabase& database = DatabaseOf(name);
    connections_[connection] = &database;
    if (is_delete) {
      database.Delete(connection, request);
    } else {
      database.Open(connection, request, version);
    }
  }

  IdbDatabase& DatabaseOf(const std::string& name) {
    std::unique_ptr<IdbDatabase>& database = databases_[name];
    if (!database) {
      database = std::make_unique<IdbDatabase>(
          name, IdbDatabase::Environment{
                    .reply = reply_,
                    .notify = notify_,
                    .reserve = [this](std::uint64_t bytes) { return directories_.Reserve(origin_, bytes); },
                    .open = [this, name] { return factory_.Open(origin_, name); },
                    .exists = [this, name] { return factory_.Exists(origin_, name); },
                    .remove = [this, name] { return factory_.Delete(origin_, name); },
                    .connection_gone = [this](ConnectionId connection) { connections_.erase(connection); },
                    .next_notice = [this] { return ++last_notice_; }});
    }
    return *database;
  }

  void Run(std::uint64_t client, std::uint64_t request, ipc::IdbRequest::Run run) {
    const ConnectionId connection{client, run.connection()};
    if (IdbDatabase* database = Find(connection)) {
      database->Run(connection, request, std::move(run));
    } else {
      reply_(client, request, Failure("AbortError", "The connection is closed."));
    }
  }

  void List(std::uint64_t client, std::uint64_t request) {
    const auto names = factory_.List(origin_);
    if (!names) {
      log::Warning("{}", names.error().message);
      return reply_(client, request, Failure("UnknownError", "Internal error."));
    }
    ipc::IdbReply reply;
    for (const std::string& name : *names) {
      const auto version = DatabaseOf(name).Version();
      Tidy();
      if (!version || *version == 0) continue;
      ipc::IdbDatabaseInfo& info = *reply.add_databases();
      info.set_name(name);
      info.set_version(*version);
    }
    reply_(client, request, std::move(reply));
  }

  // Closes databases nobody uses, but for a few.
  void Tidy() {
    if (databases_.size() <= kKeptIdle) return;
    std::erase_if(databases_, [](const auto& entry) { return entry.second->idle(); });
  }

  const std::string origin_;
  BackingStoreFactory& factory_;
  OriginDirectories& directories_;
  const Reply reply_;
  const Notify notify_;
  std::uint64_t last_notice_ = 0;
  int users_ = 0;
  std::map<ConnectionId, IdbDatabase*> connections_;  // open, closing, or asked for
  std::map<std::string, std::unique_ptr<IdbDatabase>> databases_;
};

IdbService::IdbService(OriginDirectories& directories, IdbSink& sink)
    : directories_(directories),
      sink_(sink),
      own_factory_(std::make_unique<SqliteBackingStoreFactory>(directories)),
      factory_(*own_factory_) {}

IdbService::IdbService(OriginDirectories& directories, IdbSink& sink, BackingStoreFactory& factory)
    : directories_(directories), sink_(sink), factory_(factory) {}

IdbService::~IdbService() = default;

void IdbService::AddClient(ClientId client, const std::string& origin) {
  clients_[client] = Client{origin};
  std::unique_ptr<IdbOrigin>& state = origins_[origin];
  if (!state) {
    state = std::make_unique<IdbOrigin>(
        origin, factory_, directories_,
        [this](std::uint64_t to, std::uint64_t request, ipc::IdbReply reply) {
          if (clients_.contains(to)) sink_.OnReply(to, request, std::move(reply));
        },
        [this](std::uint64_t to, ipc::IdbNotice notice) {
          if (clients_.contains(to)) sink_.OnNotice(to, std::move(notice));
        });
  }
  state->AddUser();
}

void IdbService::RemoveClient(ClientId client) {
  const auto it = clients_.find(client);
  if (it == clients_.end()) return;
  const std::string origin = it->second.origin;
  clients_.erase(it);
  IdbOrigin& state = *origins_.at(origin);
  state.RemoveClient(client);
  if (state.RemoveUser()) origins_.erase(origin);
}

void IdbService::Handle(ClientId client, std::uint64_t request_id, ipc::IdbRequest request) {
  const auto it = clients_.find(client);
  if (it == clients_.end()) return;
  origins_.at(it->second.origin)->Handle(client, request_id, std::move(request));
}

Result<> IdbService::ClearOrigin(const std::string& origin) {
  const auto it = origins_.find(origin);
  return it == origins_.end() ? factory_.DeleteAll(origin) : it->second->Clear();
}

}  // namespace vigil::storage
