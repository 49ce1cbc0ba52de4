// What happens now, for those who watch: console lines of workers and pages, reports about them, runs of
// events, and recorded events of the background services. Event-loop thread only.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "host/clock.h"
#include "host/host.h"
#include "store/event_log.h"

namespace vigil::control {

// Lines are JSON objects; each has "type": "event" | "console" | "report" | "run" | "recording", "at" (RFC
// 3339), "at_us" and "origin".
//   event    id service event tag metadata{} registration_id; only of services that are being recorded
//   console  level text source, client_id (page) or registration_id (worker)
//   report   text: something a user should hear about
//   recording  service on until: somebody switched it, or its three days are over; origin is ""; not kept
//   run      kind tag outcome text registration_id: a sync or periodicsync event has ended
class LogFeed {
 public:
  // Besides what is stored: the last lines of this life of the daemon, without events (the store has them).
  static constexpr std::size_t kKeptLines = 2000;

  explicit LogFeed(const host::Clock& clock) : clock_(clock) {}

  void Events(const std::vector<store::LoggedEvent>& events);
  void Console(const host::ConsoleLine& line);
  void Report(const host::HostReport& report);
  void Recording(const store::Recording& recording);
  void Run(host::SyncDispatcher::SyncEvent event, std::string origin, const host::DispatchOutcome& outcome);

  using Listener = std::function<void(const boost::json::object&)>;
  std::uint64_t Listen(Listener listener);
  void Unlisten(std::uint64_t id);
  const std::deque<boost::json::object>& kept() const { return kept_; }

  static boost::json::object EventLine(const store::LoggedEvent& event);

 private:
  boost::json::object Line(const char* type, const std::string& origin) const;
  void Publish(boost::json::object line, bool keep);

  const host::Clock& clock_;
  std::deque<boost::json::object> kept_;
  std::map<std::uint64_t, Listener> listeners_;
  std::uint64_t next_listener_ = 1;
};

}  // namespace vigil::control
