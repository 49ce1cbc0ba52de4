#include "control/log_feed.h"

#include "base/duration.h"
#include "control/json_view.h"

namespace vigil::control {
namespace json = boost::json;

json::object LogFeed::Line(const char* type, const std::string& origin) const {
  const std::int64_t at = clock_.now().wall.time_since_epoch().count();
  json::object line;
  line["type"] = type;
  line["at"] = FormatUtc(at);
  line["at_us"] = at;
  line["origin"] = origin;
  return line;
}

json::object LogFeed::EventLine(const store::LoggedEvent& event) {
  const std::int64_t at = event.at.time_since_epoch().count();
  json::object line;
  line["type"] = "event";
  line["at"] = FormatUtc(at);
  line["at_us"] = at;
  line["origin"] = event.origin;
  line["id"] = event.id;
  line["service"] = store::ServiceName(event.service);
  line["event"] = event.name;
  line["tag"] = event.instance;
  line["registration_id"] = event.registration_id;
  json::object metadata;
  for (const auto& [key, value] : event.metadata) metadata[key] = value;
  line["metadata"] = std::move(metadata);
  return line;
}

void LogFeed::Events(const std::vector<store::LoggedEvent>& events) {
  for (const auto& event : events) Publish(EventLine(event), false);
}

void LogFeed::Console(const host::ConsoleLine& console) {
  json::object line = Line("console", console.origin);
  line["level"] = console.level;
  line["text"] = console.text;
  if (!console.source.empty()) line["source"] = console.source;
  if (!console.client_id.empty()) line["client_id"] = console.client_id;
  if (console.registration_id != 0) line["registration_id"] = console.registration_id;
  Publish(std::move(line), true);
}

void LogFeed::Report(const host::HostReport& report) {
  json::object line = Line("report", report.origin);
  line["text"] = report.text;
  if (report.registration_id != 0) line["registration_id"] = report.registration_id;
  Publish(std::move(line), true);
}

void LogFeed::Recording(const store::Recording& recording) {
  json::object line = Line("recording", "");
  line["service"] = store::ServiceName(recording.service);
  line["on"] = recording.until.has_value();
  SetTime(line, "until", recording.until);
  Publish(std::move(line), false);
}

void LogFeed::Run(host::SyncDispatcher::SyncEvent event, std::string origin,
                  const host::DispatchOutcome& outcome) {
  json::object line = Line("run", origin);
  line["kind"] = event.kind == host::SyncKind::kOneShot ? "sync" : "periodicsync";
  line["tag"] = event.tag;
  line["registration_id"] = event.registration_id;
  line["outcome"] = host::DispatchOutcomeName(outcome.kind);
  if (!outcome.text.empty()) line["text"] = outcome.text;
  Publish(std::move(line), true);
}

std::uint64_t LogFeed::Listen(Listener listener) {
  listeners_.emplace(next_listener_, std::move(listener));
  return next_listener_++;
}

void LogFeed::Unlisten(std::uint64_t id) { listeners_.erase(id); }

void LogFeed::Publish(json::object line, bool keep) {
  // A listener may leave while it is told.
  const auto listeners = listeners_;
  for (const auto& [id, listener] : listeners) {
    if (listeners_.count(id) > 0) listener(line);
  }
  if (!keep) return;
  kept_.push_back(std::move(line));
  if (kept_.size() > kKeptLines) kept_.pop_front();
}

}  // namespace vigil::control
