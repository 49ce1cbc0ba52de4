// Random walks through the engine, checked after every step against a simple model and the engine's
// invariants: never fires early, offline, without permission, unacknowledged or over its attempts; replies
// only for what is on disk; loses nothing that it acknowledged; forgets nothing in crashes; counts no failure
// of ours.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "engine/test_rig.h"

namespace vigil::testing {
namespace {

// What must be true of one registration, kept by hand from what was asked and answered.
struct Expected {
  std::string origin;
  WallTime not_before{};      // no run may start earlier
  int failures = 0;           // since the last success, period or new start
  bool may_be_gone = false;   // its last attempt ran, or it was told to go
  bool acknowledged = false;  // one-shot
};

class Walk {
 public:
  explicit Walk(unsigned seed) : random_(seed), rig_(ChosenParameters(random_)) {
    rig_.acknowledge = false;
    rig_.write_at_once = false;
    seen_ = rig_.dispatched.size();
  }

  void Run(int steps) {
    for (int step = 0; step < steps && !::testing::Test::HasFatalFailure(); ++step) {
      step_ = step;
      One();
      CheckReplies();
      CheckDispatches();
      CheckState();
    }
    if (!::testing::Test::HasFatalFailure()) Finale();
  }
  int dispatches() const { return static_cast<int>(rig_.dispatched.size()); }

 private:
  static Parameters ChosenParameters(std::mt19937& random) {
    Parameters parameters;
    parameters.jitter = random() % 2 == 0 ? 0 : 0.3;
    parameters.max_attempts = 1 + static_cast<int>(random() % 4);
    parameters.max_attempts_with_notifications = parameters.max_attempts;
    parameters.max_parallel_events = random() % 3 == 0 ? 2 : 0;
    parameters.hurry_retry_on_reconnect = false;  // its own tests; here it would hide early runs
    parameters.reregister_waiting_fires_now = random() % 2 == 0;
    return parameters;
  }
  unsigned Roll(unsigned sides) { return static_cast<unsigned>(random_() % sides); }
  RegistrationKey AnyKey() {
    const WorkerRegistrationId worker = 1 + Roll(3);
    const std::string tag(1, static_cast<char>('a' + Roll(3)));
    return Roll(2) == 0 ? Rig::Sync(tag, worker) : Rig::Periodic(tag, worker);
  }
  static std::string OriginOf(const RegistrationKey& key) {
    return key.worker_registration == 3 ? kNews : kShop;
  }

  void One() {
    switch (Roll(16)) {
      case 0:
      case 1:
      case 2:
        return Register();
      case 3:
      case 4:
        return Acknowledge();
      case 5:
      case 6:
      case 7:
        return FinishSome();
      case 8:
      case 9:
        return PassTime();
      case 10:
      case 11:
        if (!rig_.waiting.empty()) WriteOne();
        return;
      case 12:
        rig_.network.online = !rig_.network.online;
        return rig_.Step(input::NetworkChanged{});
      case 13:
        return Crash();
      case 14:
        return Surroundings();
      default:
        return Disappear();
    }
  }

