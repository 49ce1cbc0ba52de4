// The engine alone, with many registrations: memory of each, and what one step costs. Prints one JSON object
// a line: {"what": …, "n": …, "value": …}. bench/engine-side.mjs runs it; usage: vigil-engine-bench N …
//
// The clock is moved by hand and "stored" is reported at once, so that only the engine is measured. Ten
// registrations share a service worker, and each service worker has an origin of its own.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "vigil/engine.h"
#include "vigil/memory_ports.h"

namespace vigil {
namespace {

using std::chrono::hours;
using RealClock = std::chrono::steady_clock;

constexpr std::size_t kSamples = 20'000;
constexpr std::uint64_t kTagsPerWorker = 10;

double Nanoseconds(RealClock::duration time) {
  return std::chrono::duration<double, std::nano>(time).count();
}

double Median(std::vector<double> samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

class World {
 public:
  World() : engine_(Parameters{}, Ports{policy_, network_, random_}) {
    now_.wall = WallTime(hours(24) * 20000);
    now_.mono = MonoTime(hours(7));
  }

  void SetOnline(bool online) {
    network_.online = online;
    Step(input::NetworkChanged{});
  }
  RegistrationKey Key(SyncKind kind, std::uint64_t number) const {
    return {1 + number / kTagsPerWorker, kind, fmt::format("tag-{}", number)};
  }
  // One register() from the call to the acknowledgement, as the driver plays it.
  void Register(const RegistrationKey& key) {
    input::Register in;
    in.token = 1;
    in.key = key;
    in.origin = fmt::format("https://app-{}.example", key.worker_registration);
    if (key.kind == SyncKind::kPeriodic) in.min_interval_ms = 0;
    Step(std::move(in));
    if (key.kind == SyncKind::kOneShot) Step(input::Acknowledge{key.worker_registration, key.tag});
  }
  void FinishAll(DispatchOutcome outcome) {
    while (!running_.empty()) {
      const DispatchToken token = running_.back();
      running_.pop_back();
      Step(input::DispatchFinished{token, outcome, {}});
    }
  }
  void Tick() { Step(input::Tick{}); }
  std::size_t running() const { return running_.size(); }
  const Engine& engine() const { return engine_; }

  void Step(Input input) {
    std::vector<Input> inputs;
    inputs.push_back(std::move(input));
    while (!inputs.empty()) {
      const Input next = std::move(inputs.back());
      inputs.pop_back();
      for (Effect& effect : engine_.Step(next, now_)) {
        if (const auto* persist = std::get_if<effect::Persist>(&effect)) {
          inputs.push_back(input::Persisted{persist->batch});
        } else if (const auto* dispatch = std::get_if<effect::Dispatch>(&effect)) {
          running_.push_back(dispatch->token);
        }
      }
    }
  }

 private:
  MemoryPolicy policy_;
  MemoryNetwork network_;
  SeededRandom random_;
  Now now_;
  Engine engine_;
  std::vector<DispatchToken> running_;
};

void Row(std::string_view what, std::size_t n, double value) {
  fmt::print("{{\"what\": \"{}\", \"n\": {}, \"value\": {:.4g}}}\n", what, n, value);
  std::fflush(stdout);
}

double BytesEach(SyncKind kind, std::size_t n) {
  const std::size_t before = mallinfo2().uordblks;
  World world;
  world.SetOnline(false);
  for (std::uint64_t i = 0; i < n; ++i) world.Register(world.Key(kind, i));
  return static_cast<double>(mallinfo2().uordblks - before) / static_cast<double>(n);
}

template <class Work>
double Time(Work work) {
  const auto start = RealClock::now();
  work();
  return Nanoseconds(RealClock::now() - start);
}

// register(), its event and its end, among n registrations that wait for their period.
void MeasureSteps(std::size_t n) {
  World world;
  for (std::uint64_t i = 0; i < n; ++i) world.Register(world.Key(SyncKind::kPeriodic, i));
  std::vector<double> registering;
  std::vector<double> completing;
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    const RegistrationKey key = world.Key(SyncKind::kOneShot, i * 7919 % n);
    registering.push_back(Time([&] { world.Register(key); }));
    completing.push_back(Time([&] { world.FinishAll(DispatchOutcome::kSucceeded); }));
  }
  Row("register_ns", n, Median(registering));
  Row("complete_ns", n, Median(completing));

  std::optional<MonoTime> wake;
  const double ticking = Time([&] {
    for (std::size_t i = 0; i < kSamples; ++i) world.Tick();
  });
  Row("idle_tick_ns", n, ticking / kSamples);
  const double asking = Time([&] {
    for (std::size_t i = 0; i < kSamples; ++i) wake = std::max(wake, world.engine().next_wake());
  });
  if (!wake) std::abort();
  Row("next_wake_ns", n, asking / kSamples);
}

// All wait for the network; it comes, all run, all end.
void MeasureStorm(std::size_t n) {
  World world;
  world.SetOnline(false);
  for (std::uint64_t i = 0; i < n; ++i) world.Register(world.Key(SyncKind::kOneShot, i));
  Row("network_return_ms", n, Time([&] { world.SetOnline(true); }) / 1e6);
  if (world.running() != n) std::abort();
  Row("complete_all_ms", n, Time([&] { world.FinishAll(DispatchOutcome::kSucceeded); }) / 1e6);
  if (world.engine().size() != 0) std::abort();
}

}  // namespace
}  // namespace vigil

int main(int argc, char** argv) {
  std::vector<std::size_t> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::strtoul(argv[i], nullptr, 10));
  if (sizes.empty() || std::count(sizes.begin(), sizes.end(), 0) > 0) {
    fmt::print(stderr, "usage: vigil-engine-bench N …   (numbers of registrations, from 1)\n");
    return 2;
  }
  for (const std::size_t n : sizes) {
    const double one_shot = vigil::BytesEach(vigil::SyncKind::kOneShot, n);
    const double periodic = vigil::BytesEach(vigil::SyncKind::kPeriodic, n);
    vigil::Row("one_shot_bytes", n, one_shot);
    vigil::Row("periodic_bytes", n, periodic);
    vigil::MeasureSteps(n);
    vigil::MeasureStorm(n);
  }
}
