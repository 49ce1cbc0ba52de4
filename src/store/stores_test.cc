#include "store/stores.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "store/schema.h"
#include "store/test_directory.h"

namespace vigil::store {
namespace {

using std::chrono::hours;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const WallTime kNow{std::chrono::duration_cast<Duration>(hours(500'000))};

class StoresTest : public ::testing::Test {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    stores_.reset();
    auto opened = Stores::Open(scratch_.path());
    ASSERT_TRUE(opened) << opened.error().message;
    stores_ = std::move(*opened);
  }

  TestDirectory scratch_;
  std::unique_ptr<Stores> stores_;
};

RegistrationRecord Record(WorkerRegistrationId id, SyncKind kind, std::string tag) {
  RegistrationRecord record;
  record.key = RegistrationKey{id, kind, std::move(tag)};
  record.origin = "https://shop.example";
  record.max_attempts = 3;
  record.registered_at = kNow;
  record.due = kNow + Duration(7);
  return record;
}

RecordChange Put(RegistrationRecord record) {
  return RecordChange{RecordChange::Op::kPut, std::move(record)};
}
RecordChange Erase(RegistrationRecord record) {
  return RecordChange{RecordChange::Op::kErase, std::move(record)};
}

TEST_F(StoresTest, RegistrationsComeBackAsTheyWereInOrder) {
  RegistrationRecord full = Record(2, SyncKind::kPeriodic, "news");
  full.min_interval_ms = 86'400'000;
  full.attempts = 2;
  full.due.reset();
  full.delay = Duration(123);
  full.anchor = kNow - Duration(5);
  full.lost_network = true;
  full.last_fired = kNow - Duration(9);
  const RegistrationRecord strange = Record(1, SyncKind::kOneShot, std::string("zero\0and \xC3\xA4", 11));
  const RegistrationRecord empty = Record(1, SyncKind::kOneShot, "");
  const RegistrationRecord twin = Record(2, SyncKind::kOneShot, "news");
  ASSERT_TRUE(stores_->registrations.Apply(
      std::vector<RegistrationStore::Batch>{{Put(full), Put(strange)}, {Put(empty)}, {Put(twin)}}));
  Reopen();
  EXPECT_THAT(stores_->registrations.LoadAll().value(), ElementsAre(empty, strange, twin, full));
}

// Every earlier version of the schema, with a registration in it.
TEST(OldVersions, OfTheRecordsAreBroughtUpToDate) {
  const std::size_t newest = RecordsOptions().migrations.size();
  ASSERT_GE(newest, 2U);
  for (std::size_t version = 1; version < newest; ++version) {
    const TestDirectory scratch;
    {
      OpenOptions old = RecordsOptions();
      old.migrations.resize(version);
      auto database = Database::Open(scratch / "vigil.db", old);
      ASSERT_TRUE(database) << database.error().message;
      ASSERT_TRUE(
          (*database)->Exec("INSERT INTO sync_registrations (worker_registration, tag, kind, origin, "
                            "min_interval_ms, attempts, "
                            "max_attempts, due_us, delay_us, anchor_us, registered_at_us, lost_network) "
                            "VALUES (7, 'news', 1, 'https://shop.example', 5, 1, 3, 11, 12, 13, 14, 1)"));
    }
    auto stores = Stores::Open(scratch.path());
    ASSERT_TRUE(stores) << stores.error().message;
    const auto records = (*stores)->registrations.LoadAll();
    ASSERT_TRUE(records) << records.error().message;
    ASSERT_EQ(records->size(), 1U) << "version " << version;
    EXPECT_EQ(records->front().key, (RegistrationKey{7, SyncKind::kPeriodic, "news"}));
    EXPECT_EQ(records->front().anchor, WallTime(Duration(13)));
    EXPECT_EQ(records->front().last_fired, std::nullopt);
  }
}

TEST_F(StoresTest, BatchesAreAppliedInTheirOrder) {
  RegistrationRecord record = Record(1, SyncKind::kOneShot, "a");
  RegistrationRecord changed = record;
  changed.attempts = 1;
  const RegistrationRecord gone = Record(1, SyncKind::kOneShot, "b");
  ASSERT_TRUE(stores_->registrations.Apply(std::vector<RegistrationStore::Batch>{
      {Put(record), Put(gone)}, {Erase(record), Erase(gone)}, {}, {Put(changed)}}));
  EXPECT_THAT(stores_->registrations.LoadAll().value(), ElementsAre(changed));
}

TEST_F(StoresTest, NoBatchIsAppliedWhenOneFails) {
  ASSERT_TRUE(
      stores_->records().Exec("CREATE TRIGGER t BEFORE INSERT ON sync_registrations WHEN new.tag = 'bad' "
                              "BEGIN SELECT RAISE(ABORT, 'refused'); END"));
  const Result<> result = stores_->registrations.Apply(std::vector<RegistrationStore::Batch>{
      {Put(Record(1, SyncKind::kOneShot, "good"))}, {Put(Record(1, SyncKind::kOneShot, "bad"))}});
  EXPECT_FALSE(result);
  EXPECT_THAT(stores_->registrations.LoadAll().value(), IsEmpty());
}

TEST_F(StoresTest, EmptyBatchesProbeTheDisk) {
  EXPECT_TRUE(stores_->registrations.Apply(std::vector<RegistrationStore::Batch>{{}}));
  ASSERT_TRUE(stores_->records().Exec("PRAGMA query_only = ON"));
  EXPECT_FALSE(stores_->registrations.Apply(std::vector<RegistrationStore::Batch>{{}}));
}

TEST_F(StoresTest, RegistrationsCanBeReadInParts) {
  RegistrationStore::Batch batch;
  for (const char* tag : {"a", "b", "c", "d", "e"}) batch.push_back(Put(Record(1, SyncKind::kOneShot, tag)));
  ASSERT_TRUE(stores_->registrations.Apply(std::span(&batch, 1)));
  std::vector<std::string> parts;
  ASSERT_TRUE(stores_->registrations.Load(2, [&](std::vector<RegistrationRecord> part) {
    std::string tags;
    for (const RegistrationRecord& record : part) tags += record.key.tag;
    parts.push_back(tags);
  }));
  EXPECT_THAT(parts, ElementsAre("ab", "cd", "e"));
}

TEST_F(StoresTest, HundredThousandRegistrationsComeBack) {
  RegistrationStore::Batch batch;
  for (int i = 0; i < 100'000; ++i)
    batch.push_back(
        Put(Record(static_cast<std::uint64_t>(i / 10), SyncKind::kOneShot, fmt::format("tag-{}", i))));
  ASSERT_TRUE(stores_->registrations.Apply(std::span(&batch, 1)));
  Reopen();
  EXPECT_EQ(stores_->registrations.LoadAll().value().size(), 100'000U);
}

StoredRegistration Worker(std::uint64_t id, std::uint64_t version) {
  StoredRegistration registration;
  registration.id = id;
  registration.origin = "https://shop.example";
  registration.scope = fmt::format("https://shop.example/{}/", id);
  StoredVersion active;
  active.id = version;
  active.script_url = registration.scope + "sw.js";
  active.state = "activated";
  active.listeners = {"sync", "fetch"};
  active.scripts = {StoredScript{active.script_url, active.script_url, "self"},
                    StoredScript{"lib.js", "lib2.js", std::string("\0bin", 4)}};
  registration.active = std::move(active);
  return registration;
}

TEST_F(StoresTest, ServiceWorkersComeBackWithTheirScripts) {
  StoredRegistration worker = Worker(1, 10);
  worker.last_update_check = kNow;
  worker.preload_enabled = true;
  worker.preload_header = "v2";
  worker.active->csp = "default-src 'self'";
  worker.active->csp_report_only = "connect-src *";
  worker.active->static_routes = std::string("\0rules", 6);
  ASSERT_TRUE(stores_->service_workers.Save(worker));
  Reopen();
  const auto loaded = stores_->service_workers.Load().value();
  ASSERT_EQ(loaded.registrations.size(), 1U);
  const StoredRegistration& back = loaded.registrations[0];
  EXPECT_EQ(back.scope, worker.scope);
  EXPECT_EQ(back.last_update_check, kNow);
  EXPECT_TRUE(back.preload_enabled);
  EXPECT_EQ(back.preload_header, "v2");
  EXPECT_EQ(back.active->csp, "default-src 'self'");
  EXPECT_EQ(back.active->csp_report_only, "connect-src *");
  EXPECT_EQ(back.active->static_routes, std::string("\0rules", 6));
  EXPECT_FALSE(back.waiting);
  ASSERT_TRUE(back.active);
  EXPECT_EQ(back.active->listeners, worker.active->listeners);
  ASSERT_EQ(back.active->scripts.size(), 2U);
  EXPECT_EQ(back.active->scripts[1].response_url, "lib2.js");
  EXPECT_EQ(back.active->scripts[1].body, std::string("\0bin", 4));
}

TEST_F(StoresTest, NavigationPreloadIsChangedByItself) {
  ASSERT_TRUE(stores_->service_workers.Save(Worker(1, 10)));
  EXPECT_FALSE(stores_->service_workers.Load().value().registrations[0].preload_enabled);
  EXPECT_EQ(stores_->service_workers.Load().value().registrations[0].preload_header, "true");
  ASSERT_TRUE(stores_->service_workers.SetPreload(1, true, "hello"));
  Reopen();
  const auto loaded = stores_->service_workers.Load().value();
  EXPECT_TRUE(loaded.registrations[0].preload_enabled);
  EXPECT_EQ(loaded.registrations[0].preload_header, "hello");
}

TEST_F(StoresTest, AWaitingVersionTakesTheActiveOnesPlace) {
  StoredRegistration worker = Worker(1, 10);
  ASSERT_TRUE(stores_->service_workers.Save(worker));
  worker.waiting = Worker(1, 11).active;
  worker.waiting->state = "installed";
  ASSERT_TRUE(stores_->service_workers.Save(worker));
  EXPECT_TRUE(stores_->service_workers.Load().value().registrations[0].waiting);
  worker.active = std::move(worker.waiting);
  worker.waiting.reset();
  worker.active->state = "activated";
  worker.active->scripts.clear();  // stored already
  ASSERT_TRUE(stores_->service_workers.Save(worker));
  const auto loaded = stores_->service_workers.Load().value();
  EXPECT_FALSE(loaded.registrations[0].waiting);
  EXPECT_EQ(loaded.registrations[0].active->id, 11U);
  EXPECT_EQ(loaded.registrations[0].active->scripts.size(), 2U);
  EXPECT_THAT(stores_->service_workers.Scripts(10).value(), IsEmpty());
}

TEST_F(StoresTest, IdsOfRemovedServiceWorkersStayUsed) {
  ASSERT_TRUE(stores_->service_workers.Save(Worker(5, 9)));
  ASSERT_TRUE(stores_->service_workers.Remove(5));
  Reopen();
  const auto loaded = stores_->service_workers.Load().value();
  EXPECT_THAT(loaded.registrations, IsEmpty());
  EXPECT_EQ(loaded.last_registration_id, 5U);
  EXPECT_EQ(loaded.last_version_id, 9U);
}

TEST_F(StoresTest, ARemovedServiceWorkerTakesItsSyncRegistrationsAlong) {
  ASSERT_TRUE(stores_->service_workers.Save(Worker(5, 9)));
  const RegistrationRecord kept = Record(6, SyncKind::kOneShot, "a");
  ASSERT_TRUE(stores_->registrations.Apply(std::vector<RegistrationStore::Batch>{
      {Put(Record(5, SyncKind::kOneShot, "a")), Put(Record(5, SyncKind::kPeriodic, "b")), Put(kept)}}));
  ASSERT_TRUE(stores_->service_workers.Remove(5));
  EXPECT_THAT(stores_->registrations.LoadAll().value(), ElementsAre(kept));
}

TEST_F(StoresTest, AppsAreReplacedById) {
  StoredApp app{.id = "https://a.example/", .origin = "https://a.example", .name = "A", .installed_at = kNow};
  ASSERT_TRUE(stores_->apps.Put(app));
  app.name = "B";
  app.launched_at = kNow;
  ASSERT_TRUE(stores_->apps.Put(app));
  const auto all = stores_->apps.All().value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].name, "B");
  EXPECT_EQ(all[0].launched_at, kNow);
  EXPECT_TRUE(stores_->apps.Remove(app.id).value());
  EXPECT_FALSE(stores_->apps.Remove(app.id).value());
}

TEST_F(StoresTest, PermissionsKeepOnlyWhatWasSet) {
  ASSERT_TRUE(stores_->permissions.Set({"https://a.example", "background-sync", false}));
  EXPECT_EQ(stores_->permissions.Get("https://a.example", "background-sync").value(), std::optional(false));
  EXPECT_EQ(stores_->permissions.Get("https://a.example", "notifications").value(), std::nullopt);
  ASSERT_TRUE(stores_->permissions.Unset("https://a.example", "background-sync"));
  EXPECT_THAT(stores_->permissions.All().value(), IsEmpty());
}

TEST_F(StoresTest, EngagementKeepsExactNumbers) {
  ASSERT_TRUE(stores_->engagement.Put({{"https://a.example", 12.3456789012345, 1.5, kNow, std::nullopt},
                                       {"https://b.example", 0.1, 0, kNow, kNow - Duration(1)}}));
  const auto all = stores_->engagement.All().value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].raw_score, 12.3456789012345);
  EXPECT_EQ(all[0].last_shortcut_launch, std::nullopt);
  EXPECT_EQ(all[1].last_shortcut_launch, kNow - Duration(1));
}

TEST_F(StoresTest, TheLongestUnusedNetworkGoesFirst) {
  for (int i = 0; i <= NetworkStore::kMaxPerOrigin; ++i) {
    ASSERT_TRUE(stores_->networks.Put({"https://a.example", fmt::format("gw:{:03}", i), kNow + Duration(i)}));
  }
  ASSERT_TRUE(stores_->networks.Put({"https://b.example", "gw:000", kNow}));
  const auto all = stores_->networks.All().value();
  EXPECT_EQ(all.size(), static_cast<std::size_t>(NetworkStore::kMaxPerOrigin) + 1);
  EXPECT_EQ(all[0].network_id, "gw:001");
}

TEST_F(StoresTest, ANotificationReplacesTheOneWithItsTag) {
  StoredNotification one{
      .id = "1", .origin = "https://a.example", .registration_id = 1, .title = "one", .tag = "t"};
  StoredNotification other{
      .id = "2", .origin = "https://b.example", .registration_id = 2, .title = "other", .tag = "t"};
  StoredNotification two = one;
  two.id = "3";
  two.data = std::string("\xff\x0f\0", 3);
  EXPECT_THAT(stores_->notifications.Show(one).value(), IsEmpty());
  EXPECT_THAT(stores_->notifications.Show(other).value(), IsEmpty());
  EXPECT_THAT(stores_->notifications.Show(two).value(), ElementsAre("1"));
  const auto of_a = stores_->notifications.OfOrigin("https://a.example").value();
  ASSERT_EQ(of_a.size(), 1U);
  EXPECT_EQ(of_a[0].data, two.data);
  EXPECT_TRUE(stores_->notifications.Close("3").value());
  EXPECT_FALSE(stores_->notifications.Close("3").value());
  EXPECT_EQ(stores_->notifications.All().value().size(), 1U);
}

TEST_F(StoresTest, SettingsAreFoundByPrefix) {
  ASSERT_TRUE(stores_->settings.Set("network.mode", "offline"));
  ASSERT_TRUE(stores_->settings.Set("other", "x"));
  EXPECT_EQ(stores_->settings.All("network.").value().size(), 1U);
  EXPECT_EQ(stores_->settings.Get("network.mode").value(), "offline");
  ASSERT_TRUE(stores_->settings.Unset("network.mode"));
  EXPECT_EQ(stores_->settings.Get("network.mode").value(), std::nullopt);
}

TEST_F(StoresTest, CookiesAreKeptPerJar) {
  ASSERT_TRUE(stores_->cookies.Apply({{"a", "k", "1"}, {"a", "l", "2"}, {"b", "k", "3"}}, {}));
  ASSERT_TRUE(stores_->cookies.Apply({{"a", "k", "4"}}, {{"a", "l", ""}}));
  ASSERT_TRUE(stores_->cookies.RemoveJar("b"));
  const auto all = stores_->cookies.All().value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].value, "4");
}

