#include "vigil/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "vigil/memory_ports.h"

namespace vigil {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kShop = "https://shop.example";

// Counts what the store is asked to do.
class CountingStore : public MemoryStore {
 public:
  WriteResult Write(WriteToken token, const std::vector<RecordChange>& changes) override {
    sizes.push_back(changes.size());
    tokens.push_back(token);
    return MemoryStore::Write(token, changes);
  }
  std::vector<std::size_t> sizes;
  std::vector<WriteToken> tokens;
};

class DriverTest : public testing::Test {
 protected:
  DriverTest() {
    clock.now = {WallTime(hours(24) * 20000), MonoTime(hours(7))};
    clock.on_wake = [this] { driver->Tick(); };
    Restart();
  }
  void Make() {
    driver =
        std::make_unique<Driver>(parameters, DriverPorts{policy, network, random, store, dispatcher, clock});
  }
  void Restart() {
    dispatcher.waiting.clear();
    store.hold = false;
    Make();
    ASSERT_EQ(driver->Start(), std::nullopt);
  }
  static input::Register Call(const std::string& tag, WorkerRegistrationId worker = 1) {
    input::Register in;
    in.key = {worker, SyncKind::kOneShot, tag};
    in.origin = kShop;
    return in;
  }
  // The answers come as "tag: ok" or "tag: NAME".
  void Register(const std::string& tag) {
    driver->Register(Call(tag), [this, tag](const std::optional<DomError>& error) {
      answers.push_back(tag + ": " + (error ? error->name : "ok"));
      if (!error) driver->Acknowledge(1, tag);
    });
  }
  std::string Reason(const std::string& tag) {
    const auto why = driver->engine().Explain({1, SyncKind::kOneShot, tag}, driver->now());
    return why ? WaitReasonName(why->reason) : "gone";
  }

