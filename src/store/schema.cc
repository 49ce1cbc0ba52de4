#include "store/schema.h"

namespace vigil::store {
namespace {

constexpr std::int32_t kRecordsId = 0x56474c31;  // "VGL1"
constexpr std::int32_t kLogId = 0x56474c32;      // "VGL2"

constexpr const char* kRecords1 = R"sql(
CREATE TABLE sync_registrations (
  worker_registration INTEGER NOT NULL,
  tag TEXT NOT NULL,
  kind INTEGER NOT NULL,              -- SyncKind
  origin TEXT NOT NULL,
  min_interval_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  max_attempts INTEGER NOT NULL,
  due_us INTEGER,                     -- NULL: suspended
  delay_us INTEGER NOT NULL,
  anchor_us INTEGER NOT NULL,
  registered_at_us INTEGER NOT NULL,
  lost_network INTEGER NOT NULL,
  PRIMARY KEY (worker_registration, tag, kind)
) WITHOUT ROWID;

CREATE TABLE worker_registrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  origin TEXT NOT NULL,
  scope TEXT NOT NULL UNIQUE,
  update_via_cache TEXT NOT NULL,
  last_update_check_us INTEGER NOT NULL
);
CREATE INDEX worker_registrations_by_origin ON worker_registrations (origin);

CREATE TABLE worker_versions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  registration INTEGER NOT NULL REFERENCES worker_registrations (id) ON DELETE CASCADE,
  active INTEGER NOT NULL,            -- 1: the active worker, 0: the waiting one
  script_url TEXT NOT NULL,
  state TEXT NOT NULL,
  module INTEGER NOT NULL,
  listeners TEXT NOT NULL,            -- event types, one a line
  referrer_policy TEXT NOT NULL
);
CREATE INDEX worker_versions_by_registration ON worker_versions (registration);

CREATE TABLE worker_scripts (
  version INTEGER NOT NULL REFERENCES worker_versions (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,          -- 0: the main script
  url TEXT NOT NULL,
  response_url TEXT NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (version, position)
);

CREATE TABLE apps (
  id TEXT PRIMARY KEY,
  origin TEXT NOT NULL,
  name TEXT NOT NULL,
  start_url TEXT NOT NULL,
  scope TEXT NOT NULL,
  manifest_url TEXT NOT NULL,
  manifest_json TEXT NOT NULL,
  install_url TEXT NOT NULL,
  installed_at_us INTEGER NOT NULL,
  launched_at_us INTEGER              -- NULL: never
) WITHOUT ROWID;

CREATE TABLE permissions (
  origin TEXT NOT NULL,
  name TEXT NOT NULL,
  allow INTEGER NOT NULL,
  PRIMARY KEY (origin, name)
) WITHOUT ROWID;

CREATE TABLE engagement (
  origin TEXT PRIMARY KEY,
  raw_score REAL NOT NULL,
  points_added_today REAL NOT NULL,
  last_engagement_us INTEGER NOT NULL,
  last_shortcut_launch_us INTEGER     -- NULL: never
) WITHOUT ROWID;

CREATE TABLE known_networks (
  origin TEXT NOT NULL,
  network_id TEXT NOT NULL,
  last_used_us INTEGER NOT NULL,
  PRIMARY KEY (origin, network_id)
) WITHOUT ROWID;

CREATE TABLE notifications (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  origin TEXT NOT NULL,
  registration INTEGER NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  tag TEXT NOT NULL,
  icon TEXT NOT NULL,
  options_json TEXT NOT NULL,
  data BLOB NOT NULL,
  shown_at_us INTEGER NOT NULL
);
CREATE INDEX notifications_by_origin ON notifications (origin, tag);

CREATE TABLE cookies (
  jar TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (jar, key)
) WITHOUT ROWID;

CREATE TABLE settings (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
)sql";

constexpr const char* kRecords2 = R"sql(
ALTER TABLE sync_registrations ADD COLUMN last_fired_us INTEGER;  -- NULL: never
)sql";

constexpr const char* kRecords3 = R"sql(
ALTER TABLE worker_registrations ADD COLUMN preload_enabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE worker_registrations ADD COLUMN preload_header TEXT NOT NULL DEFAULT 'true';
)sql";

constexpr const char* kRecords4 = R"sql(
ALTER TABLE worker_versions ADD COLUMN static_routes BLOB NOT NULL DEFAULT x'';  -- RouterRules
)sql";

constexpr const char* kRecords5 = R"sql(
ALTER TABLE worker_versions ADD COLUMN csp TEXT NOT NULL DEFAULT '';
ALTER TABLE worker_versions ADD COLUMN csp_report_only TEXT NOT NULL DEFAULT '';
)sql";

// What a module is imported as, and by whom.
constexpr const char* kRecords6 = R"sql(
ALTER TABLE worker_scripts ADD COLUMN type TEXT NOT NULL DEFAULT '';
ALTER TABLE worker_scripts ADD COLUMN importer TEXT NOT NULL DEFAULT '';
ALTER TABLE worker_scripts ADD COLUMN referrer_policy TEXT NOT NULL DEFAULT '';
)sql";

constexpr const char* kLog1 = R"sql(
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_us INTEGER NOT NULL,
  service INTEGER NOT NULL,
  origin TEXT NOT NULL,
  registration INTEGER NOT NULL,
  name TEXT NOT NULL,
  instance TEXT NOT NULL,
  metadata TEXT NOT NULL              -- name NUL value NUL …, in order
);
CREATE INDEX events_by_service ON events (service, id);
CREATE TABLE recordings (
  service INTEGER PRIMARY KEY,
  until_us INTEGER NOT NULL
);
)sql";

// The log is bounded by what it holds: every row says what it counts, and one row the sum, so that nothing
// has to be added up when events are appended. 100: what a row costs besides its texts (EventLog::kRowBytes).
constexpr const char* kLog2 = R"sql(
ALTER TABLE events ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE events SET bytes = 100 + length(CAST(origin AS BLOB)) + length(CAST(name AS BLOB))
  + length(CAST(instance AS BLOB)) + length(CAST(metadata AS BLOB));
CREATE TABLE event_totals (events INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO event_totals SELECT count(*), coalesce(sum(bytes), 0) FROM events;
CREATE TRIGGER event_came AFTER INSERT ON events BEGIN
  UPDATE event_totals SET events = events + 1, bytes = bytes + new.bytes;
END;
CREATE TRIGGER event_went AFTER DELETE ON events BEGIN
  UPDATE event_totals SET events = events - 1, bytes = bytes - old.bytes;
END;
)sql";

}  // namespace

OpenOptions RecordsOptions() {
  OpenOptions options;
  options.what = "Vigil's records";
  options.application_id = kRecordsId;
  options.migrations = {kRecords1, kRecords2, kRecords3, kRecords4, kRecords5, kRecords6};
  options.sync = Sync::kFull;
  options.check_all = true;
  options.guard_log = true;
  return options;
}

OpenOptions LogOptions() {
  OpenOptions options;
  options.what = "Vigil's event log";
  options.application_id = kLogId;
  options.migrations = {kLog1, kLog2};
  options.sync = Sync::kNormal;
  return options;
}

}  // namespace vigil::store
