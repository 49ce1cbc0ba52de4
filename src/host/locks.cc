#include "host/locks.h"

#include <utility>

#include "host/requests.h"

namespace vigil::host {
namespace {
constexpr std::size_t kBytesBesideName = 64;  // a lock's client id, and lengths
}  // namespace

void Locks::Request(WorkerProcess& process, const ProcessOwner& owner, std::uint64_t request_id,
                    ipc::LockRequest call) {
  const LockHolder holder{process.id(), request_id};
  const auto usage = table_.UsageOf(process.id());
  if (table_.Contains(holder) || usage.entries >= kMaxEntries ||
      usage.name_bytes + call.name().size() > kMaxNameBytes) {
    return ReplyFailure(process, request_id, "QuotaExceededError",
                        "Too many locks are held or waited for at a time.");
  }
  client_ids_.try_emplace(process.id(), owner.page ? owner.page->id : MakeUuid());
  LockCall asked;
  asked.origin = process.origin();
  asked.name = std::move(*call.mutable_name());
  asked.shared = call.shared();
  asked.if_available = call.if_available();
  asked.steal = call.steal();
  Tell(table_.Request(holder, asked));
}

bool Locks::Release(WorkerProcess& process, std::uint64_t request_id) {
  const LockHolder holder{process.id(), request_id};
  if (!table_.Contains(holder)) return false;
  if (table_.Waits(holder)) process.EndRequest(request_id);
  Tell(table_.Release(holder));
  return true;
}

void Locks::OnProcessEnded(std::uint64_t process_id) {
  client_ids_.erase(process_id);
  Tell(table_.ProcessEnded(process_id));
}

void Locks::Tell(const std::vector<LockNews>& news) {
  for (const auto& [kind, holder] : news) {
    auto process = context_.processes->ById(holder.process);
    if (!process) continue;
    if (kind == LockNews::Kind::kStolen) {
      ipc::ToWorker message;
      message.set_lock_stolen(holder.request);
      process->Send(std::move(message));
      continue;
    }
    ipc::Reply reply;
    reply.set_id(holder.request);
    reply.mutable_flag()->set_value(kind == LockNews::Kind::kGranted);
    process->Reply(std::move(reply));
  }
}

void Locks::Query(WorkerProcess& process, std::uint64_t request_id) const {
  ipc::Reply reply;
  reply.set_id(request_id);
  auto* locks = reply.mutable_locks();
  const auto snapshot = table_.OfOrigin(process.origin());
  std::size_t bytes = 0;
  const auto fits = [&](const LockTable::Named& named) {
    bytes += named.name.size() + kBytesBesideName;
    return bytes <= kMaxListBytes;
  };
  for (const auto& named : snapshot.held) {
    if (fits(named)) Describe(named, *locks->add_held());
  }
  for (const auto& named : snapshot.waiting) {
    if (fits(named)) Describe(named, *locks->add_pending());
  }
  process.Reply(std::move(reply));
}

void Locks::Describe(const LockTable::Named& named, ipc::LockSnapshot::Lock& lock) const {
  lock.set_name(named.name);
  lock.set_shared(named.entry.shared);
  auto client = client_ids_.find(named.entry.holder.process);
  if (client != client_ids_.end()) lock.set_client_id(client->second);
}

}  // namespace vigil::host
