// The Cookie Store API: scripts read and write the cookies of their origin, and service workers hear of
// changes that they subscribed to. Subscriptions last as long as the registration. Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "host/context.h"
#include "host/process.h"
#include "ipc/vigil.pb.h"
#include "net/cookie_jar.h"

namespace vigil::host {

class Cookies {
 public:
  // Of one registration.
  static constexpr int kMaxSubscriptions = 100;
  static constexpr std::size_t kMaxSubscriptionBytes = std::size_t{1} << 20;

  explicit Cookies(HostContext& context) : context_(context) {}

  boost::asio::awaitable<Result<>> Load();
  void Get(WorkerProcess& process, std::uint64_t request_id, const ipc::CookieGet& call);
  void Set(WorkerProcess& process, std::uint64_t request_id, const ipc::Cookie& cookie);
  // The registration was found to be the process's origin's.
  void Subscribe(WorkerProcess& process, std::uint64_t request_id, const Registration& registration,
                 const ipc::CookieSubscriptions& added);
  void Unsubscribe(WorkerProcess& process, std::uint64_t request_id, const Registration& registration,
                   const ipc::CookieSubscriptions& removed);
  void GetSubscriptions(WorkerProcess& process, std::uint64_t request_id,
                        const Registration& registration) const;
  void RegistrationDeleted(std::uint64_t registration_id);
  // A cookie in the jar of an origin changed, whoever did it.
  void OnChanged(const std::string& origin, const net::Cookie& cookie, bool removed);

 private:
  boost::asio::awaitable<void> Save(std::shared_ptr<WorkerProcess> process, std::uint64_t request_id,
                                    std::uint64_t registration_id);
  boost::asio::awaitable<void> Dispatch(std::uint64_t registration_id, ipc::CookieChange change);

  HostContext& context_;
  std::map<std::uint64_t, ipc::CookieSubscriptions> subscriptions_;  // by registration
};

}  // namespace vigil::host