TEST_F(StoresTest, ClearingAnOriginSparesTheOthersAndTheUsersDecisions) {
  StoredRegistration other = Worker(2, 20);
  other.origin = "https://other.example";
  ASSERT_TRUE(stores_->service_workers.Save(Worker(1, 10)));
  ASSERT_TRUE(stores_->service_workers.Save(other));
  ASSERT_TRUE(stores_->registrations.Apply(
      std::vector<RegistrationStore::Batch>{{Put(Record(1, SyncKind::kOneShot, "a"))}}));
  ASSERT_TRUE(stores_->permissions.Set({"https://shop.example", "notifications", false}));
  ASSERT_TRUE(stores_->cookies.Apply({{"https://shop.example", "k", "1"}}, {}));
  ASSERT_TRUE(stores_->ClearOrigin("https://shop.example"));
  EXPECT_THAT(stores_->registrations.LoadAll().value(), IsEmpty());
  EXPECT_EQ(stores_->service_workers.Load().value().registrations.size(), 1U);
  EXPECT_THAT(stores_->service_workers.Scripts(10).value(), IsEmpty());
  EXPECT_THAT(stores_->cookies.All().value(), IsEmpty());
  EXPECT_EQ(stores_->permissions.All().value().size(), 1U);
}

TEST_F(StoresTest, ARegistrationThatMakesNoSenseIsPassedOverAndTheOthersLive) {
  ASSERT_TRUE(stores_->registrations.Apply(
      std::vector<RegistrationStore::Batch>{{Put(Record(1, SyncKind::kOneShot, "good"))}}));
  for (const char* odd : {"7, 'tag', 2", "8, x'ff', 0"}) {
    ASSERT_TRUE(stores_->records().Exec(
        std::string("INSERT INTO sync_registrations (worker_registration, tag, kind, origin, "
                    "min_interval_ms, attempts,"
                    " max_attempts, due_us, delay_us, anchor_us, registered_at_us, lost_network) VALUES (") +
        odd + ", 'https://shop.example', -1, 0, 3, NULL, 0, 0, 0, 0)"));
  }
  const auto records = stores_->registrations.LoadAll();
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 1U);
  EXPECT_EQ(records->front().key.tag, "good");
}