  void Register() {
    const RegistrationKey key = AnyKey();
    const Duration interval = key.kind == SyncKind::kPeriodic ? Duration(hours(Roll(40))) : Duration::zero();
    rig_.window_open = Roll(8) != 0;
    const auto token = rig_.Register(key, OriginOf(key), interval);
    asked_[token] = key;
    CheckReplies();
  }
  void Acknowledge() {
    const RegistrationKey key = AnyKey();
    if (key.kind != SyncKind::kOneShot) return;
    if (const auto found = model_.find(key); found != model_.end()) found->second.acknowledged = true;
    rig_.Step(input::Acknowledge{key.worker_registration, key.tag});
  }
  void FinishSome() {
    if (rig_.open.empty()) return;
    auto running = rig_.open.begin();
    std::advance(running, Roll(static_cast<unsigned>(rig_.open.size())));
    const auto [token, key] = *running;
    rig_.open.erase(running);
    static constexpr DispatchOutcome kOutcomes[] = {DispatchOutcome::kSucceeded, DispatchOutcome::kRejected,
                                                    DispatchOutcome::kTimeout, DispatchOutcome::kNotStarted};
    const DispatchOutcome outcome = kOutcomes[Roll(4)];
    const auto before = rig_.engine->Find(key, rig_.now);
    const bool current =
        before && before->explanation.reason == WaitReason::kRunning && current_run_[key] == token;
    if (current) NoteFinish(key, outcome, before->explanation.state == SyncState::kReregisteredWhileFiring);
    rig_.Step(input::DispatchFinished{token, outcome, ""});
  }
  void NoteFinish(const RegistrationKey& key, DispatchOutcome outcome, bool reregistered) {
    Expected& expected = model_[key];
    if (outcome == DispatchOutcome::kNotStarted) {
      expected.not_before = rig_.now.wall + rig_.parameters.own_failure_delay;
      if (reregistered) expected.failures = 0;
      return;
    }
    const bool failed = outcome != DispatchOutcome::kSucceeded;
    const bool periodic = key.kind == SyncKind::kPeriodic;
    if (!reregistered && failed && ++expected.failures < rig_.parameters.max_attempts) {
      Duration delay = minutes(5);
      for (int i = 1; i < expected.failures; ++i) delay *= 3;
      expected.not_before = rig_.now.wall + delay;
      return;
    }
    expected.failures = 0;
    if (periodic) {
      expected.not_before = rig_.now.wall + hours(12);
    } else if (!reregistered) {
      model_.erase(key);
    }
  }

  void PassTime() {
    static const Duration kSteps[] = {seconds(1), seconds(30), minutes(4), minutes(20), hours(3), hours(13)};
    rig_.Move(kSteps[Roll(6)]);
    rig_.Step(input::Tick{});
    ForgetLostRuns();
  }
  // Runs that the engine has given up because it heard nothing of them.
  void ForgetLostRuns() {
    CheckReplies();
    CheckDispatches();
    for (auto running = rig_.open.begin(); running != rig_.open.end();) {
      const bool lost = rig_.now.mono >= started_[running->first] + rig_.parameters.min_recovery_time;
      if (lost) {
        // Registered again meanwhile, it starts afresh.
        const auto view = rig_.engine->Find(running->second, rig_.now);
        const auto found = model_.find(running->second);
        if (view && found != model_.end() && view->attempts == 0) found->second.failures = 0;
      }
      running = lost ? rig_.open.erase(running) : std::next(running);
    }
  }
  void WriteOne() {
    rig_.disk_full = Roll(12) == 0;
    rig_.Write();
    rig_.disk_full = false;
  }
  void Crash() {
    // Whoever waited for a reply hears nothing any more.
    asked_.clear();
    current_run_.clear();
    started_.clear();
    for (auto& [key, expected] : model_) expected.acknowledged = true;
    rig_.Restart();
    // What was never acknowledged may be there or not; what was, is.
    for (const auto& [key, record] : rig_.disk) {
      if (model_.count(key) != 0) continue;
      Expected& expected = model_[key];
      expected.origin = record.origin;
      expected.acknowledged = true;
      expected.may_be_gone = true;
      expected.failures = static_cast<int>(record.attempts);
      expected.not_before = DueOf(record);
    }
    for (const auto& [key, record] : rig_.disk) {
      Expected& expected = model_[key];
      // The result of a run that was not on disk yet is forgotten.
      expected.failures = static_cast<int>(record.attempts);
      if (record.due) expected.not_before = std::min(expected.not_before, DueOf(record));
    }
  }
  // A restart waits until the stored time, but never longer than the wait was.
  WallTime DueOf(const RegistrationRecord& record) const {
    return std::min(record.due.value_or(rig_.now.wall), rig_.now.wall + record.delay);
  }
  void Surroundings() {
    switch (Roll(5)) {
      case 0:
        rig_.policy.engagement[kShop] = Roll(2) == 0 ? EngagementLevel::kNone : EngagementLevel::kLow;
        return rig_.Step(input::EngagementChanged{kShop});
      case 1:
        if (rig_.network.unknown_to.erase(kShop) == 0) rig_.network.unknown_to.insert(kShop);
        return rig_.Step(input::NetworkChanged{});
      case 2:
        if (rig_.policy.denied.erase({kNews, SyncKind::kOneShot}) == 0) {
          rig_.policy.denied.insert({kNews, SyncKind::kOneShot});
          ForgetAll([](const RegistrationKey& key) {
            return OriginOf(key) == kNews && key.kind == SyncKind::kOneShot;
          });
        }
        return rig_.Step(input::PermissionChanged{kNews});
      case 3: {
        const Duration jump = hours(Roll(48)) - hours(24);
        rig_.now.wall += jump;
        for (auto& [key, expected] : model_) {
          // Forwards counts as waited, backwards changes nothing about the wait.
          if (jump < Duration::zero()) expected.not_before += jump;
        }
        return rig_.Step(input::Tick{});
      }
      default:
        return rig_.Step(input::StoreRecovered{});
    }
  }
  template <class Which>
  void ForgetAll(Which which) {
    for (auto entry = model_.begin(); entry != model_.end();) {
      entry = which(entry->first) ? model_.erase(entry) : std::next(entry);
    }
    // A reply that is still to come speaks of what is gone.
    for (auto asked = asked_.begin(); asked != asked_.end();) {
      asked = which(asked->second) ? asked_.erase(asked) : std::next(asked);
    }
  }
  void Disappear() {
    if (Roll(3) != 0) {
      const RegistrationKey key = AnyKey();
      if (key.kind != SyncKind::kPeriodic) return;
      if (rig_.engine->store_status().ok) {
        ForgetAll([&](const RegistrationKey& other) { return other == key; });
      }
      rig_.Unregister(key.tag, key.worker_registration);
      return;
    }
    const WorkerRegistrationId worker = 1 + Roll(3);
    ForgetAll([&](const RegistrationKey& key) { return key.worker_registration == worker; });
    rig_.Step(input::WorkerRegistrationDeleted{0, worker});
  }

