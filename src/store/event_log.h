// What happened to whom: the recorded background-service events that `vigil log` and DevTools show. Storage
// thread. It has a database file of its own, so that writing it never costs the records a disk flush.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "vigil/time.h"

namespace vigil::store {

class Database;

// The numbers are stored: never renumber. They are DevTools' numbers of the same services.
enum class Service : std::uint8_t { kBackgroundSync = 3, kNotifications = 5, kPeriodicBackgroundSync = 7 };
inline constexpr std::array kServices{Service::kBackgroundSync, Service::kNotifications,
                                      Service::kPeriodicBackgroundSync};
// "backgroundSync" …, the names of the DevTools protocol.
const char* ServiceName(Service service);
std::optional<Service> ServiceFromName(std::string_view name);

struct LoggedEvent {
  std::uint64_t id = 0;  // given by Append: 1, 2, 3 …, never again the same
  WallTime at{};
  Service service = Service::kBackgroundSync;
  std::string origin;
  std::uint64_t registration_id = 0;                          // service worker registration
  std::string name;                                           // "Dispatched sync event"
  std::string instance;                                       // the tag
  std::vector<std::pair<std::string, std::string>> metadata;  // in this order
};

struct EventFilter {
  std::uint64_t after_id = 0;  // only younger ones
  std::optional<Service> service;
  std::string origin;     // empty: all
  std::size_t limit = 0;  // the youngest `limit`; 0: all that match
};

struct Recording {
  Service service = Service::kBackgroundSync;
  std::optional<WallTime> until;  // absent: off
};

class EventLog {
 public:
  static constexpr std::size_t kMaxEvents = 100'000;  // of all services; the oldest go
  static constexpr Duration kRecordingTime = std::chrono::hours(72);

  explicit EventLog(Database& database, std::size_t max_events = kMaxEvents)
      : database_(database), max_events_(max_events) {}

  // Keeps those whose service is being recorded at the event's time (`at`), in one transaction, and returns
  // them with their ids. An event later than the recording's end switches that recording off.
  Result<std::vector<LoggedEvent>> Append(std::vector<LoggedEvent> events);
  // Oldest first.
  Result<std::vector<LoggedEvent>> Query(const EventFilter& filter);
  Result<> Clear(Service service);
  Result<> RemoveRegistration(std::uint64_t registration_id);
  Result<> RemoveOrigin(const std::string& origin);

  // On: until `now` + kRecordingTime, over restarts. Off at once. Returns the new state.
  Result<Recording> SetRecording(Service service, bool on, WallTime now);
  // As of `now`: an expired recording is reported as off.
  Result<std::vector<Recording>> Recordings(WallTime now);

 private:
  Result<> Prune();
  Result<std::map<Service, WallTime>> RecordingEnds();

  Database& database_;
  std::size_t max_events_;
};

}  // namespace vigil::store
