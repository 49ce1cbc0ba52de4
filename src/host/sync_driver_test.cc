// The driver on a real database, a real storage thread and a virtual clock.
#include "host/sync_driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <deque>

#include "host/clock.h"
#include "host/storage_thread.h"
#include "store/stores.h"
#include "store/test_directory.h"
#include "vigil/memory_ports.h"

namespace vigil::host {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kShop = "https://shop.example";

// Keeps events until the test says how they end.
class Worker final : public SyncDispatcher {
 public:
  void DispatchSyncEvent(SyncEvent event, Done done) override {
    events.push_back(event);
    running.push_back(std::move(done));
  }
  bool CanDispatch(std::uint64_t) const override { return true; }
  void End(DispatchOutcome::Kind kind) {
    Done done = std::move(running.front());
    running.pop_front();
    DispatchOutcome outcome;
    outcome.kind = kind;
    done(outcome);
  }
  std::vector<SyncEvent> events;
  std::deque<Done> running;
};

class StorageIsIdle final : public QuiescenceSource {
 public:
  explicit StorageIsIdle(StorageThread& storage) : storage_(storage) {}
  bool quiescent() const override { return storage_.pending() == 0; }

 private:
  StorageThread& storage_;
};

class SyncDriverTest : public ::testing::Test {
 protected:
  SyncDriverTest() : clock_(loop_, Now{WallTime(hours(24) * 20000), MonoTime(hours(3))}), idle_(storage_) {
    storage_.OnIdle([this] { boost::asio::post(loop_, [this] { clock_.NoteQuiescence(); }); });
    clock_.AddQuiescenceSource(&idle_);
    Open();
  }
  ~SyncDriverTest() override {
    driver_.reset();
    Settle();
    clock_.RemoveQuiescenceSource(&idle_);
  }

  // As a new daemon would on the same files.
  void Open() {
    driver_.reset();
    Settle();
    stores_.reset();
    auto opened = store::Stores::Open(directory_.path());
    ASSERT_TRUE(opened) << opened.error().message;
    stores_ = std::move(*opened);
    driver_ = std::make_unique<SyncDriver>(
        SyncDriverDependencies{loop_, clock_, storage_, stores_->registrations, stores_->events, worker_,
                               Ports{policy_, network_, random_}},
        parameters_);
    driver_->OnEvents([this](const std::vector<store::LoggedEvent>& events) {
      for (const auto& event : events) logged_.push_back(event.name);
    });
  }
  void Start() {
    driver_->WindowClientsChanged(kShop, 1);
    boost::asio::co_spawn(
        loop_,
        [this]() -> boost::asio::awaitable<void> {
          const auto started = co_await driver_->Start();
          EXPECT_TRUE(started);
        },
        boost::asio::detached);
    Settle();
  }
  void RunLoop(boost::asio::awaitable<void> work) {
    bool done = false;
    boost::asio::co_spawn(loop_, std::move(work), [&done](std::exception_ptr) { done = true; });
    loop_.restart();
    while (!done) loop_.run_one();
  }
  void Settle() { RunLoop(clock_.Settle()); }
  void Advance(Duration by) {
    RunLoop([](VirtualClock& clock, Duration step) -> boost::asio::awaitable<void> {
      co_await clock.Advance(step);
    }(clock_, by));
  }

  SyncRegisterCall Call(const std::string& tag, SyncKind kind = SyncKind::kOneShot,
                        std::uint64_t caller = 7) {
    SyncRegisterCall call;
    call.kind = kind;
    call.registration_id = 1;
    call.origin = kShop;
    call.tag = tag;
    call.min_interval = kind == SyncKind::kPeriodic ? Duration(hours(12)) : Duration(0);
    call.caller = caller;
    return call;
  }
  // Error name, "" for success, after everything has settled.
  std::string Register(const SyncRegisterCall& call) {
    std::string error = "no reply";
    driver_->Register(call, [&error](ScriptResult<> result) { error = result ? "" : result.error().name; });
    Settle();
    return error;
  }
  std::vector<std::string> Tags() {
    std::vector<std::string> tags;
    driver_->GetTags(SyncKind::kOneShot, 1, [&tags](ScriptResult<std::vector<std::string>> result) {
      if (result) tags = *result;
    });
    Settle();
    return tags;
  }