TEST_F(StoresTest, TimesBeyondAllSenseAreCut) {
  const std::string most = std::to_string(std::numeric_limits<std::int64_t>::max());
  ASSERT_TRUE(
      stores_->records().Exec("INSERT INTO engagement VALUES ('o', 1, 1, " + most + ", -" + most + ")"));
  const auto entry = stores_->engagement.All().value().at(0);
  EXPECT_LT(entry.last_engagement - kNow, Duration::max() / 2);
  EXPECT_LT(kNow - *entry.last_shortcut_launch, Duration::max() / 2);
}

LoggedEvent Event(Service service, std::string name, WallTime at = kNow) {
  LoggedEvent event;
  event.at = at;
  event.service = service;
  event.origin = "https://shop.example";
  event.registration_id = 1;
  event.name = std::move(name);
  event.instance = "tag";
  event.metadata = {{"Last Chance", "Yes"}, {"A", ""}};
  return event;
}

TEST_F(StoresTest, EventsAreKeptOnlyWhileTheirServiceIsRecorded) {
  EXPECT_THAT(stores_->events.Append({Event(Service::kBackgroundSync, "lost")}).value().kept, IsEmpty());
  ASSERT_TRUE(stores_->events.SetRecording(Service::kBackgroundSync, true, kNow));
  const auto kept =
      stores_->events.Append({Event(Service::kBackgroundSync, "one"), Event(Service::kNotifications, "lost")})
          .value()
          .kept;
  ASSERT_EQ(kept.size(), 1U);
  Reopen();
  const auto found = stores_->events.Query({}).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, kept[0].id);
  EXPECT_EQ(found[0].name, "one");
  EXPECT_EQ(found[0].at, kNow);
  EXPECT_EQ(found[0].metadata, kept[0].metadata);
  ASSERT_TRUE(stores_->events.SetRecording(Service::kBackgroundSync, false, kNow));
  EXPECT_THAT(stores_->events.Append({Event(Service::kBackgroundSync, "lost")}).value().kept, IsEmpty());
}

