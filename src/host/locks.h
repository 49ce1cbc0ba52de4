// The locks that pages and service workers of an origin share (navigator.locks): carries requests of
// processes to the table and its news back. Event-loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/context.h"
#include "host/lock_table.h"
#include "host/processes.h"
#include "ipc/vigil.pb.h"

namespace vigil::host {

class Locks {
 public:
  static constexpr std::size_t kMaxEntries = 10'000;                  // of one process: held and waiting
  static constexpr std::size_t kMaxNameBytes = std::size_t{4} << 20;  // of one process, all names together

  explicit Locks(HostContext& context) : context_(context) {}

  void Request(WorkerProcess& process, const ProcessOwner& owner, std::uint64_t request_id,
               ipc::LockRequest call);
  void Query(WorkerProcess& process, std::uint64_t request_id) const;
  // Gives back the lock that this request got, or takes the request back. False: it is no request for a lock.
  bool Release(WorkerProcess& process, std::uint64_t request_id);
  void OnProcessEnded(std::uint64_t process_id);

 private:
  void Tell(const std::vector<LockNews>& news);
  void Describe(const LockTable::Named& named, ipc::LockSnapshot::Lock& lock) const;

  HostContext& context_;
  LockTable table_;
  std::map<std::uint64_t, std::string> client_ids_;  // by process
};

}  // namespace vigil::host
