#include "vigil/driver.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <unordered_map>
#include <utility>
#include <variant>

namespace vigil {

class Driver::Impl {
 public:
  Impl(const Parameters& parameters, const DriverPorts& ports)
      : ports_(ports), engine_(parameters, Ports{ports.policy, ports.network, ports.random}) {}

  std::optional<std::string> Start() {
    if (started_) return std::nullopt;
    LoadResult loaded = ports_.store.Load();
    if (loaded.error) return std::move(loaded.error);
    if (auto duplicate = FindDuplicate(loaded.records)) return duplicate;
    started_ = true;
    input::Restore restore;
    restore.records = std::move(loaded.records);
    inputs_.push_front(std::move(restore));  // before the calls that came early
    Pump();
    return std::nullopt;
  }

  // Inputs that come up while effects are carried out wait their turn, so that writes keep their order.
  void Step(Input input) {
    inputs_.push_back(std::move(input));
    if (started_) Pump();
  }

  void Tick() {
    ticked_ = true;
    Step(input::Tick{});
  }

  ReplyToken Expect(Done done) {
    if (!done) return 0;
    return Expect([done = std::move(done)](const effect::Reply& reply) { done(reply.error); });
  }
  ReplyToken Expect(TagsDone done) {
    if (!done) return 0;
    return Expect([done = std::move(done)](const effect::Reply& reply) { done(reply.error, reply.tags); });
  }

  bool EventFinished(DispatchToken token, DispatchOutcome outcome, std::string text) {
    if (token == 0 || token > last_dispatch_) return false;
    Step(input::DispatchFinished{token, outcome, std::move(text)});
    return true;
  }

  bool WriteFinished(WriteToken token, std::optional<std::string> error) {
    if (token != writing_ || writing_ == 0) return false;
    EndWrite(error);
    if (started_) Pump();
    return true;
  }

  const Engine& engine() const { return engine_; }
  Now now() const { return ports_.clock.Read(); }

  OnLog on_log;

 private:
  using Handler = std::function<void(const effect::Reply&)>;

  // A store that holds a registration twice is damaged: which of the two was meant cannot be told.
  static std::optional<std::string> FindDuplicate(const std::vector<RegistrationRecord>& records) {
    std::vector<const RegistrationKey*> keys;
    keys.reserve(records.size());
    for (const RegistrationRecord& record : records) keys.push_back(&record.key);
    std::sort(keys.begin(), keys.end(), [](const auto* a, const auto* b) { return *a < *b; });
    const auto twice =
        std::adjacent_find(keys.begin(), keys.end(), [](const auto* a, const auto* b) { return *a == *b; });
    if (twice == keys.end()) return std::nullopt;
    return "the store holds the registration \"" + (*twice)->tag + "\" of service worker registration " +
           std::to_string((*twice)->worker_registration) + " twice; restore a backup or remove one of them";
  }

  ReplyToken Expect(Handler handler) {
    handlers_.emplace(++last_reply_, std::move(handler));
    return last_reply_;
  }

  void Pump() {
    if (pumping_) return;
    pumping_ = true;
    while (true) {
      if (inputs_.empty()) {
        if (writing_ != 0 || waiting_numbers_.empty()) break;
        Write();
        continue;
      }
      const Input input = std::move(inputs_.front());
      inputs_.pop_front();
      for (Effect& effect : engine_.Step(input, ports_.clock.Read())) {
        std::visit([this](auto& one) { Carry(one); }, effect);
      }
    }
    pumping_ = false;
    Arm();
  }

  void Arm() {
    const auto wake = engine_.next_wake();
    // After a tick the clock has forgotten the wish, even when it is the same again.
    if (armed_ && wake == armed_for_ && !ticked_) return;
    armed_ = true;
    ticked_ = false;
    armed_for_ = wake;
    ports_.clock.WakeAt(wake);
  }

  // Written when no input is waiting: what was asked together is stored together.
  void Carry(effect::Persist& persist) {
    waiting_numbers_.push_back(persist.batch);
    std::move(persist.changes.begin(), persist.changes.end(), std::back_inserter(waiting_changes_));
  }

  void Write() {
    const WriteToken token = ++last_write_;
    writing_ = token;
    written_numbers_ = std::exchange(waiting_numbers_, {});
    const std::vector<RecordChange> changes = std::exchange(waiting_changes_, {});
    WriteResult result = ports_.store.Write(token, changes);
    if (writing_ != token || result.state == WriteResult::State::kLater) return;
    EndWrite(result.state == WriteResult::State::kWritten ? std::nullopt
                                                          : std::optional(std::move(result.message)));
  }