TEST_F(StoresTest, RecordingEndsAfterThreeDaysOverRestarts) {
  ASSERT_TRUE(stores_->events.SetRecording(Service::kBackgroundSync, true, kNow));
  Reopen();
  EXPECT_EQ(stores_->events.Recordings(kNow + hours(71)).value()[0].until, kNow + hours(72));
  EXPECT_EQ(stores_->events.Recordings(kNow + hours(72)).value()[0].until, std::nullopt);
  const auto late = stores_->events
                        .Append({Event(Service::kBackgroundSync, "late", kNow + hours(72)),
                                 Event(Service::kBackgroundSync, "later", kNow + hours(73))})
                        .value();
  EXPECT_THAT(late.kept, IsEmpty());
  EXPECT_THAT(late.ended, ElementsAre(Service::kBackgroundSync));
  EXPECT_EQ(stores_->events.Recordings(kNow).value()[0].until, std::nullopt);
}

TEST_F(StoresTest, EventsAreFilteredAndTheYoungestWin) {
  for (const Service service : kServices) ASSERT_TRUE(stores_->events.SetRecording(service, true, kNow));
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(stores_->events.Append(
        {Event(Service::kBackgroundSync, fmt::format("b{}", i)), Event(Service::kNotifications, "n")}));
  }
  const auto last = stores_->events.Query({.service = Service::kBackgroundSync, .limit = 2}).value();
  ASSERT_EQ(last.size(), 2U);
  EXPECT_EQ(last[0].name, "b3");
  EXPECT_THAT(stores_->events.Query({.after_id = last[1].id}).value(), ::testing::SizeIs(1));
  EXPECT_THAT(stores_->events.Query({.origin = "https://other.example"}).value(), IsEmpty());
  ASSERT_TRUE(stores_->events.Clear(Service::kNotifications));
  EXPECT_THAT(stores_->events.Query({}).value(), ::testing::SizeIs(5));
}

