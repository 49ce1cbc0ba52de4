// libFuzzer target: whatever rows Vigil's records hold, every store reads them or says why not, and the
// engine, the site engagement and the cookie jar go on with what was read.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdlib>

#include "drive_engine.h"
#include "net/cookie_jar.h"
#include "net/url.h"
#include "policy/policy_state.h"
#include "rows.h"
#include "store/app_store.h"
#include "store/cookie_store.h"
#include "store/notification_store.h"
#include "store/policy_stores.h"
#include "store/registration_store.h"
#include "store/schema.h"
#include "store/service_worker_store.h"
#include "store/settings.h"

namespace {

using namespace vigil;

constexpr Now kNow{WallTime(Duration(1'700'000'000'000'000)), MonoTime(Duration(1'000'000))};

const std::vector<fuzz::Table>& Tables() {
  static const std::vector<fuzz::Table> tables = {
      {"sync_registrations",
       {"worker_registration", "tag", "kind", "origin", "min_interval_ms", "attempts", "max_attempts",
        "due_us", "delay_us", "anchor_us", "registered_at_us", "lost_network", "last_fired_us"}},
      {"worker_registrations",
       {"id", "origin", "scope", "update_via_cache", "last_update_check_us", "preload_enabled",
        "preload_header"}},
      {"worker_versions",
       {"id", "registration", "active", "script_url", "state", "module", "listeners", "referrer_policy",
        "static_routes", "csp", "csp_report_only"}},
      {"worker_scripts",
       {"version", "position", "url", "response_url", "body", "type", "importer", "referrer_policy"}},
      {"apps",
       {"id", "origin", "name", "start_url", "scope", "manifest_url", "manifest_json", "install_url",
        "installed_at_us", "launched_at_us"}},
      {"permissions", {"origin", "name", "allow"}},
      {"engagement",
       {"origin", "raw_score", "points_added_today", "last_engagement_us", "last_shortcut_launch_us"}},
      {"known_networks", {"origin", "network_id", "last_used_us"}},
      {"notifications",
       {"position", "id", "origin", "registration", "title", "body", "tag", "icon", "options_json", "data",
        "shown_at_us"}},
      {"cookies", {"jar", "key", "value"}},
      {"settings", {"key", "value"}},
  };
  return tables;
}

// A result or an error with words.
template <class T>
void Said(const Result<T>& result) {
  if (!result && result.error().message.empty()) std::abort();
}

void UsePolicy(store::Database& database) {
  policy::PolicyState state{Parameters()};
  const auto permissions = store::PermissionStore(database).All();
  Said(permissions);
  if (permissions) {
    for (const auto& one : *permissions) state.SetPermission(one.origin, one.name, one.allow);
  }
  const auto networks = store::NetworkStore(database).All();
  Said(networks);
  if (networks) {
    for (const auto& one : *networks) state.LoadKnownNetwork(one.origin, one.network_id);
  }
  const auto engagement = store::EngagementStore(database).All();
  Said(engagement);
  if (!engagement) return;
  for (const auto& one : *engagement) {
    policy::EngagementEntry entry{one.raw_score, one.points_added_today, one.last_engagement,
                                  one.last_shortcut_launch};
    state.engagement().Load(one.origin, entry);
  }
  auto& sites = state.engagement();
  for (int i = 0; i < 3; ++i) {
    const WallTime now = kNow.wall + i * std::chrono::hours(30);
    sites.AccountForPause(now);
    sites.CleanUp(now);
    sites.Record("https://shop.example", policy::EngagementEvent::kNavigation, now, std::chrono::hours(14));
    sites.RecordLaunch("https://shop.example", now);
    for (const auto& [origin, entry] : sites.entries()) {
      const double score = sites.Score(origin, now);
      if (!(score >= 0 && score <= 100)) std::abort();
      if (!(entry.points_added_today >= 0 && entry.points_added_today <= 15)) std::abort();
      (void)sites.Level(origin, now);
    }
  }
  if (sites.Level("https://shop.example", kNow.wall + std::chrono::hours(60)) == EngagementLevel::kNone)
    std::abort();
}

void UseCookies(store::Database& database) {
  const auto cookies = store::CookieStore(database).All();
  Said(cookies);
  if (!cookies) return;
  net::CookieJar jar;
  for (const auto& stored : *cookies) {
    auto cookie = net::Cookie::Deserialize(stored.value);
    if (cookie) jar.Restore(std::move(*cookie));
  }
  const auto url = net::Url::Parse("https://shop.example/");
  (void)jar.HeaderFor(*url, true, kNow.wall);
  (void)jar.Set(*url, "a=b; Max-Age=9223372036854775807", true, kNow.wall);
  (void)jar.HeaderFor(*url, true, kNow.wall);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const auto database = [] {
    log::SetLevel(log::Level::kError);
    auto opened = store::Database::OpenInMemory(store::RecordsOptions());
    if (!opened || !(*opened)->Exec("PRAGMA foreign_keys=OFF")) std::abort();
    return std::move(*opened);
  }();
  FuzzedDataProvider data(bytes, size);
  fuzz::FillTables(data, *database, Tables());
  auto records = store::RegistrationStore(*database).LoadAll();
  Said(records);
  if (records) {
    fuzz::EngineDrive drive(kNow);
    drive.Restore(std::move(*records));
    drive.Mistreat(data);
    drive.MustEnd();
  }
  UsePolicy(*database);
  UseCookies(*database);
  Said(store::ServiceWorkerStore(*database).Load());
  Said(store::AppStore(*database).All());
  Said(store::NotificationStore(*database).All());
  Said(store::Settings(*database).All(""));
  return 0;
}