  void EndWrite(const std::optional<std::string>& error) {
    writing_ = 0;
    for (const BatchNumber number : std::exchange(written_numbers_, {})) {
      if (error) {
        inputs_.push_back(input::StoreFailed{number, *error});
      } else {
        inputs_.push_back(input::Persisted{number});
      }
    }
  }

  void Carry(const effect::Reply& reply) {
    const auto found = handlers_.find(reply.token);
    if (found == handlers_.end()) return;
    const Handler handler = std::move(found->second);
    handlers_.erase(found);
    handler(reply);
  }

  void Carry(const effect::Dispatch& dispatch) {
    last_dispatch_ = std::max(last_dispatch_, dispatch.token);
    ports_.dispatcher.Dispatch(dispatch);
  }

  void Carry(const effect::Record& record) {
    if (on_log) on_log(record);
  }

  DriverPorts ports_;
  Engine engine_;
  bool started_ = false;
  bool pumping_ = false;
  std::deque<Input> inputs_;

  WriteToken last_write_ = 0;
  WriteToken writing_ = 0;  // 0: none
  std::vector<BatchNumber> written_numbers_;
  std::vector<BatchNumber> waiting_numbers_;
  std::vector<RecordChange> waiting_changes_;

  bool armed_ = false;
  bool ticked_ = false;
  std::optional<MonoTime> armed_for_;

  ReplyToken last_reply_ = 0;
  std::unordered_map<ReplyToken, Handler> handlers_;
  DispatchToken last_dispatch_ = 0;
};

Driver::Driver(const Parameters& parameters, const DriverPorts& ports)
    : impl_(std::make_unique<Impl>(parameters, ports)) {}
Driver::~Driver() = default;

std::optional<std::string> Driver::Start() { return impl_->Start(); }

void Driver::Register(input::Register in, Done done) {
  in.token = impl_->Expect(std::move(done));
  impl_->Step(std::move(in));
}
void Driver::Unregister(input::Unregister in, Done done) {
  in.token = impl_->Expect(std::move(done));
  impl_->Step(std::move(in));
}
void Driver::GetTags(input::GetTags in, TagsDone done) {
  in.token = impl_->Expect(std::move(done));
  impl_->Step(in);
}
void Driver::Acknowledge(WorkerRegistrationId worker_registration, std::string tag) {
  impl_->Step(input::Acknowledge{worker_registration, std::move(tag)});
}

void Driver::Tick() { impl_->Tick(); }
bool Driver::EventFinished(DispatchToken token, DispatchOutcome outcome, std::string text) {
  return impl_->EventFinished(token, outcome, std::move(text));
}
bool Driver::WriteFinished(WriteToken token, std::optional<std::string> error) {
  return impl_->WriteFinished(token, std::move(error));
}

void Driver::NetworkChanged() { impl_->Step(input::NetworkChanged{}); }
void Driver::PermissionChanged(std::string origin) {
  impl_->Step(input::PermissionChanged{std::move(origin)});
}
void Driver::AppInstalled(std::string origin) { impl_->Step(input::AppInstalled{std::move(origin)}); }
void Driver::AppUninstalled(std::string origin) { impl_->Step(input::AppUninstalled{std::move(origin)}); }
void Driver::EngagementChanged(std::string origin) {
  impl_->Step(input::EngagementChanged{std::move(origin)});
}
void Driver::StoreRecovered() { impl_->Step(input::StoreRecovered{}); }
void Driver::WorkerRegistrationDeleted(WorkerRegistrationId worker_registration, Done done) {
  impl_->Step(input::WorkerRegistrationDeleted{impl_->Expect(std::move(done)), worker_registration});
}
void Driver::OriginCleared(std::string origin, Done done) {
  impl_->Step(input::OriginCleared{impl_->Expect(std::move(done)), std::move(origin)});
}
void Driver::EmulateOffline(WorkerRegistrationId worker_registration, bool offline) {
  impl_->Step(input::EmulateOffline{worker_registration, offline});
}

void Driver::SetLog(OnLog on_log) { impl_->on_log = std::move(on_log); }
const Engine& Driver::engine() const { return impl_->engine(); }
Now Driver::now() const { return impl_->now(); }

}  // namespace vigil
