// Stands between the sync driver and the host and tells the log feed and the metrics how each event ended,
// recorded or not.
#pragma once

#include <functional>
#include <string>

#include "control/log_feed.h"
#include "control/metrics.h"
#include "host/ports.h"

namespace vigil::control {

class RunMonitor final : public host::SyncDispatcher {
 public:
  // origin_of: of a service worker registration; empty when it is gone. All outlive the monitor and its
  // dispatches.
  RunMonitor(host::SyncDispatcher& dispatcher, LogFeed& feed, Metrics& metrics,
             std::function<std::string(std::uint64_t registration_id)> origin_of)
      : dispatcher_(dispatcher), feed_(feed), metrics_(metrics), origin_of_(std::move(origin_of)) {}

  void DispatchSyncEvent(SyncEvent event, Done done) override;
  bool CanDispatch(std::uint64_t registration_id) const override {
    return dispatcher_.CanDispatch(registration_id);
  }

 private:
  host::SyncDispatcher& dispatcher_;
  LogFeed& feed_;
  Metrics& metrics_;
  std::function<std::string(std::uint64_t)> origin_of_;
};

}  // namespace vigil::control