TEST_F(StoresTest, AClockThatIsSetBackDoesNotLengthenARecording) {
  ASSERT_TRUE(stores_->events.SetRecording(Service::kBackgroundSync, true, kNow));
  const WallTime back = kNow - hours(24 * 365);
  ASSERT_EQ(stores_->events.Append({Event(Service::kBackgroundSync, "early", back)}).value().kept.size(), 1U);
  Reopen();
  EXPECT_EQ(stores_->events.Recordings(back).value()[0].until, back + hours(72));
}

struct BoundedLog {
  explicit BoundedLog(EventLog::Bounds bounds) : log(*database, bounds) {
    EXPECT_TRUE(log.SetRecording(Service::kBackgroundSync, true, kNow));
  }
  void Append(const std::string& name, const std::string& tag) {
    LoggedEvent event = Event(Service::kBackgroundSync, name);
    event.instance = tag;
    ASSERT_TRUE(log.Append({std::move(event)}));
  }
  std::vector<LoggedEvent> All() { return log.Query({}).value(); }

  std::unique_ptr<Database> database = Database::OpenInMemory(LogOptions()).value();
  EventLog log;
};

TEST(EventLog, KeepsNoMoreEventsThanItMay) {
  BoundedLog bounded({.events = 10});
  for (int i = 0; i < 100; ++i) {
    bounded.Append(fmt::format("{}", i), "tag");
    EXPECT_LE(bounded.All().size(), 10U);
  }
  EXPECT_EQ(bounded.All().back().name, "99");
  EXPECT_GE(bounded.All().size(), 9U);
}

