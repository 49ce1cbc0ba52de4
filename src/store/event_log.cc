#include "store/event_log.h"

#include <algorithm>
#include <map>
#include <utility>

#include "store/database.h"
#include "store/times.h"

namespace vigil::store {
namespace {

// Pruning makes this share of the bounds free at once, so that it is rarely done.
constexpr std::size_t kPruneShare = 10;

// More than any row that Append writes; a damaged size must not end a query.
constexpr std::int64_t kMostRowBytes = 1 << 20;

std::optional<Service> ServiceFromNumber(std::int64_t number) {
  for (const Service service : kServices) {
    if (number == static_cast<int>(service)) return service;
  }
  return std::nullopt;
}

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

Result<EventLog::Appended> EventLog::Append(std::vector<LoggedEvent> events) {
  Appended appended;
  VIGIL_TRY(database_.Transaction([&]() -> Result<> {
    for (LoggedEvent& event : events) {
      VIGIL_ASSIGN(const auto until, RecordingEnds(event.at));
      const auto end = until.find(event.service);
      if (end == until.end()) continue;
      if (event.at >= end->second) {
        VIGIL_TRY(StopRecording(event.service));
        appended.ended.push_back(event.service);
        continue;
      }
      VIGIL_TRY(Insert(event));
      appended.kept.push_back(std::move(event));
    }
    return appended.kept.empty() ? Result<>() : Prune();
  }));
  return appended;
}

Result<> EventLog::Insert(LoggedEvent& event) {
  const std::string metadata = Pack(event.metadata);
  const std::size_t bytes =
      kRowBytes + event.origin.size() + event.name.size() + event.instance.size() + metadata.size();
  VIGIL_TRY(database_.Run(
      "INSERT INTO events (at_us, service, origin, registration, name, instance, metadata, bytes) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      ToMicroseconds(event.at), static_cast<int>(event.service), event.origin, event.registration_id,
      event.name, event.instance, metadata, static_cast<std::uint64_t>(bytes)));
  // Triggers leave the number of the row that the statement itself inserted.
  event.id = static_cast<std::uint64_t>(database_.last_insert_rowid());
  return {};
}

Result<> EventLog::Prune() {
  const auto within = [](std::uint64_t events, std::uint64_t bytes, const Bounds& bounds) {
    return events <= bounds.events && bytes <= bounds.bytes;
  };
  Statement totals = database_.Prepare("SELECT events, bytes FROM event_totals");
  VIGIL_ASSIGN(const bool known, totals.Step());
  if (!known) return Recount();
  std::uint64_t events = totals.Uint(0);
  std::uint64_t bytes = totals.Uint(1);
  if (within(events, bytes, bounds_)) return {};
  const Bounds target{bounds_.events - bounds_.events / kPruneShare,
                      bounds_.bytes - bounds_.bytes / kPruneShare};
  std::uint64_t last = 0;
  bool wrong = false;  // more was counted than is there: a damaged sum
  {
    Statement oldest = database_.Prepare("SELECT id, bytes FROM events ORDER BY id");
    while (!within(events, bytes, target)) {
      VIGIL_ASSIGN(const bool row, oldest.Step());
      wrong = !row;
      if (wrong) break;
      last = oldest.Uint(0);
      --events;
      bytes -= oldest.Uint(1);
    }
  }
  VIGIL_TRY(database_.Run("DELETE FROM events WHERE id <= ?", last));
  return wrong ? Recount() : Result<>();
}

Result<> EventLog::Recount() {
  VIGIL_TRY(database_.Run("DELETE FROM event_totals"));
  return database_.Run("INSERT INTO event_totals SELECT count(*), coalesce(sum(bytes), 0) FROM events");
}

Result<std::vector<LoggedEvent>> EventLog::Query(const EventFilter& filter) {
  std::vector<LoggedEvent> events;
  Statement rows = database_.Prepare(
      "SELECT id, at_us, service, origin, registration, name, instance, metadata, bytes FROM events "
      "WHERE id > ?1 AND (?2 = 0 OR service = ?2) AND (?3 = '' OR origin = ?3) ORDER BY id DESC LIMIT ?4");
  rows.With(filter.after_id, filter.service ? static_cast<int>(*filter.service) : 0, filter.origin,
            filter.limit == 0 ? std::int64_t{-1} : static_cast<std::int64_t>(filter.limit));
  std::size_t bytes = 0;
  while (true) {
    VIGIL_ASSIGN(const bool row, rows.Step());
    if (!row) break;
    const auto service = ServiceFromNumber(rows.Int(2));
    if (!service) continue;
    bytes += static_cast<std::size_t>(std::clamp<std::int64_t>(rows.Int(8), 0, kMostRowBytes));
    if (filter.max_bytes != 0 && bytes > filter.max_bytes) break;
    LoggedEvent& event = events.emplace_back();
    event.id = rows.Uint(0);
    event.at = ToWallTime(rows.Int(1));
    event.service = *service;
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

Result<> EventLog::RemoveOrigin(const std::string& origin) {
  return database_.Run("DELETE FROM events WHERE origin = ?", origin);
}

Result<Recording> EventLog::SetRecording(Service service, bool on, WallTime now) {
  if (!on) {
    VIGIL_TRY(StopRecording(service));
    return Recording{service, std::nullopt};
  }
  const WallTime until = now + kRecordingTime;
  VIGIL_TRY(database_.Run("INSERT OR REPLACE INTO recordings (service, until_us) VALUES (?, ?)",
                          static_cast<int>(service), ToMicroseconds(until)));
  return Recording{service, until};
}

Result<> EventLog::StopRecording(Service service) {
  return database_.Run("DELETE FROM recordings WHERE service = ?", static_cast<int>(service));
}

Result<std::vector<Recording>> EventLog::Recordings(WallTime now) {
  VIGIL_ASSIGN(const auto until, RecordingEnds(now));
  std::vector<Recording> recordings;
  for (const Service service : kServices) {
    const auto end = until.find(service);
    const bool on = end != until.end() && now < end->second;
    recordings.push_back(Recording{service, on ? std::optional<WallTime>(end->second) : std::nullopt});
  }
  return recordings;
}

// A clock that was set back must not make a recording longer: none ends later than kRecordingTime from `now`.
Result<std::map<Service, WallTime>> EventLog::RecordingEnds(WallTime now) {
  const std::int64_t latest = ToMicroseconds(now + kRecordingTime);
  std::map<Service, WallTime> ends;
  bool set_back = false;
  {
    Statement rows = database_.Prepare("SELECT service, until_us FROM recordings");
    while (true) {
      VIGIL_ASSIGN(const bool row, rows.Step());
      if (!row) break;
      const auto service = ServiceFromNumber(rows.Int(0));
      if (!service) continue;
      set_back = set_back || rows.Int(1) > latest;
      ends.emplace(*service, ToWallTime(std::min(rows.Int(1), latest)));
    }
  }
  if (set_back) VIGIL_TRY(database_.Run("UPDATE recordings SET until_us = ?1 WHERE until_us > ?1", latest));
  return ends;
}

}  // namespace vigil::store