  // ---- checks

  void CheckDispatches() {
    for (; seen_ < rig_.dispatched.size(); ++seen_) {
      const effect::Dispatch& dispatch = rig_.dispatched[seen_];
      const RegistrationKey& key = dispatch.key;
      const bool periodic = key.kind == SyncKind::kPeriodic;
      current_run_[key] = dispatch.token;
      started_[dispatch.token] = rig_.now.mono;
      ASSERT_TRUE(rig_.network.online) << Where(key);
      ASSERT_TRUE(rig_.policy.Allowed(dispatch.origin, key.kind)) << Where(key);
      ASSERT_TRUE(rig_.disk.count(key)) << Where(key) << "runs though it is not on disk";
      if (periodic) {
        ASSERT_TRUE(rig_.network.KnownNetwork(dispatch.origin)) << Where(key);
        ASSERT_NE(rig_.policy.Engagement(dispatch.origin, rig_.now), EngagementLevel::kNone) << Where(key);
      }
      const auto found = model_.find(key);
      if (found == model_.end())
        continue;  // durable but its caller has not heard yet, or a crash is being recovered
      const Expected& expected = found->second;
      ASSERT_GE(rig_.now.wall, expected.not_before) << Where(key) << "runs early";
      ASSERT_LT(expected.failures, rig_.parameters.max_attempts) << Where(key);
      if (!periodic) {
        ASSERT_EQ(dispatch.last_chance, expected.failures == rig_.parameters.max_attempts - 1) << Where(key);
      }
    }
    if (rig_.parameters.max_parallel_events > 0) {
      ASSERT_LE(rig_.engine->firing(), static_cast<std::size_t>(rig_.parameters.max_parallel_events));
    }
  }
  void CheckReplies() {
    for (auto asked = asked_.begin(); asked != asked_.end();) {
      const auto reply = rig_.replies.find(asked->first);
      if (reply == rig_.replies.end()) {
        ++asked;
        continue;
      }
      const RegistrationKey key = asked->second;
      asked = asked_.erase(asked);
      const auto view = rig_.engine->Find(key, rig_.now);
      const auto found = model_.find(key);
      if (reply->second.error) {
        // A change of a registration whose write failed is known to nobody but the engine, which keeps it.
        if (view && found != model_.end() && reply->second.error->name == "UnknownError") {
          found->second.failures = static_cast<int>(view->attempts);
          found->second.not_before = WallTime{};
        }
        continue;
      }
      if (!view) continue;  // removed between its write and now, by the same step
      ASSERT_TRUE(rig_.disk.count(key)) << Where(key) << "was acknowledged but is not on disk";
      Expected& expected = model_[key];
      expected.origin = OriginOf(key);
      expected.may_be_gone = false;
      // What a new registration means for its waits is the engine's business (other tests); the model only
      // keeps what it can still be sure of.
      expected.failures = static_cast<int>(view->attempts);
      expected.not_before =
          std::min(expected.not_before, view->explanation.next_time.value_or(rig_.now.wall));
      if (key.kind == SyncKind::kOneShot && view->explanation.reason != WaitReason::kRetry) {
        expected.not_before = WallTime{};
      }
    }
  }
  void CheckState() {
    for (const auto& [key, expected] : model_) {
      if (expected.may_be_gone) continue;
      ASSERT_TRUE(rig_.engine->Find(key, rig_.now)) << Where(key) << "was lost";
    }
    for (const RegistrationView& view : rig_.engine->List(rig_.now)) {
      ASSERT_LT(view.attempts, view.max_attempts) << Where(view.key);
      ASSERT_NE(view.explanation.reason, WaitReason::kReady)
          << Where(view.key) << "is ready and does not run";
      ASSERT_FALSE(view.explanation.sentence.empty());
    }
    const auto wake = rig_.engine->next_wake();
    if (wake) {
      ASSERT_GT(*wake, rig_.now.mono) << "asks to be woken in the past, step " << step_;
    }
  }
  // With everything in order all that is left runs to its end: nothing is stuck.
  void Finale() {
    rig_.network.online = true;
    rig_.network.unknown_to.clear();
    rig_.policy.denied.clear();
    rig_.policy.engagement.clear();
    rig_.write_at_once = true;
    rig_.Step(input::StoreRecovered{});
    for (const std::string& origin : {kShop, kNews}) {
      rig_.Step(input::EngagementChanged{origin});
      rig_.Step(input::PermissionChanged{origin});
    }
    rig_.Step(input::NetworkChanged{});
    for (int i = 0; i < 2000; ++i) {
      while (!rig_.open.empty()) rig_.Finish(rig_.open.begin()->second);
      if (rig_.engine->List(rig_.now).empty()) return;
      bool one_shot = false;
      for (const auto& view : rig_.engine->List(rig_.now)) one_shot |= view.key.kind == SyncKind::kOneShot;
      if (!one_shot) break;
      rig_.Advance(minutes(5));
    }
    for (const auto& view : rig_.engine->List(rig_.now)) {
      ASSERT_EQ(view.key.kind, SyncKind::kPeriodic)
          << Where(view.key) << "is stuck: " << view.explanation.sentence;
      ASSERT_TRUE(view.explanation.next_time)
          << Where(view.key) << view.explanation.sentence << "; running " << rig_.engine->firing();
    }
    ASSERT_EQ(rig_.engine->firing(), 0U);
    ASSERT_EQ(rig_.disk.size(), rig_.engine->size());
  }
  std::string Where(const RegistrationKey& key) const {
    return "step " + std::to_string(step_) + ": " + SyncKindName(key.kind) + " " + key.tag + " of worker " +
           std::to_string(key.worker_registration) + " ";
  }

  std::mt19937 random_;
  Rig rig_;
  std::map<RegistrationKey, Expected> model_;
  std::map<ReplyToken, RegistrationKey> asked_;
  std::map<RegistrationKey, DispatchToken> current_run_;
  std::map<DispatchToken, MonoTime> started_;
  std::size_t seen_ = 0;
  int step_ = 0;
};

TEST(RandomWalk, KeepsTheInvariants) {
  int dispatches = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Walk walk(seed);
    walk.Run(300);
    dispatches += walk.dispatches();
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(dispatches, 2000) << "the walks did not get anywhere";
}

}  // namespace
}  // namespace vigil::testing
