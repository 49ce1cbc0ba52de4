// Notifications: kept until they are closed, shown by the command line and the log, clicked from there.
// Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/context.h"
#include "host/process.h"
#include "ipc/vigil.pb.h"

namespace vigil::host {

class Notifications {
 public:
  explicit Notifications(HostContext& context) : context_(context) {}

  boost::asio::awaitable<Result<>> Load();
  // Requests of processes; the registration was found to be theirs.
  void Show(WorkerProcess& process, std::uint64_t request_id, const Registration& registration,
            ipc::Notification notification);
  void Get(WorkerProcess& process, std::uint64_t request_id, const Registration& registration,
           const std::string& tag);
  void CloseByScript(WorkerProcess& process, std::uint64_t request_id, const std::string& id);

  std::vector<NotificationView> List(const std::string& origin) const;  // empty: all
  boost::asio::awaitable<Result<DispatchOutcome>> Click(std::string id, std::string action);
  boost::asio::awaitable<Result<DispatchOutcome>> Close(std::string id);
  void RegistrationDeleted(std::uint64_t registration_id);
  void OriginCleared(const std::string& origin);

 private:
  struct Entry {
    std::string origin;
    std::uint64_t registration_id = 0;
    ipc::Notification notification;
  };
  boost::asio::awaitable<void> StoreAndReply(std::shared_ptr<WorkerProcess> process, std::uint64_t request_id,
                                             Entry entry);
  void Drop(const std::string& id);
  const Entry* Find(const std::string& id) const;
  boost::asio::awaitable<Result<DispatchOutcome>> DispatchEvent(std::string id, std::string action,
                                                                bool click);

  HostContext& context_;
  std::vector<Entry> entries_;  // in the order in which they were shown
};

}  // namespace vigil::host