  Parameters parameters;
  MemoryPolicy policy;
  MemoryNetwork network;
  SeededRandom random;
  CountingStore store;
  MemoryDispatcher dispatcher;
  ManualClock clock;
  std::unique_ptr<Driver> driver;
  std::vector<std::string> answers;
};

TEST_F(DriverTest, CarriesARegistrationThroughRestartFailureAndRetry) {
  network.online = false;
  driver->NetworkChanged();
  Register("post");
  EXPECT_THAT(answers, ElementsAre("post: ok"));
  EXPECT_THAT(store.records, SizeIs(1));

  Restart();
  EXPECT_THAT(dispatcher.waiting, IsEmpty());
  network.online = true;
  driver->NetworkChanged();
  ASSERT_THAT(dispatcher.waiting, SizeIs(1));
  EXPECT_TRUE(driver->EventFinished(dispatcher.Take().token, DispatchOutcome::kRejected, "503"));

  clock.Advance(minutes(5) - seconds(1));
  EXPECT_THAT(dispatcher.waiting, IsEmpty());
  clock.Advance(seconds(1));
  ASSERT_THAT(dispatcher.waiting, SizeIs(1));
  EXPECT_TRUE(driver->EventFinished(dispatcher.Take().token, DispatchOutcome::kSucceeded));
  EXPECT_THAT(store.records, IsEmpty());
  EXPECT_EQ(driver->engine().size(), 0u);
}

TEST_F(DriverTest, AnswersAndFiresOnlyWhenTheWriteIsFinished) {
  store.hold = true;
  Register("post");
  EXPECT_THAT(answers, IsEmpty());
  EXPECT_THAT(dispatcher.waiting, IsEmpty());
  EXPECT_EQ(Reason("post"), "storing");
  store.Release(*driver);
  EXPECT_THAT(answers, ElementsAre("post: ok"));
  EXPECT_THAT(dispatcher.waiting, SizeIs(1));
}

TEST_F(DriverTest, WritesTogetherWhatCameUpDuringAWrite) {
  store.sizes.clear();
  store.hold = true;
  for (const char* tag : {"a", "b", "c"}) Register(tag);
  EXPECT_THAT(store.sizes, ElementsAre(1));
  store.Release(*driver);
  EXPECT_THAT(store.sizes, ElementsAre(1, 2));
  EXPECT_THAT(answers, ElementsAre("a: ok"));
  store.Release(*driver);
  EXPECT_THAT(answers, ElementsAre("a: ok", "b: ok", "c: ok"));
}

TEST_F(DriverTest, RefusesReportsOfWritesThatAreNotUnderWay) {
  store.hold = true;
  Register("post");
  const WriteToken token = store.tokens.back();
  EXPECT_FALSE(driver->WriteFinished(0, std::nullopt));
  EXPECT_FALSE(driver->WriteFinished(token + 1, std::nullopt));
  EXPECT_THAT(answers, IsEmpty());
  EXPECT_TRUE(driver->WriteFinished(token, std::nullopt));
  EXPECT_FALSE(driver->WriteFinished(token, "too late")) << "a write has one end";
  EXPECT_THAT(answers, ElementsAre("post: ok"));
}

// A store that tells before it returns.
class HastyStore : public MemoryStore {
 public:
  WriteResult Write(WriteToken token, const std::vector<RecordChange>& changes) override {
    MemoryStore::Write(token, changes);
    driver->WriteFinished(token, std::nullopt);
    return answer;
  }
  Driver* driver = nullptr;
  WriteResult answer = WriteResult::Later();
};

TEST_F(DriverTest, TakesTheEndOfAWriteFromInsideTheWriteAndBelievesItOnce) {
  for (const WriteResult& answer :
       {WriteResult::Later(), WriteResult::Written(), WriteResult::Failed("contradiction")}) {
    answers.clear();
    HastyStore hasty;
    hasty.answer = answer;
    driver =
        std::make_unique<Driver>(parameters, DriverPorts{policy, network, random, hasty, dispatcher, clock});
    hasty.driver = driver.get();
    ASSERT_EQ(driver->Start(), std::nullopt);
    Register("post");
    EXPECT_THAT(answers, ElementsAre("post: ok"));
    EXPECT_TRUE(driver->engine().store_status().ok);
    driver.reset();
  }
}

TEST_F(DriverTest, RefusesRegistrationsWhileTheStoreFailsAndRecoversByItself) {
  store.failure = "disk full";
  Register("a");
  EXPECT_THAT(answers, ElementsAre("a: UnknownError"));
  EXPECT_FALSE(driver->engine().store_status().ok);
  EXPECT_EQ(driver->engine().store_status().message, "disk full");
  store.failure.reset();
  clock.Advance(parameters.store_retry_delay);
  EXPECT_TRUE(driver->engine().store_status().ok);
  Register("b");
  EXPECT_THAT(answers, ElementsAre("a: UnknownError", "b: ok"));
}

TEST_F(DriverTest, TriesTheStoreAtOnceWhenToldThatItRecovered) {
  store.failure = "disk full";
  Register("a");
  store.failure.reset();
  driver->StoreRecovered();
  EXPECT_TRUE(driver->engine().store_status().ok);
}

// An event that registers two more, asks for the tags and ends, all from inside the call that starts it.
class BusyDispatcher : public DispatcherPort {
 public:
  void Dispatch(const effect::Dispatch& event) override {
    order.push_back("begin " + event.key.tag);
    if (event.key.tag == "first") {
      for (const char* tag : {"second", "third"}) {
        input::Register in;
        in.key = {1, SyncKind::kOneShot, tag};
        in.origin = kShop;
        driver->Register(in, [this, tag](const auto&) {
          order.push_back(std::string("stored ") + tag);
          driver->Acknowledge(1, tag);
        });
      }
    }
    driver->EventFinished(event.token, DispatchOutcome::kSucceeded);
    order.push_back("end " + event.key.tag);
  }
  Driver* driver = nullptr;
  std::vector<std::string> order;
};

TEST_F(DriverTest, QueuesWhatCallbacksSay) {
  BusyDispatcher busy;
  driver = std::make_unique<Driver>(parameters, DriverPorts{policy, network, random, store, busy, clock});
  busy.driver = driver.get();
  ASSERT_EQ(driver->Start(), std::nullopt);
  store.sizes.clear();
  Register("first");
  EXPECT_THAT(busy.order, ElementsAre("begin first", "end first", "stored second", "stored third",
                                      "begin second", "end second", "begin third", "end third"));
  EXPECT_EQ(store.sizes.size(), 3u) << "first; then its end and both others; then their ends";
  EXPECT_EQ(driver->engine().size(), 0u);
}

TEST_F(DriverTest, LetsCallsThatComeBeforeTheStartWaitForIt) {
  store.records[{1, SyncKind::kOneShot, "old"}] = [] {
    RegistrationRecord record;
    record.key = {1, SyncKind::kOneShot, "old"};
    record.origin = kShop;
    record.due = WallTime(hours(1));
    return record;
  }();
  Make();
  Register("new");
  EXPECT_THAT(answers, IsEmpty());
  ASSERT_EQ(driver->Start(), std::nullopt);
  EXPECT_THAT(answers, ElementsAre("new: ok"));
  ASSERT_THAT(dispatcher.waiting, SizeIs(2));
  EXPECT_EQ(dispatcher.Take().key.tag, "old");
}

class UnreadableStore : public MemoryStore {
 public:
  LoadResult Load() override {
    if (error) return {{}, error};
    return MemoryStore::Load();
  }
  std::optional<std::string> error = "the file is damaged";
};

TEST_F(DriverTest, SaysWhyItCannotStartAndStartsLater) {
  UnreadableStore unreadable;
  driver = std::make_unique<Driver>(parameters,
                                    DriverPorts{policy, network, random, unreadable, dispatcher, clock});
  EXPECT_EQ(driver->Start(), "the file is damaged");
  Register("post");
  EXPECT_THAT(answers, IsEmpty());
  unreadable.error.reset();
  EXPECT_EQ(driver->Start(), std::nullopt);
  EXPECT_EQ(driver->Start(), std::nullopt) << "once started it stays so";
  EXPECT_THAT(answers, ElementsAre("post: ok"));
  driver.reset();
}

class DoublingStore : public MemoryStore {
 public:
  LoadResult Load() override {
    RegistrationRecord record;
    record.key = {7, SyncKind::kOneShot, "post"};
    record.origin = kShop;
    record.due = WallTime{};
    return {{record, record}, std::nullopt};
  }
};

TEST_F(DriverTest, RefusesAStoreThatHoldsARegistrationTwice) {
  DoublingStore doubling;
  driver =
      std::make_unique<Driver>(parameters, DriverPorts{policy, network, random, doubling, dispatcher, clock});
  const auto error = driver->Start();
  ASSERT_TRUE(error);
  EXPECT_THAT(*error, testing::HasSubstr("\"post\" of service worker registration 7 twice"));
  driver.reset();
}

TEST_F(DriverTest, IgnoresASecondReportAndRefusesTokensItNeverGaveOut) {
  Register("post");
  const DispatchToken token = dispatcher.Take().token;
  EXPECT_FALSE(driver->EventFinished(0, DispatchOutcome::kSucceeded));
  EXPECT_FALSE(driver->EventFinished(token + 1, DispatchOutcome::kSucceeded));
  EXPECT_TRUE(driver->EventFinished(token, DispatchOutcome::kRejected));
  EXPECT_TRUE(driver->EventFinished(token, DispatchOutcome::kSucceeded));
  EXPECT_EQ(Reason("post"), "waiting-for-retry");
}

TEST_F(DriverTest, ArmsTheClockForWhatIsNextAndDisarmsIt) {
  EXPECT_FALSE(clock.wake);
  Register("post");
  driver->EventFinished(dispatcher.Take().token, DispatchOutcome::kRejected);
  EXPECT_EQ(clock.wake, clock.now.mono + minutes(5));
  driver->WorkerRegistrationDeleted(1, {});
  EXPECT_FALSE(clock.wake);
}

TEST_F(DriverTest, ArmsTheClockAgainAfterATickThatCameEarly) {
  Register("post");
  driver->EventFinished(dispatcher.Take().token, DispatchOutcome::kRejected);
  const auto due = clock.wake;
  clock.wake.reset();  // the timer has gone off, too early
  driver->Tick();
  EXPECT_EQ(clock.wake, due);
}

TEST_F(DriverTest, AnswersTagsAndRemovalsAndLogs) {
  std::vector<std::string> lines;
  driver->SetLog([&](const effect::Record& record) { lines.push_back(record.event_name); });
  network.online = false;
  driver->NetworkChanged();
  Register("b");
  Register("a");
  std::vector<std::string> tags;
  const auto get = [&] {
    driver->GetTags({0, 1, SyncKind::kOneShot}, [&](const auto& error, const std::vector<std::string>& all) {
      EXPECT_FALSE(error);
      tags = all;
    });
  };
  get();
  EXPECT_THAT(tags, ElementsAre("a", "b"));
  EXPECT_THAT(lines, ElementsAre("Registered sync", "Registered sync"));
  bool cleared = false;
  driver->OriginCleared(kShop, [&](const auto& error) { cleared = !error; });
  EXPECT_TRUE(cleared);
  get();
  EXPECT_THAT(tags, IsEmpty());
  EXPECT_THAT(store.records, IsEmpty());
}

TEST_F(DriverTest, HoldsPeriodicSyncToPermissionInstallationAndEngagement) {
  const std::string origin = kShop;
  const auto periodic = [&] {
    input::Register in;
    in.key = {1, SyncKind::kPeriodic, "news"};
    in.origin = origin;
    in.min_interval_ms = 0;
    std::string answer = "none";
    driver->Register(in, [&](const auto& error) { answer = error ? error->name : "ok"; });
    return answer;
  };
  policy.uninstalled.insert(origin);
  EXPECT_EQ(periodic(), "NotAllowedError");
  policy.uninstalled.clear();
  driver->AppInstalled(origin);
  policy.engagement[origin] = EngagementLevel::kNone;
  EXPECT_EQ(periodic(), "ok");
  const RegistrationKey key{1, SyncKind::kPeriodic, "news"};
  EXPECT_EQ(driver->engine().Explain(key, driver->now())->reason, WaitReason::kSuspended);
  policy.engagement[origin] = EngagementLevel::kHigh;
  driver->EngagementChanged(origin);
  EXPECT_EQ(driver->engine().Explain(key, driver->now())->reason, WaitReason::kPeriod);
  policy.denied.insert({origin, SyncKind::kPeriodic});
  driver->PermissionChanged(origin);
  EXPECT_FALSE(driver->engine().Explain(key, driver->now()));
  EXPECT_THAT(store.records, IsEmpty());
}

}  // namespace
}  // namespace vigil
