// Connectivity from the kernel itself: a netlink socket that reports links, addresses, routes and neighbours
// the moment they change. Event-loop thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "base/result.h"
#include "net/connectivity.h"

namespace vigil::net {

// Online: a link other than loopback is up and running, and has a route that leads beyond the link-local
// range. Going online is told at once, without any settling time; the network's identity follows in the same
// change when the kernel knows the gateway's hardware address, else in a later one (the observer makes the
// kernel ask for it).
class RtnetlinkConnectivity : public ConnectivityObserver {
 public:
  // current() is already right when this returns. Watches the network namespace of the calling thread.
  static Result<std::unique_ptr<RtnetlinkConnectivity>> Create(const boost::asio::any_io_executor& executor);
  ~RtnetlinkConnectivity() override;

 private:
  RtnetlinkConnectivity();
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace vigil::net
