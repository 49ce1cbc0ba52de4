#include "control/json_view.h"

#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include "base/duration.h"

namespace vigil::control {
namespace json = boost::json;
namespace {

std::optional<WallTime> WallFrom(std::int64_t us) {
  if (us == 0) return std::nullopt;
  return WallTime(Duration(us));
}

json::value WorkerJson(const std::optional<host::WorkerView>& worker) {
  if (!worker) return nullptr;
  json::object out;
  out["version_id"] = worker->version_id;
  out["script_url"] = worker->script_url;
  out["state"] = worker->state;
  out["running"] = worker->running;
  if (worker->pid != 0) out["pid"] = worker->pid;
  return out;
}

}  // namespace

void SetTime(json::object& object, std::string_view name, std::optional<WallTime> time) {
  const std::string key(name);
  if (!time) {
    object[key] = nullptr;
    object[key + "_us"] = nullptr;
    return;
  }
  const std::int64_t us = time->time_since_epoch().count();
  object[key] = FormatUtc(us);
  object[key + "_us"] = us;
}

json::object ToJson(const host::AppView& app) {
  json::object out;
  out["id"] = app.id;
  out["name"] = app.name;
  out["short_name"] = app.short_name;
  out["origin"] = app.origin;
  out["start_url"] = app.start_url;
  out["scope"] = app.scope;
  out["display"] = app.display;
  out["manifest_url"] = app.manifest_url;
  out["registration_id"] = app.registration_id;
  SetTime(out, "installed_at", WallFrom(app.installed_at_us));
  return out;
}

json::object ToJson(const host::PageView& page) {
  json::object out;
  out["id"] = page.id;
  out["url"] = page.url;
  out["title"] = page.title;
  out["origin"] = page.origin;
  out["controlled"] = page.controller_version_id != 0;
  out["kept"] = page.kept;
  out["pid"] = page.pid;
  return out;
}

json::object ToJson(const host::RegistrationView& registration) {
  json::object out;
  out["id"] = registration.id;
  out["scope"] = registration.scope;
  out["origin"] = registration.origin;
  out["update_via_cache"] = registration.update_via_cache;
  out["installing"] = WorkerJson(registration.installing);
  out["waiting"] = WorkerJson(registration.waiting);
  out["active"] = WorkerJson(registration.active);
  SetTime(out, "last_update_check", WallFrom(registration.last_update_check_us));
  return out;
}

json::object ToJson(const host::NotificationView& notification) {
  json::object out;
  out["id"] = notification.id;
  out["title"] = notification.title;
  out["body"] = notification.body;
  out["tag"] = notification.tag;
  out["icon"] = notification.icon;
  out["scope"] = notification.scope;
  out["registration_id"] = notification.registration_id;
  boost::system::error_code error;
  json::value options = json::parse(notification.options_json, error);
  out["options"] = error ? json::value(json::object()) : std::move(options);
  SetTime(out, "shown_at", WallFrom(notification.shown_at_us));
  return out;
}

json::object ToJson(const host::DispatchOutcome& outcome) {
  json::object out;
  out["outcome"] = host::DispatchOutcomeName(outcome.kind);
  out["text"] = outcome.text;
  out["dispatched_at_us"] = outcome.dispatched_us;
  out["handler_started_at_us"] = outcome.handler_started_us;
  out["finished_at_us"] = outcome.finished_us;
  return out;
}

json::object ToJson(const host::ConsoleLine& line) {
  json::object out;
  out["type"] = "console";
  out["level"] = line.level;
  out["text"] = line.text;
  if (!line.source.empty()) out["source"] = line.source;
  return out;
}

json::object ToJson(const vigil::RegistrationView& sync, const std::string& scope,
                    const std::string& last_failure) {
  json::object out;
  out["tag"] = sync.key.tag;
  out["kind"] = SyncKindName(sync.key.kind);
  out["origin"] = sync.origin;
  out["scope"] = scope;
  out["registration_id"] = sync.key.worker_registration;
  out["state"] = SyncStateName(sync.explanation.state);
  out["attempts"] = sync.attempts;
  out["max_attempts"] = sync.max_attempts;
  if (sync.key.kind == SyncKind::kPeriodic) out["min_interval_ms"] = sync.min_interval_ms;
  out["reason"] = WaitReasonName(sync.explanation.reason);
  out["explanation"] =
      last_failure.empty() || sync.attempts == 0
          ? sync.explanation.sentence
          : fmt::format("{} (the last run failed: {})", sync.explanation.sentence, last_failure);
  if (!last_failure.empty()) out["last_failure"] = last_failure;
  SetTime(out, "next_time", sync.explanation.next_time);
  SetTime(out, "registered_at", sync.registered_at);
  return out;
}

json::object ToJson(const PermissionView& permission) {
  json::object out;
  out["origin"] = permission.origin;
  out["name"] = permission.name;
  out["state"] = host::PermissionStateName(permission.state);
  out["setting"] = !permission.setting ? "default" : *permission.setting ? "allow" : "deny";
  return out;
}

json::object ToJson(const EngagementChange& change) {
  json::object out;
  SetTime(out, "at", change.at);
  out["cause"] = change.cause;
  out["points"] = change.points;
  out["score"] = change.score;
  return out;
}

json::object ToJson(const EngagementView& engagement) {
  json::object out;
  out["origin"] = engagement.origin;
  out["score"] = engagement.score;
  out["level"] = EngagementLevelName(engagement.level);
  out["points_today"] = engagement.points_today;
  out["periodic_gap_ms"] =
      std::chrono::duration_cast<std::chrono::milliseconds>(engagement.periodic_gap).count();
  SetTime(out, "last_engagement", engagement.last_engagement);
  SetTime(out, "last_launch", engagement.last_launch);
  return out;
}

}  // namespace vigil::control
