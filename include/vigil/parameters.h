// Every number and every choice of behaviour that an embedder may change, with its default.
//
// A plain value: copy it, compare it, change fields before handing it to the engine. Durations are
// microseconds (vigil::Duration); the engine never rounds them. Where the specifications leave a number to
// the user agent the default is what Chromium ships; where they and Chromium contradict each other the
// default follows the specification, and the comment says how to get the other.
#pragma once

#include <cstdint>

#include "vigil/time.h"

namespace vigil {

struct Parameters {
  using Seconds = std::chrono::seconds;
  using Minutes = std::chrono::minutes;
  using Hours = std::chrono::hours;

  // ------------------------------------------------------------------------------------------ both kinds
  // true: nothing registers and nothing fires; stored registrations are kept for the day it is false again.
  bool disabled = false;
  // true: every origin may use both kinds. For tests.
  bool skip_permission_check = false;
  // Longest tag, in bytes of UTF-8.
  std::int64_t max_tag_bytes = 10'240;
  // Registrations of one origin, of both kinds together, each counted as its tag and 256 bytes: what Vigil
  // keeps in memory for it. register() of one more is rejected. 0: no limit (Chromium).
  std::int64_t max_registration_bytes_per_origin = 64LL << 20;
  // Runs before a registration is given up (one-shot) or waits for its next period (periodic). Frozen into
  // the registration when it is made. lastChance of a run = (attempts finished == max_attempts - 1).
  std::int64_t max_attempts = 3;
  // The same for an origin that may show notifications at that moment.
  std::int64_t max_attempts_with_notifications = 3;
  // Delay after the n-th failed attempt = first_retry_delay × retry_factor^(n-1), from the end of the run:
  // 5 min, 15 min, 45 min …
  Duration first_retry_delay = Minutes(5);
  double retry_factor = 3;
  // Adds up to this share of the delay, by chance: delay × (1 + jitter × u), u in [0, 1). Never shortens it.
  double jitter = 0;
  // Limit of one sync or periodicsync event.
  Duration sync_event_limit = Minutes(3);
  // A run of which nothing was heard for this long is taken for lost by a fault of ours: it runs again,
  // uncounted. At least sync_event_limit is used.
  Duration min_recovery_time = Minutes(6);
  // Events that may run at the same time over all workers; 0: as many as are ready.
  std::int64_t max_parallel_events = 0;
  // The same for each origin, so that none of them can drown the others or the machine. 0: no limit
  // (Chromium).
  std::int64_t max_parallel_events_per_origin = 100;
  // After a failure that was not the app's (worker process could not be made, Vigil was stopping) the same
  // attempt is made again after own_failure_delay × 2^(n-1), at most own_failure_delay_max.
  Duration own_failure_delay = Seconds(1);
  Duration own_failure_delay_max = Minutes(1);
  // After a failed write, how long until the store is tried again. Nothing fires or registers meanwhile.
  Duration store_retry_delay = Seconds(10);
  // A difference between calendar and monotonic clock larger than this means somebody set the calendar clock:
  // stored due times are rewritten so that waits keep their length over the next restart too.
  Duration clock_jump_tolerance = Seconds(2);
  // Losing the permission erases the origin's registrations of that kind. false: they stay, listed as denied.
  bool revocation_erases = true;
  // Permission and installation are looked at again when an event is due. false: only at register()
  // (Chromium).
  bool permission_checked_at_fire = true;
  // true: an event whose worker could not be started uses up an attempt (Chromium). false: a fault of ours is
  // never the app's.
  bool start_failure_counts_as_attempt = false;
  // A retry waits out of politeness. When connectivity returns it is made at once, unless it is the last
  // chance, which a flapping network must not use up. false: it waits its full delay (Chromium).
  bool hurry_retry_on_reconnect = true;
  // Chromium looks for a window client before it looks at the permission; the specifications the other way
  // round.
  bool client_checked_before_permission = false;
  // true: register() needs a top-level window client of the origin.
  bool window_client_required = true;

  // ------------------------------------------------------------------------------------------ one-shot
  // register() of a tag that waits for a retry makes it pending and fires it now (specification). false:
  // nothing happens (Chromium).
  bool reregister_waiting_fires_now = true;
  // … and its attempts count from zero again, because the caller asked anew.
  bool reregister_waiting_resets_attempts = true;
  // The event does not fire before the page's promise is resolved. When the page dies in between, it fires
  // after this time. 0: only a new registration or a restart frees it (Chromium).
  Duration acknowledge_timeout = Seconds(10);

