// The states a service worker goes through once it is there: install, waiting, activate, redundant; and what
// takes a registration away ("Install", "Try Activate", "Activate", "Try Clear Registration" of the Service
// Workers specification). Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "host/context.h"
#include "host/model.h"

namespace vigil::host {

class Lifecycle {
 public:
  explicit Lifecycle(HostContext& context) : context_(context) {}

  void SetState(const std::shared_ptr<Registration>& registration, const std::shared_ptr<Version>& version,
                VersionState state);
  // Tells every process of the origin what the registration looks like now.
  void Announce(const Registration& registration);
  // The worker is registration->installing. An error: the install event failed; the worker is gone again, and
  // with it the registration when it had no other.
  boost::asio::awaitable<Result<>> Install(std::shared_ptr<Registration> registration);
  // Activates the waiting worker if nothing speaks against it. Cheap to call whenever that may have changed.
  void TryActivate(const std::shared_ptr<Registration>& registration);
  void SkipWaiting(const std::shared_ptr<Version>& version);
  // A client stopped using the registration's active worker.
  void ClientGone(const std::shared_ptr<Version>& controller);

  // Takes the registration out of the map at once; its workers go when no client uses them any more, or at
  // once when `at_once`.
  void Unregister(const std::shared_ptr<Registration>& registration, bool at_once);
  // Unregister, for a registration whose first worker never got installed.
  void Discard(const std::shared_ptr<Registration>& registration);
  void MakeRedundant(const std::shared_ptr<Registration>& registration,
                     const std::shared_ptr<Version>& version);

 private:
  boost::asio::awaitable<void> Activate(std::shared_ptr<Registration> registration);
  bool MayActivate(const Registration& registration) const;
  bool HasClients(const Version& version) const;

  HostContext& context_;
};

}  // namespace vigil::host
