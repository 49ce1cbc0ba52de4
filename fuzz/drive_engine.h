// Runs an engine on records as they came from a disk, and checks that it stays sane: nothing overflows (the
// sanitizers see to that), and every one-shot registration ends once the world is kind.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <utility>
#include <variant>
#include <vector>

#include "vigil/engine.h"
#include "vigil/memory_ports.h"

namespace vigil::fuzz {

class EngineDrive {
 public:
  explicit EngineDrive(Now now) : now_(now) {}

  void Restore(std::vector<RegistrationRecord> records) {
    for (const RegistrationRecord& record : records) workers_.insert(record.key.worker_registration);
    Step(input::Restore{std::move(records)});
  }

  // Anything may happen: outcomes, outages, jumps of both clocks.
  void Mistreat(FuzzedDataProvider& data) {
    for (int i = 0; i < 40 && data.remaining_bytes() > 0; ++i) {
      const int what = data.ConsumeIntegralInRange<int>(0, 7);
      if (what == 0) network_.online = !network_.online;
      if (what == 1)
        now_.wall += Duration(data.ConsumeIntegralInRange<std::int64_t>(-(1LL << 55), 1LL << 55));
      if (what == 2) policy_.engagement["https://shop.example"] = static_cast<EngagementLevel>(i % 6);
      if (what == 3) Step(input::EngagementChanged{"https://shop.example"});
      if (what == 4 && !running_.empty()) {
        const auto outcome = static_cast<DispatchOutcome>(data.ConsumeIntegralInRange<int>(0, 6));
        Step(input::DispatchFinished{std::exchange(running_.back(), 0), outcome, ""});
        running_.pop_back();
      }
      if (what >= 5) Wait();
      Step(input::NetworkChanged{});
      Look();
    }
  }

  // From here on every event succeeds. What remains registered must not be for ever: one-shot ends, periodic
  // runs.
  void MustEnd() {
    network_.online = true;
    policy_.engagement.clear();
    Step(input::NetworkChanged{});
    for (const WorkerRegistrationId id : workers_) {
      for (const RegistrationView& view : engine_.List(id, now_)) {
        if (view.key.kind == SyncKind::kPeriodic) Step(input::Unregister{0, id, view.key.tag});
      }
    }
    for (int i = 0; engine_.size() > 0; ++i) {
      while (!running_.empty()) {
        const DispatchToken token = running_.back();
        running_.pop_back();
        Step(input::DispatchFinished{token, DispatchOutcome::kSucceeded, ""});
      }
      if (engine_.size() == 0) return;
      if (!engine_.next_wake() || i > 1000) {
        const auto views = engine_.List(now_);
        for (const RegistrationView& view : views) {
          std::fprintf(stderr, "stuck: %s of %llu: %s\n", SyncKindName(view.key.kind),
                       static_cast<unsigned long long>(view.key.worker_registration),
                       view.explanation.sentence.c_str());
        }
        std::abort();
      }
      Wait();
      Step(input::Tick{});
    }
  }

 private:
  // Until the engine wants to be woken.
  void Wait() {
    const auto wake = engine_.next_wake();
    if (!wake || *wake <= now_.mono) return;
    now_.wall += *wake - now_.mono;
    now_.mono = *wake;
  }

  void Look() const {
    for (const RegistrationView& view : engine_.List(now_)) {
      const bool sane =
          view.attempts >= 0 && view.attempts < view.max_attempts && !view.explanation.sentence.empty();
      if (!sane) std::abort();
    }
  }

  void Step(Input input) {
    std::deque<Input> inputs{std::move(input)};
    while (!inputs.empty()) {
      const Effects effects = engine_.Step(inputs.front(), now_);
      inputs.pop_front();
      for (const Effect& effect : effects) {
        if (const auto* persist = std::get_if<effect::Persist>(&effect))
          inputs.push_back(input::Persisted{persist->batch});
        if (const auto* dispatch = std::get_if<effect::Dispatch>(&effect))
          running_.push_back(dispatch->token);
      }
    }
  }

  MemoryPolicy policy_;
  MemoryNetwork network_;
  SeededRandom random_;
  Engine engine_{Parameters(), Ports{policy_, network_, random_}};
  Now now_;
  std::set<WorkerRegistrationId> workers_;
  std::vector<DispatchToken> running_;
};

}  // namespace vigil::fuzz