  store::TestDirectory directory_;
  boost::asio::io_context loop_;
  VirtualClock clock_;
  StorageThread storage_;
  StorageIsIdle idle_;
  Parameters parameters_;
  MemoryPolicy policy_;
  MemoryNetwork network_;
  SeededRandom random_;
  Worker worker_;
  std::unique_ptr<store::Stores> stores_;
  std::unique_ptr<SyncDriver> driver_;
  std::vector<std::string> logged_;
};

TEST_F(SyncDriverTest, WhatACallerWasPromisedIsThereForTheNextDaemon) {
  Start();
  network_.online = false;
  driver_->NetworkChanged();
  EXPECT_EQ(Register(Call("sync-post")), "");
  Open();
  Start();
  EXPECT_THAT(Tags(), ElementsAre("sync-post"));
  EXPECT_THAT(worker_.events, IsEmpty());
  network_.online = true;
  driver_->NetworkChanged();
  ASSERT_EQ(worker_.events.size(), 1U);
  EXPECT_EQ(worker_.events[0].tag, "sync-post");
  EXPECT_EQ(worker_.events[0].limit, Duration(minutes(3)));
  worker_.End(DispatchOutcome::Kind::kSucceeded);
  Settle();
  Open();
  Start();
  EXPECT_THAT(Tags(), IsEmpty());
}

TEST_F(SyncDriverTest, AllCallersThatWaitShareTheNextTransaction) {
  Start();
  int replies = 0;
  for (int i = 0; i < 64; ++i) {
    driver_->Register(Call("tag " + std::to_string(i)), [&replies](ScriptResult<> result) {
      EXPECT_TRUE(result);
      ++replies;
    });
  }
  EXPECT_EQ(replies, 0) << "nothing is on disk yet";
  Settle();
  EXPECT_EQ(replies, 64);
  EXPECT_LE(driver_->transactions(), 2U);
}

TEST_F(SyncDriverTest, RetriesByTheClockAndLogsWhatHappened) {
  ASSERT_TRUE(stores_->events.SetRecording(store::Service::kBackgroundSync, true, clock_.now().wall));
  Start();
  Register(Call("sync-post"));
  driver_->Acknowledge(1, "sync-post", 7);
  ASSERT_EQ(worker_.events.size(), 1U);
  worker_.End(DispatchOutcome::Kind::kRejected);
  Advance(minutes(5) - seconds(1));
  EXPECT_EQ(worker_.events.size(), 1U);
  Advance(seconds(1));
  ASSERT_EQ(worker_.events.size(), 2U);
  worker_.End(DispatchOutcome::Kind::kRejected);
  Advance(minutes(15));
  ASSERT_EQ(worker_.events.size(), 3U);
  EXPECT_TRUE(worker_.events[2].last_chance);
  worker_.End(DispatchOutcome::Kind::kSucceeded);
  Settle();
  EXPECT_THAT(logged_, ElementsAre("Registered sync", "Dispatched sync event", "sync event failed",
                                   "Dispatched sync event", "sync event failed", "Dispatched sync event",
                                   "Sync completed"));
}

TEST_F(SyncDriverTest, PeriodicSyncFollowsTheVirtualDays) {
  Start();
  EXPECT_EQ(Register(Call("feed", SyncKind::kPeriodic)), "");
  for (std::size_t day = 1; day <= 3; ++day) {
    for (int half = 0; half < 2; ++half) {
      Advance(hours(12));
      ASSERT_EQ(worker_.running.size(), 1U);
      worker_.End(DispatchOutcome::Kind::kSucceeded);
      Settle();
    }
    EXPECT_EQ(worker_.events.size(), 2 * day);
  }
}

TEST_F(SyncDriverTest, APageThatDiesBeforeItAcknowledgesDoesNotHoldTheEvent) {
  Start();
  Register(Call("sync-post"));
  EXPECT_THAT(worker_.events, IsEmpty());
  driver_->CallerGone(8);
  EXPECT_THAT(worker_.events, IsEmpty());
  driver_->CallerGone(7);
  EXPECT_EQ(worker_.events.size(), 1U);
}

TEST_F(SyncDriverTest, APageThatDiesBeforeItsRegistrationIsStoredDoesNotHoldItEither) {
  Start();
  driver_->Register(Call("sync-post"), [](ScriptResult<>) {});
  driver_->CallerGone(7);
  Settle();
  EXPECT_EQ(worker_.events.size(), 1U);
}

TEST_F(SyncDriverTest, CallsThatComeBeforeTheStartWaitForIt) {
  std::string error = "no reply";
  driver_->WindowClientsChanged(kShop, 1);
  driver_->Register(Call("sync-post"),
                    [&error](ScriptResult<> result) { error = result ? "" : result.error().name; });
  Settle();
  EXPECT_EQ(error, "no reply");
  Start();
  EXPECT_EQ(error, "");
}

TEST_F(SyncDriverTest, RefusesWithoutAWindow) {
  Start();
  driver_->WindowClientsChanged(kShop, 0);
  EXPECT_EQ(Register(Call("sync-post")), "InvalidAccessError");
}

TEST_F(SyncDriverTest, AnEventSentByHandTouchesNoRegistration) {
  Start();
  std::vector<DispatchOutcome::Kind> outcomes;
  const auto note = [&outcomes](DispatchOutcome ended) { outcomes.push_back(ended.kind); };
  driver_->Fire(SyncKind::kOneShot, 1, kShop, "by-hand", true, note);
  ASSERT_EQ(worker_.events.size(), 1U);
  EXPECT_TRUE(worker_.events[0].last_chance);
  worker_.End(DispatchOutcome::Kind::kSucceeded);
  EXPECT_THAT(Tags(), IsEmpty());
  network_.online = false;
  driver_->NetworkChanged();
  driver_->Fire(SyncKind::kOneShot, 1, kShop, "by-hand", false, note);
  Settle();
  EXPECT_THAT(outcomes, ElementsAre(DispatchOutcome::Kind::kSucceeded, DispatchOutcome::Kind::kRejected));
  EXPECT_EQ(worker_.events.size(), 1U);
}

TEST_F(SyncDriverTest, APeriodicEventSentByHandReportsItsEnd) {
  Start();
  std::vector<DispatchOutcome::Kind> outcomes;
  const auto note = [&outcomes](DispatchOutcome ended) { outcomes.push_back(ended.kind); };
  driver_->Fire(SyncKind::kPeriodic, 1, kShop, "by-hand", false, note);
  ASSERT_EQ(worker_.events.size(), 1U);
  EXPECT_EQ(worker_.events[0].kind, SyncKind::kPeriodic);
  worker_.End(DispatchOutcome::Kind::kSucceeded);
  EXPECT_THAT(outcomes, ElementsAre(DispatchOutcome::Kind::kSucceeded));
  EXPECT_EQ(driver_->engine().size(), 0U);
}

TEST_F(SyncDriverTest, AnEventSentByHandToAWorkerThatIsKeptOfflineIsRejected) {
  Start();
  std::vector<DispatchOutcome::Kind> outcomes;
  const auto note = [&outcomes](DispatchOutcome ended) { outcomes.push_back(ended.kind); };
  driver_->EmulateOffline(1, true);
  driver_->Fire(SyncKind::kOneShot, 1, kShop, "by-hand", true, note);
  driver_->Fire(SyncKind::kPeriodic, 1, kShop, "by-hand", false, note);
  Settle();
  EXPECT_THAT(outcomes, ElementsAre(DispatchOutcome::Kind::kRejected, DispatchOutcome::Kind::kRejected));
  EXPECT_THAT(worker_.events, IsEmpty());
  driver_->Fire(SyncKind::kOneShot, 2, kShop, "by-hand", true, note);
  EXPECT_EQ(worker_.events.size(), 1U) << "another worker is not concerned";
  worker_.End(DispatchOutcome::Kind::kSucceeded);
  driver_->EmulateOffline(1, false);
  driver_->Fire(SyncKind::kOneShot, 1, kShop, "by-hand", true, note);
  EXPECT_EQ(worker_.events.size(), 2U);
  worker_.End(DispatchOutcome::Kind::kSucceeded);
}

TEST_F(SyncDriverTest, CallsBeforeTheStartAreDoneInTheirOrder) {
  std::vector<std::string> order;
  driver_->WindowClientsChanged(kShop, 1);
  driver_->Register(Call("a"), [&order](ScriptResult<>) { order.emplace_back("registered a"); });
  driver_->GetTags(SyncKind::kOneShot, 1, [&order](ScriptResult<std::vector<std::string>> tags) {
    order.push_back("saw " + std::to_string(tags->size()));
  });
  driver_->Register(Call("a"), [&order](ScriptResult<>) { order.emplace_back("registered a again"); });
  Settle();
  EXPECT_THAT(order, IsEmpty());
  Start();
  EXPECT_THAT(order, ElementsAre("saw 1", "registered a", "registered a again"))
      << "reading waits for no disk, the rest comes in its order";
}

TEST_F(SyncDriverTest, RecordsThatCannotBeReadAreAnErrorOfTheStart) {
  ASSERT_TRUE(stores_->records().Exec("DROP TABLE sync_registrations"));
  std::string message;
  RunLoop([](SyncDriver& driver, std::string& said) -> boost::asio::awaitable<void> {
    const auto started = co_await driver.Start();
    if (!started) said = started.error().message;
  }(*driver_, message));
  EXPECT_THAT(message, ::testing::HasSubstr("sync_registrations"));
  EXPECT_EQ(Register(Call("sync-post")), "no reply") << "nothing is promised";
}

TEST_F(SyncDriverTest, WatchersHearOnlyOfWhatIsRecorded) {
  Start();
  Register(Call("before"));
  EXPECT_THAT(logged_, IsEmpty());
  ASSERT_TRUE(stores_->events.SetRecording(store::Service::kBackgroundSync, true, clock_.now().wall));
  Register(Call("recorded"));
  Register(Call("other service", SyncKind::kPeriodic));
  EXPECT_THAT(logged_, ElementsAre("Registered sync"));
  ASSERT_TRUE(stores_->events.SetRecording(store::Service::kBackgroundSync, false, clock_.now().wall));
  Register(Call("after"));
  EXPECT_THAT(logged_, ElementsAre("Registered sync"));
}

}  // namespace
}  // namespace vigil::host
