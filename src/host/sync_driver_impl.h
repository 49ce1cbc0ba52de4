// Private to sync_driver.cc: the engine between its inputs and its effects.
#pragma once

#include <algorithm>
#include <boost/asio/post.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "host/clock.h"
#include "host/failure_notes.h"
#include "host/storage_thread.h"
#include "host/sync_callers.h"
#include "host/sync_driver.h"
#include "host/sync_journal.h"
#include "store/registration_store.h"

namespace vigil::host {
namespace asio = boost::asio;

inline constexpr std::size_t kRestorePart = 10'000;  // about ten milliseconds of the loop's time

inline vigil::SyncKind EngineKind(SyncKind kind) {
  return kind == SyncKind::kOneShot ? vigil::SyncKind::kOneShot : vigil::SyncKind::kPeriodic;
}
inline SyncKind HostKind(vigil::SyncKind kind) {
  return kind == vigil::SyncKind::kOneShot ? SyncKind::kOneShot : SyncKind::kPeriodic;
}

inline vigil::DispatchOutcome EngineOutcome(DispatchOutcome::Kind kind) {
  switch (kind) {
    case DispatchOutcome::Kind::kSucceeded:
      return vigil::DispatchOutcome::kSucceeded;
    case DispatchOutcome::Kind::kRejected:
      return vigil::DispatchOutcome::kRejected;
    case DispatchOutcome::Kind::kFailed:
      return vigil::DispatchOutcome::kFailed;
    case DispatchOutcome::Kind::kTimeout:
      return vigil::DispatchOutcome::kTimeout;
    case DispatchOutcome::Kind::kNotStarted:
      return vigil::DispatchOutcome::kNotStarted;
  }
  return vigil::DispatchOutcome::kUnknown;
}

class SyncDriver::Impl : public std::enable_shared_from_this<SyncDriver::Impl> {
 public:
  Impl(SyncDriverDependencies dependencies, const Parameters& parameters)
      : deps_(dependencies),
        engine_(parameters, dependencies.ports),
        callers_([this](std::uint64_t registration_id, std::string tag) {
          Step(input::Acknowledge{registration_id, std::move(tag)});
        }) {}

  void Connect() {
    SyncJournal::Handlers handlers;
    handlers.written = [weak = weak_from_this()](const std::vector<BatchNumber>& numbers,
                                                 const Result<>& written) {
      if (auto impl = weak.lock()) impl->Written(numbers, written);
    };
    handlers.logged = [weak = weak_from_this()](const store::EventLog::Appended& appended) {
      if (auto impl = weak.lock()) impl->Logged(appended);
    };
    journal_ = std::make_shared<SyncJournal>(deps_.loop, deps_.storage, deps_.registrations, deps_.events,
                                             std::move(handlers));
  }

  asio::awaitable<Result<>> Start() {
    auto self = shared_from_this();
    deps_.clock.OnWallClockJump([weak = weak_from_this()](const Now&) {
      if (auto impl = weak.lock()) impl->Step(input::Tick{});
    });
    // The engine takes in one part while the storage thread reads the next. All parts are on the loop before
    // the end of the job is.
    const auto load = [self, registrations = &deps_.registrations, &loop = deps_.loop] {
      return registrations->Load(kRestorePart, [&](std::vector<RegistrationRecord> part) {
        asio::post(loop, [self, part = std::move(part)]() mutable {
          self->StepNow(input::Restore{std::move(part), /*more_follows=*/true});
        });
      });
    };
    Result<> loaded = co_await deps_.storage.Run(load);
    if (!loaded) co_return loaded;
    started_ = true;
    inputs_.push_front(input::Restore{});  // before the calls that came early
    Pump();
    co_return Result<>();
  }

  void Stop() {
    stopped_ = true;
    if (timer_ != 0) deps_.clock.Cancel(timer_);
    timer_ = 0;
    armed_for_.reset();
  }

  void Register(SyncRegisterCall call, SyncService::Done done) {
    input::Register in;
    in.key = {call.registration_id, EngineKind(call.kind), call.tag};
    in.origin = call.origin;
    if (call.kind == SyncKind::kPeriodic) {
      in.min_interval_ms = std::chrono::duration_cast<std::chrono::milliseconds>(call.min_interval).count();
    }
    const auto windows = windows_.find(call.origin);
    in.has_window_client = windows != windows_.end() && windows->second > 0;
    in.token = callers_.Add(call, std::move(done));
    Step(std::move(in));
  }

  void GetTags(SyncKind kind, std::uint64_t registration_id, SyncService::TagsDone done) {
    Step(input::GetTags{callers_.Add(std::move(done)), registration_id, EngineKind(kind)});
  }

  void Unregister(std::uint64_t registration_id, std::string tag, SyncService::Done done) {
    Step(input::Unregister{callers_.Add(std::move(done)), registration_id, std::move(tag)});
  }

  void Acknowledge(std::uint64_t registration_id, const std::string& tag, std::uint64_t caller) {
    callers_.Acknowledge(registration_id, tag, caller);
  }
  void CallerGone(std::uint64_t caller) { callers_.Gone(caller); }

  void WindowClientsChanged(const std::string& origin, int count) {
    if (count > 0) {
      windows_[origin] = count;
    } else {
      windows_.erase(origin);
    }
  }

