#include "store/event_log.h"

#include <algorithm>
#include <map>
#include <utility>

#include "store/database.h"

namespace vigil::store {
namespace {

// Nobody looks at one entry more or less: pruning only every so often keeps it cheap.
constexpr std::size_t kPruneSlack = 1000;

std::int64_t Us(WallTime time) { return time.time_since_epoch().count(); }

std::string Pack(const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::string packed;
  for (const auto& [name, value] : metadata) {
    packed.append(name.c_str()).push_back('\0');
    packed.append(value.c_str()).push_back('\0');
  }
  return packed;
}

std::vector<std::pair<std::string, std::string>> Unpack(std::string_view packed) {
  std::vector<std::pair<std::string, std::string>> metadata;
  const auto next = [&packed]() {
    const std::size_t end = std::min(packed.find('\0'), packed.size());
    std::string part(packed.substr(0, end));
    packed.remove_prefix(std::min(end + 1, packed.size()));
    return part;
  };
  while (!packed.empty()) {
    std::string name = next();
    std::string value = next();
    metadata.emplace_back(std::move(name), std::move(value));
  }
  return metadata;
}

}  // namespace

const char* ServiceName(Service service) {
  switch (service) {
    case Service::kBackgroundSync:
      return "backgroundSync";
    case Service::kNotifications:
      return "notifications";
    case Service::kPeriodicBackgroundSync:
      return "periodicBackgroundSync";
  }
  return "unknown";
}

std::optional<Service> ServiceFromName(std::string_view name) {
  for (const Service service : kServices) {
    if (name == ServiceName(service)) return service;
  }
  return std::nullopt;
}

Result<std::vector<LoggedEvent>> EventLog::Append(std::vector<LoggedEvent> events) {
  std::vector<LoggedEvent> kept;
  VIGIL_TRY(database_.Transaction([&]() -> Result<> {
    VIGIL_ASSIGN(const auto until, RecordingEnds());
    for (LoggedEvent& event : events) {
      const auto end = until.find(event.service);
      if (end == until.end()) continue;
      if (event.at >= end->second) {
        VIGIL_TRY(database_.Run("DELETE FROM recordings WHERE service = ?", static_cast<int>(event.service)));
        continue;
      }
      VIGIL_TRY(
          database_.Run("INSERT INTO events (at_us, service, origin, registration, name, instance, metadata) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?)",
                        Us(event.at), static_cast<int>(event.service), event.origin, event.registration_id,
                        event.name, event.instance, Pack(event.metadata)));
      event.id = static_cast<std::uint64_t>(database_.last_insert_rowid());
      kept.push_back(std::move(event));
    }
    return kept.empty() ? Result<>() : Prune();
  }));
  return kept;
}

Result<> EventLog::Prune() {
  Statement bounds = database_.Prepare("SELECT min(id), max(id) FROM events");
  VIGIL_ASSIGN(const bool row, bounds.Step());
  if (!row || bounds.Uint(1) - bounds.Uint(0) < max_events_ + std::min(kPruneSlack, max_events_)) return {};
  // Ids have gaps after Clear; counting down from the youngest keeps at most max_events_.
  return database_.Run(
      "DELETE FROM events WHERE id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?)",
      static_cast<std::uint64_t>(max_events_));
}

Result<std::vector<LoggedEvent>> EventLog::Query(const EventFilter& filter) {
  std::vector<LoggedEvent> events;
  Statement rows = database_.Prepare(
      "SELECT id, at_us, service, origin, registration, name, instance, metadata FROM events "
      "WHERE id > ?1 AND (?2 = 0 OR service = ?2) AND (?3 = '' OR origin = ?3) ORDER BY id DESC LIMIT ?4");
  rows.With(filter.after_id, filter.service ? static_cast<int>(*filter.service) : 0, filter.origin,
            filter.limit == 0 ? std::int64_t{-1} : static_cast<std::int64_t>(filter.limit));
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) break;
    LoggedEvent& event = events.emplace_back();
    event.id = rows.Uint(0);
    event.at = WallTime(Duration(rows.Int(1)));
    event.service = static_cast<Service>(rows.Int(2));
    event.origin = rows.Text(3);
    event.registration_id = rows.Uint(4);
    event.name = rows.Text(5);
    event.instance = rows.Text(6);
    event.metadata = Unpack(rows.View(7));
  }
  std::reverse(events.begin(), events.end());
  return events;
}

Result<> EventLog::Clear(Service service) {
  return database_.Run("DELETE FROM events WHERE service = ?", static_cast<int>(service));
}

Result<> EventLog::RemoveRegistration(std::uint64_t registration_id) {
  return database_.Run("DELETE FROM events WHERE registration = ?", registration_id);
}

Result<> EventLog::RemoveOrigin(const std::string& origin) {
  return database_.Run("DELETE FROM events WHERE origin = ?", origin);
}

Result<Recording> EventLog::SetRecording(Service service, bool on, WallTime now) {
  if (!on) {
    VIGIL_TRY(database_.Run("DELETE FROM recordings WHERE service = ?", static_cast<int>(service)));
    return Recording{service, std::nullopt};
  }
  const WallTime until = now + kRecordingTime;
  VIGIL_TRY(database_.Run("INSERT OR REPLACE INTO recordings (service, until_us) VALUES (?, ?)",
                          static_cast<int>(service), Us(until)));
  return Recording{service, until};
}

Result<std::vector<Recording>> EventLog::Recordings(WallTime now) {
  VIGIL_ASSIGN(const auto until, RecordingEnds());
  std::vector<Recording> recordings;
  for (const Service service : kServices) {
    const auto end = until.find(service);
    const bool on = end != until.end() && now < end->second;
    recordings.push_back(Recording{service, on ? std::optional<WallTime>(end->second) : std::nullopt});
  }
  return recordings;
}

Result<std::map<Service, WallTime>> EventLog::RecordingEnds() {
  std::map<Service, WallTime> ends;
  Statement rows = database_.Prepare("SELECT service, until_us FROM recordings");
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) return ends;
    ends.emplace(static_cast<Service>(rows.Int(0)), WallTime(Duration(rows.Int(1))));
  }
}

}  // namespace vigil::store
