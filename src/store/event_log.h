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
  std::string origin;         // empty: all
  std::size_t limit = 0;      // the youngest `limit`; 0: all that match
  std::size_t max_bytes = 0;  // the youngest whose sizes add up to no more than this; 0: no such bound
};

struct Recording {
  Service service = Service::kBackgroundSync;
  std::optional<WallTime> until;  // absent: off
};

class EventLog {
 public:
  // What all services together may keep; the oldest go. Bytes are those of the texts and kRowBytes for each
  // event: the file is about a quarter larger. Space that became free in it is used again.
  struct Bounds {
    std::size_t events = 100'000;
    std::size_t bytes = std::size_t{64} << 20;
  };
  static constexpr std::size_t kRowBytes = 100;
  static constexpr Duration kRecordingTime = std::chrono::hours(72);

  explicit EventLog(Database& database) : EventLog(database, Bounds()) {}
  EventLog(Database& database, Bounds bounds) : database_(database), bounds_(bounds) {}

  struct Appended {
    std::vector<LoggedEvent> kept;
    std::vector<Service> ended;  // recordings whose time was found to be up
  };
  // Keeps those whose service is being recorded at the event's time (`at`), in one transaction, and returns
  // them with their ids. An event later than the recording's end is dropped and switches that recording off.
  Result<Appended> Append(std::vector<LoggedEvent> events);
  // Oldest first. A row that makes no sense costs itself only.
  Result<std::vector<LoggedEvent>> Query(const EventFilter& filter);
  // Events outlive the service worker registration that they are about: they may say why it is gone.
  Result<> Clear(Service service);
  Result<> RemoveOrigin(const std::string& origin);

  // On: until `now` + kRecordingTime, over restarts. Off at once. Returns the new state.
  Result<Recording> SetRecording(Service service, bool on, WallTime now);
  // As of `now`: an expired recording is reported as off.
  Result<std::vector<Recording>> Recordings(WallTime now);

 private:
  Result<> Insert(LoggedEvent& event);
  Result<> Prune();
  Result<> Recount();
  Result<std::map<Service, WallTime>> RecordingEnds(WallTime now);
  Result<> StopRecording(Service service);

  Database& database_;
  const Bounds bounds_;
};

}  // namespace vigil::store