  void Fire(SyncKind kind, std::uint64_t registration_id, std::string origin, std::string tag,
            bool last_chance, SyncDispatcher::Done done) {
    const bool emulated = engine_.EmulatedOffline(registration_id);
    if (emulated || !deps_.ports.network.Online()) {
      DispatchOutcome outcome;
      outcome.kind = DispatchOutcome::Kind::kRejected;
      outcome.text = emulated ? "offline: developer tools keep this worker off the network"
                              : "offline: events are not sent; see `vigil network`";
      asio::post(deps_.loop, [done = std::move(done), outcome] { done(outcome); });
      return;
    }
    effect::Record record;
    const bool periodic = kind == SyncKind::kPeriodic;
    record.service = periodic ? LogService::kPeriodicBackgroundSync : LogService::kBackgroundSync;
    record.worker_registration = registration_id;
    record.origin = std::move(origin);
    record.event_name = periodic ? "Dispatched periodicsync event" : "Dispatched sync event";
    record.tag = tag;
    if (!periodic) record.metadata.emplace_back("Last Chance", last_chance ? "Yes" : "No");
    record.at = deps_.clock.now().wall;
    journal_->Log(std::move(record));
    SyncDispatcher::SyncEvent event;
    event.kind = kind;
    event.registration_id = registration_id;
    event.tag = std::move(tag);
    event.last_chance = last_chance;
    event.limit = engine_.parameters().sync_event_limit;
    deps_.dispatcher.DispatchSyncEvent(std::move(event), std::move(done));
  }

  // Inputs that come up while effects are being carried out wait their turn, so that batches keep their
  // order.
  void Step(Input input) {
    inputs_.push_back(std::move(input));
    if (started_) Pump();
  }

  const Engine& engine() const { return engine_; }
  const FailureNotes& failures() const { return failures_; }
  std::uint64_t transactions() const { return journal_->transactions(); }
  Now now() const { return deps_.clock.now(); }

  std::function<void(const std::vector<store::LoggedEvent>&)> on_events;
  std::function<void(store::Service)> on_recording_ended;
  std::function<void()> on_change;

 private:
  void Pump() {
    if (pumping_) return;
    pumping_ = true;
    auto self = shared_from_this();  // a callback may let the driver go
    bool changed = false;
    while (!inputs_.empty()) {
      const Input input = std::move(inputs_.front());
      inputs_.pop_front();
      if (StepNow(input)) changed = true;
    }
    pumping_ = false;
    if (stopped_) return;
    Arm();
    if (changed && on_change) on_change();
  }

  // True when something came of it.
  bool StepNow(const Input& input) {
    Effects effects = engine_.Step(input, deps_.clock.now());
    for (Effect& effect : effects) {
      std::visit([this](auto& one) { Carry(std::move(one)); }, effect);
    }
    return !effects.empty();
  }

  void Arm() {
    const auto wake = engine_.next_wake();
    if (wake == armed_for_ && (timer_ != 0 || !wake)) return;
    if (timer_ != 0) deps_.clock.Cancel(timer_);
    timer_ = 0;
    armed_for_ = wake;
    if (!wake) return;
    timer_ = deps_.clock.At(*wake, [weak = weak_from_this()] {
      auto impl = weak.lock();
      if (!impl || impl->stopped_) return;
      impl->timer_ = 0;
      impl->Step(input::Tick{});
    });
  }

  // ---- effects

  void Carry(effect::Persist persist) { journal_->Write(std::move(persist)); }
  void Carry(effect::Record record) { journal_->Log(std::move(record)); }
  void Carry(effect::Reply reply) { callers_.Answer(std::move(reply)); }

  void Carry(effect::Dispatch dispatch) {
    if (stopped_) return;
    SyncDispatcher::SyncEvent event;
    event.kind = HostKind(dispatch.key.kind);
    event.registration_id = dispatch.key.worker_registration;
    event.tag = dispatch.key.tag;
    event.last_chance = dispatch.last_chance;
    const RegistrationKey key = std::move(dispatch.key);
    event.limit = std::max(Duration(1), Duration(dispatch.deadline - deps_.clock.now().mono));
    auto done = [weak = weak_from_this(), token = dispatch.token, key](DispatchOutcome outcome) {
      auto impl = weak.lock();
      if (!impl || impl->stopped_) return;
      if (outcome.kind == DispatchOutcome::Kind::kSucceeded) {
        impl->failures_.Forget(key);
      } else {
        impl->failures_.Note(key, outcome.text);
      }
      impl->Step(input::DispatchFinished{token, EngineOutcome(outcome.kind), std::move(outcome.text)});
    };
    deps_.dispatcher.DispatchSyncEvent(std::move(event), std::move(done));
  }

  void Written(const std::vector<BatchNumber>& numbers, const Result<>& written) {
    for (const BatchNumber number : numbers) {
      if (written) {
        inputs_.push_back(input::Persisted{number});
      } else {
        inputs_.push_back(input::StoreFailed{number, written.error().message});
      }
    }
    Pump();
  }

  void Logged(const store::EventLog::Appended& appended) {
    if (stopped_) return;
    if (!appended.kept.empty() && on_events) on_events(appended.kept);
    for (const store::Service service : appended.ended) {
      if (on_recording_ended) on_recording_ended(service);
    }
  }

  SyncDriverDependencies deps_;
  Engine engine_;
  bool started_ = false;
  bool stopped_ = false;
  bool pumping_ = false;
  std::deque<Input> inputs_;

  std::shared_ptr<SyncJournal> journal_;
  TimerId timer_ = 0;
  std::optional<MonoTime> armed_for_;
  FailureNotes failures_;

  SyncCallers callers_;
  std::map<std::string, int> windows_;
};

}  // namespace vigil::host
