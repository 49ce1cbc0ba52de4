// What the local API answers, as far as the panel reads it (src/control/json_view.cc, log_feed.h).
export interface Status {
  version: string;
  pid: number;
  data_directory: string;
  clock: { mode: "real" | "virtual"; now: string; now_us: number };
  network: { online: boolean; mode: NetworkMode; source: string; network_id: string; interface: string; type: string };
  store: { ok: boolean; message: string; damaged: string[] };
}
export type NetworkMode = "auto" | "online" | "offline";
export interface Worker {
  version_id: number;
  script_url: string;
  state: string;
  running: "stopped" | "starting" | "running";
  pid?: number;
}
export interface Registration {
  id: number;
  scope: string;
  origin: string;
  installing: Worker | null;
  waiting: Worker | null;
  active: Worker | null;
}
export interface InstalledApp {
  id: string;
  name: string;
  short_name: string;
  origin: string;
  start_url: string;
  scope: string;
  registration_id: number;
  installed_at_us: number | null;
}
export type SyncKind = "sync" | "periodicsync";
export interface Sync {
  tag: string;
  kind: SyncKind;
  origin: string;
  scope: string;
  registration_id: number;
  state: string;
  attempts: number;
  max_attempts: number;
  min_interval_ms?: number;
  reason: string;
  explanation: string;
  last_failure?: string;
  next_time_us: number | null;
  registered_at_us: number | null;
}
export type Setting = "allow" | "deny" | "default";
export interface Permission {
  origin: string;
  name: string;
  state: string;
  setting: Setting;
}
export interface Engagement {
  origin: string;
  score: number;
  level: string;
  points_today: number;
  periodic_gap_ms: number;
  last_engagement_us: number | null;
  last_launch_us: number | null;
}
export interface EngagementChange {
  at_us: number;
  cause: string;
  points: number;
  score: number;
}
export interface Notification {
  id: string;
  title: string;
  body: string;
  tag: string;
  scope: string;
  registration_id: number;
  options: { actions?: { action: string; title: string }[] };
  shown_at_us: number | null;
}
export interface Page {
  id: string;
  url: string;
  title: string;
  origin: string;
}
export interface Recording {
  on: boolean;
  services: Record<string, { on: boolean; until_us: number | null }>;
}
export interface KnownNetwork {
  origin: string;
  network_id: string;
  current: boolean;
  last_used_us: number | null;
}
export interface StorageUse {
  origin: string;
  usage_bytes: number;
  quota_bytes: number;
  indexed_db_bytes: number;
  caches_bytes: number;
}
export interface LogLine {
  type: "event" | "console" | "report" | "run" | "recording";
  at: string;
  at_us: number;
  origin: string;
  registration_id?: number;
  id?: number;
  service?: string;
  event?: string;
  tag?: string;
  metadata?: Record<string, string>;
  level?: string;
  text?: string;
  source?: string;
  kind?: SyncKind;
  outcome?: string;
  on?: boolean;
  until_us?: number | null;
}
// The sections of a "state" line of /v1/live.
export interface State {
  status: Status | null;
  apps: InstalledApp[];
  workers: Registration[];
  syncs: Sync[];
  pages: Page[];
  permissions: Permission[];
  engagement: Engagement[];
  notifications: Notification[];
  recording: Recording | null;
}