TEST(EventLog, KeepsNoMoreBytesThanItMayAndUsesTheFilesSpaceAgain) {
  BoundedLog bounded({.bytes = 1 << 20});
  const std::string tag(10'240, 't');
  std::int64_t full = 0;
  for (int i = 0; i < 400; ++i) {
    bounded.Append(fmt::format("{}", i), tag);
    if (i == 120) full = bounded.database->FileBytes();  // more than fits was written by now
  }
  const auto kept = bounded.All();
  EXPECT_LE(kept.size() * tag.size(), std::size_t{1} << 20);
  EXPECT_GE(kept.size() * tag.size(), std::size_t{800} << 10);
  EXPECT_EQ(kept.back().name, "399");
  EXPECT_LE(bounded.database->FileBytes(), full + (full / 8));
  EXPECT_LE(full, 3 << 19) << "at most half more than the bound";
}

TEST(EventLog, CountsWhatLeavesItOtherwiseToo) {
  BoundedLog bounded({.events = 10});
  for (int i = 0; i < 9; ++i) bounded.Append(fmt::format("{}", i), "tag");
  ASSERT_TRUE(bounded.log.Clear(Service::kBackgroundSync));
  for (int i = 0; i < 9; ++i) bounded.Append(fmt::format("{}", i), "tag");
  EXPECT_EQ(bounded.All().size(), 9U);
  ASSERT_TRUE(bounded.log.RemoveOrigin("https://shop.example"));
  for (int i = 0; i < 9; ++i) bounded.Append(fmt::format("{}", i), "tag");
  EXPECT_EQ(bounded.All().size(), 9U);
}

TEST(EventLog, CountsAnewWhenItsSumIsDamaged) {
  for (const char* damage :
       {"DELETE FROM event_totals", "UPDATE event_totals SET events = -1",
        "UPDATE event_totals SET bytes = 1 << 60", "UPDATE event_totals SET events = 'x'"}) {
    BoundedLog bounded({.events = 10});
    for (int i = 0; i < 5; ++i) bounded.Append("before", "tag");
    ASSERT_TRUE(bounded.database->Exec(damage)) << damage;
    for (int i = 0; i < 30; ++i) bounded.Append("after", "tag");
    EXPECT_LE(bounded.All().size(), 15U) << damage;
    EXPECT_GE(bounded.All().size(), 9U) << damage;
  }
}

TEST(EventLog, AnswersWithTheYoungestThatFit) {
  BoundedLog bounded({});
  for (int i = 0; i < 20; ++i) bounded.Append(fmt::format("{}", i), std::string(1000, 't'));
  const auto young = bounded.log.Query({.max_bytes = 5 * 1200}).value();
  ASSERT_EQ(young.size(), 5U);
  EXPECT_EQ(young.front().name, "15");
}

TEST(EventLog, ARowThatMakesNoSenseCostsItselfOnly) {
  BoundedLog bounded({});
  bounded.Append("first", "tag");
  ASSERT_TRUE(bounded.database->Exec(
      "INSERT INTO events (at_us, service, origin, registration, name, instance, metadata) VALUES "
      "(9223372036854775807, 99, 'o', 1, 'n', 'i', ''), ('when?', 'which?', x'ff', -1, 1.5, x'00', x'ff'), "
      "(-9223372036854775808, 3, x'80', -1, 'odd', x'c000ff', 'name without value')"));
  bounded.Append("last", "tag");
  const auto kept = bounded.All();
  ASSERT_EQ(kept.size(), 3U);
  EXPECT_EQ(kept.front().name, "first");
  EXPECT_EQ(kept[1].name, "odd");
  EXPECT_EQ(kept.back().name, "last");
}

// What version 1 wrote is counted too.
TEST(EventLog, OpensALogOfTheFirstVersion) {
  const TestDirectory scratch;
  OpenOptions first = LogOptions();
  first.migrations.resize(1);
  {
    auto database = Database::Open(scratch / "log.db", first).value();
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(
          database->Run("INSERT INTO events (at_us, service, origin, registration, name, instance, metadata)"
                        " VALUES (1, 3, 'https://shop.example', 1, ?, 'tag', '')",
                        std::to_string(i)));
    }
    ASSERT_TRUE(
        database->Run("INSERT INTO recordings VALUES (3, ?)", (kNow + hours(1)).time_since_epoch().count()));
  }
  auto database = Database::Open(scratch / "log.db", LogOptions()).value();
  EventLog log(*database, {.events = 10});
  EXPECT_EQ(log.Query({}).value().size(), 20U);
  ASSERT_EQ(log.Append({Event(Service::kBackgroundSync, "young")}).value().kept.size(), 1U);
  EXPECT_EQ(log.Query({}).value().size(), 9U);
}