  // ------------------------------------------------------------------------------------------ periodic
  // G, the shortest time between periodic events of one origin. With F the engagement factor of the origin, I
  // the minInterval, g = F × G: D = g if I < g, else I rounded up to a multiple of g. With T the time to the
  // origin's soonest event under another tag: D ≤ T-G → D; D ≤ T → T; D ≤ T+G → T+G; else D.
  Duration min_periodic_gap = Hours(12);
  // T looks at every other registration of the origin. false: not at those with the same tag under another
  // service worker registration (Chromium).
  bool space_against_same_tag = true;
  // Shortest time between the slots in which periodic events of any origin may start: the machine is woken
  // for all of them together. Retries are free. 0: no such limit (Chromium on desktops; it means 12 h on
  // phones).
  Duration min_periodic_gap_across_origins = Hours(12);
  // A slot stays open this long after its first event, for those that become due a little later.
  Duration periodic_batch_window = Minutes(10);
  // F by engagement level; 0 suspends.
  std::int64_t engagement_factor_max = 1;
  std::int64_t engagement_factor_high = 1;
  std::int64_t engagement_factor_medium = 2;
  std::int64_t engagement_factor_low = 2;
  std::int64_t engagement_factor_minimal = 3;
  std::int64_t engagement_factor_none = 0;
  // Engagement that is gone when the event is due suspends it. false: seen only when the next period is
  // computed.
  bool engagement_checked_at_fire = true;
  // Fires only on a network that the app's user was on before. false: on any network (Chromium).
  bool known_network_required = true;
  // An installed app of the origin is needed.
  bool installation_required = true;
  // register() with another minInterval counts it from the last run or first registration (specification).
  // false: from now (Chromium).
  bool interval_change_keeps_anchor = true;
  // A tag registered again while it runs fires once more at once (Chromium). false: after a fresh period.
  bool periodic_reregistered_fires_again = false;

  // ------------------------------------------------------------------------------------------ site
  // engagement
  double engagement_max_score = 100;
  double engagement_max_points_per_day = 15;  // local day, first-of-day bonus included
  double engagement_navigation_points = 1.5;
  double engagement_input_points = 0.6;
  double engagement_visible_media_points = 0.06;
  double engagement_hidden_media_points = 0.01;
  double engagement_first_of_day_bonus = 1.5;
  double engagement_notification_points = 1;
  // On the total, neither stored nor capped per day, while whole days since the last launch from a shortcut
  // are at most engagement_launch_bonus_days.
  double engagement_launch_bonus = 5;
  std::int64_t engagement_launch_bonus_days = 10;
  // raw × engagement_decay_factor^floor(elapsed / engagement_decay_period) - engagement_decay_points per
  // period.
  Duration engagement_decay_period = Hours(2);
  double engagement_decay_factor = 0.984;
  double engagement_decay_points = 0;
  // At most this many periods are charged for time in which no site was used.
  std::int64_t engagement_max_idle_periods = 4;
  // No use of any site for max_idle_periods × decay_period + this is a pause: last times move forward.
  Duration engagement_idle_grace = Hours(1);
  double engagement_cleanup_threshold = 0.5;  // a total at or below it is forgotten
  double engagement_bootstrapped_score = 24;
  // Levels: none = 0, minimal < 1, low < 15, medium < 50, high < 100, max = 100.
  double engagement_low_from = 1;
  double engagement_medium_from = 15;
  double engagement_high_from = 50;
  Duration engagement_input_after_navigation = Seconds(10);  // input counts from here on
  Duration engagement_input_after_shown = Seconds(5);
  Duration engagement_input_interval = Seconds(10);  // one credit per interval at most

  // ------------------------------------------------------------------------------------------ worker
  // processes
  Duration worker_start_limit = Seconds(60);
  Duration new_worker_start_limit = Minutes(5);  // not yet installed
  Duration event_limit = Minutes(5);             // events other than sync and periodicsync
  Duration worker_idle_stop = Seconds(30);       // after the last event
  Duration worker_stop_limit = Seconds(5);       // then it is killed
  std::int64_t worker_heap_bytes = 256LL << 20;
  std::int64_t worker_array_buffer_bytes = 256LL << 20;
  Duration worker_cpu_limit = Minutes(2);  // processor time of one event's worker before it is killed

  // ------------------------------------------------------------------------------------------ caps
  // Beyond these a worker or page process is stopped and its events have failed, but where it says otherwise.
  // 0: no cap (not for origin_quota_bytes).
  std::int64_t worker_max_requests = 20'000;  // waiting for their answer
  std::int64_t worker_max_request_bytes = 256LL << 20;
  std::int64_t worker_max_fetches = 6'000;    // under way, bodies included; one more is a network error
  std::int64_t event_max_fetches = 50'000;    // of one event
  std::int64_t worker_max_messages = 10'000;  // postMessage() and BroadcastChannel: sent, not handled yet
  std::int64_t worker_max_message_bytes = 64LL << 20;
  std::int64_t worker_max_console_lines = 10'000;  // at once; those beyond are dropped
  std::int64_t worker_console_lines_per_second = 200;
  std::int64_t origin_max_notifications = 500;      // the oldest goes
  std::int64_t max_notification_bytes = 1LL << 20;  // showNotification() rejects
  std::int64_t origin_max_connections = 256;        // fetches on the network; one more waits for its turn
  std::int64_t origin_max_service_workers = 1'000;  // register() of the container rejects
  std::int64_t origin_quota_bytes = 2LL << 30;      // IndexedDB and caches: QuotaExceededError
  std::int64_t max_pages = 200;                     // another is not opened
  // The process that workers are forked from is replaced after so many of them, or so long.
  std::int64_t zygote_max_forks = 2'000;
  Duration zygote_max_age = Hours(4);

  friend bool operator==(const Parameters&, const Parameters&) = default;
};

}  // namespace vigil