TEST_F(StoresTest, EventsComeBackWithEveryFieldInTheOrderOfTheirComing) {
  ASSERT_TRUE(stores_->events.SetRecording(Service::kBackgroundSync, true, kNow));
  LoggedEvent first = Event(Service::kBackgroundSync, "Registered sync");
  first.registration_id = 7;
  first.instance = "";
  first.metadata.clear();
  LoggedEvent second = Event(Service::kBackgroundSync, "Dispatched sync event", kNow + Duration(1));
  ASSERT_TRUE(stores_->events.Append({first}));
  ASSERT_TRUE(stores_->events.Append({second}));
  Reopen();
  const auto found = stores_->events.Query({}).value();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_LT(found[0].id, found[1].id);
  const LoggedEvent* const expected[] = {&first, &second};
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].at, expected[i]->at);
    EXPECT_EQ(found[i].service, Service::kBackgroundSync);
    EXPECT_EQ(found[i].origin, "https://shop.example");
    EXPECT_EQ(found[i].registration_id, expected[i]->registration_id);
    EXPECT_EQ(found[i].name, expected[i]->name);
    EXPECT_EQ(found[i].instance, expected[i]->instance);
    EXPECT_EQ(found[i].metadata, expected[i]->metadata);
  }
}

TEST_F(StoresTest, StoppingARecordingKeepsWhatItHasAndForgetsItsEnd) {
  ASSERT_TRUE(stores_->events.SetRecording(Service::kBackgroundSync, true, kNow));
  ASSERT_TRUE(stores_->events.Append({Event(Service::kBackgroundSync, "kept")}));
  ASSERT_TRUE(stores_->events.SetRecording(Service::kBackgroundSync, false, kNow + hours(1)));
  Reopen();
  EXPECT_EQ(stores_->events.Recordings(kNow + hours(1)).value()[0].until, std::nullopt);
  EXPECT_THAT(stores_->events.Query({}).value(), ::testing::SizeIs(1));
  ASSERT_TRUE(stores_->events.SetRecording(Service::kBackgroundSync, true, kNow + hours(2)));
  EXPECT_EQ(stores_->events.Recordings(kNow + hours(2)).value()[0].until, kNow + hours(2 + 72));
}

}  // namespace
}  // namespace vigil::store
