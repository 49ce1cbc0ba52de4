#include "sim/world.h"

#include <algorithm>

namespace vigil::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr WallTime kBirth{Duration(1'790'000'000'000'000)};

std::size_t OriginOf(WorkerRegistrationId worker) {
  return worker <= 2 ? 0 : static_cast<std::size_t>(worker) - 2;
}

const std::string kTags[] = {"a", "b", "c", ""};
const std::string kOddTags[] = {"\xC3(", "123456789", std::string("nul\0x", 5), "\xC3\xA4"};

Duration Part(std::uint32_t number, Duration whole) {
  return Duration(static_cast<std::int64_t>(number) * (whole.count() >> 16) >> 16);
}

}  // namespace

void Figures::Add(const Figures& other) {
  inputs += other.inputs;
  events += other.events;
  faults += other.faults;
  restarts += other.restarts;
  registrations += other.registrations;
  transactions += other.transactions;
  Mix(other.hash);
}

World::World(const Scenario& scenario, std::uint32_t look_every, Trace trace)
    : parameters_(scenario.parameters),
      believed_(scenario.believed),
      seed_(scenario.seed),
      look_every_(look_every),
      trace_(std::move(trace)),
      disk_(scenario.seed) {
  now_ = {kBirth, MonoTime(seconds(1000))};
  Begin(Disk::End::kClosed, seed_);
}
World::~World() = default;

bool World::Do(const Decision& decision) {
  if (violation_) return false;
  figures_.Mix(static_cast<std::uint64_t>(decision.verb));
  Act(decision);
  return !violation_;
}

void World::Act(const Decision& d) {
  const std::string& origin = kOriginNames[d.a % kOrigins];
  Surroundings::Place& place = around_.places[d.a % kOrigins];
  const WorkerRegistrationId worker = 1 + d.a % kWorkers;
  const ReplyToken token = d.b % 4 == 0 ? 0 : ++last_reply_;
  switch (d.verb) {
    case Verb::kRegister:
      return Register(d);
    case Verb::kAcknowledge:
      return Acknowledge(d);
    case Verb::kUnregister:
      return Step(input::Unregister{++last_reply_, worker, AnyKey(d.b).tag});
    case Verb::kGetTags:
      return Step(input::GetTags{++last_reply_, worker, static_cast<SyncKind>(d.b & 1)});
    case Verb::kPage:
      place.windows = static_cast<int>(d.b % 3);
      return Step(input::Tick{});
    case Verb::kLink:
      return Link(d);
    case Verb::kKnownNetwork:
      return KnownNetwork(d);
    case Verb::kPermission:
      return Permission(d);
    case Verb::kInstallation:
      return Installation(d);
    case Verb::kNotifications:
      place.notifications = d.b % 2 == 0;
      return Step(input::Tick{});
    case Verb::kEngagement:
      return Engagement(d);
    case Verb::kDeleteWorker:
      return Step(input::WorkerRegistrationDeleted{token, worker});
    case Verb::kClearOrigin:
      return Step(input::OriginCleared{token, origin});
    case Verb::kEmulateOffline:
      return Step(input::EmulateOffline{worker, d.b % 2 == 0});
    case Verb::kPass:
      return Pass(d);
    case Verb::kFinish:
      return Finish(d);
    case Verb::kCommit:
      if (waiting_.empty()) return Step(input::Tick{});
      Commit();
      if (d.c % 10 < 7) Report();
      return;
    case Verb::kReport:
      return reports_.empty() ? Step(input::Tick{}) : Report();
    case Verb::kDiskFault:
      disk_.Break(d.a);
      return Step(input::Tick{});
    case Verb::kDiskHeals:
      disk_.Heal();
      return d.b % 2 == 0 ? Step(input::Tick{}) : Step(input::StoreRecovered{});
    case Verb::kSetClock:
      return SetClock(d);
    case Verb::kSleep:
      now_.wall += Part(d.c, hours(20));
      if (d.b % 2 == 0) Step(input::Tick{});
      return;
    case Verb::kRestart:
      return End(Disk::End::kClosed, d);
    case Verb::kCrash:
      return End(Disk::End::kKilled, d);
    case Verb::kPowerCut:
      return End(Disk::End::kPowerCut, d);
  }
}

// ----------------------------------------------------------------------------------------------------
// callers

RegistrationKey World::AnyKey(std::uint32_t number) const {
  const auto kind = static_cast<SyncKind>(number >> 8 & 1);
  return {1 + number % kWorkers, kind, kTags[(number >> 4) % 4]};
}

void World::Register(const Decision& d) {
  static const std::int64_t kHour = 3'600'000;
  static const std::int64_t kIntervals[] = {
      0,          kHour,          11 * kHour, 12 * kHour, 13 * kHour,     24 * kHour,
      48 * kHour, 12 * kHour + 1, 12 * kHour, kHour / 60, kHour * 24 * 3, (std::int64_t{1} << 53) - 1};
  input::Register in;
  in.token = ++last_reply_;
  in.key = AnyKey(d.a);
  if (d.a >> 16 & 1) in.key.tag = kTags[0];  // often the same
  if (d.b % 40 == 0) in.key.tag = kOddTags[(d.b >> 8) % 4];
  std::size_t origin = OriginOf(in.key.worker_registration);
  if (d.b % 64 == 1) origin = (origin + 1) % kOrigins;
  in.origin = kOriginNames[origin];
  if (in.key.kind == SyncKind::kPeriodic) {
    in.min_interval_ms = d.c % 64 == 0 ? -5 : kIntervals[(d.c >> 8) % 12];
  }
  in.has_active_worker = d.b % 48 != 2;
  in.has_window_client = around_.places[origin].windows > 0;
  asked_[in.token] = in.key;
  Step(in);
}

void World::Acknowledge(const Decision& d) {
  if (resolved_.empty() || d.a % 16 == 0) {
    const RegistrationKey key = AnyKey(d.b);
    return Step(input::Acknowledge{key.worker_registration, key.tag});
  }
  const auto one = resolved_.begin() + d.b % resolved_.size();
  const auto [worker, tag] = *one;
  resolved_.erase(one);
  Step(input::Acknowledge{worker, tag});
}

// ----------------------------------------------------------------------------------------------------
// surroundings What is given is told at once. What is taken may also be taken behind the engine's back.

void World::Link(const Decision& d) {
  around_.online = d.a % 8 < 5;
  if (d.b % 4 != 0) Step(input::NetworkChanged{});
}

void World::KnownNetwork(const Decision& d) {
  bool& known = around_.places[d.a % kOrigins].network_known;
  known = d.b % 3 != 0;
  if (known || d.c % 2 == 0) Step(input::NetworkChanged{});
}

void World::Permission(const Decision& d) {
  bool& allowed = around_.places[d.a % kOrigins].allowed[d.b >> 8 & 1];
  allowed = d.b % 4 != 0;
  const std::string origin = d.c % 5 == 0 ? std::string() : kOriginNames[d.a % kOrigins];
  if (allowed || d.c % 3 != 0) Step(input::PermissionChanged{origin});
}

void World::Installation(const Decision& d) {
  const std::string& origin = kOriginNames[d.a % kOrigins];
  bool& installed = around_.places[d.a % kOrigins].installed;
  installed = d.b % 4 != 0;
  if (installed) return Step(input::AppInstalled{origin});
  if (d.c % 3 != 0) Step(input::AppUninstalled{origin});
}

void World::Engagement(const Decision& d) {
  static const EngagementLevel kLevels[] = {
      EngagementLevel::kNone,   EngagementLevel::kHigh,    EngagementLevel::kHigh, EngagementLevel::kMax,
      EngagementLevel::kMedium, EngagementLevel::kMinimal, EngagementLevel::kLow,  EngagementLevel::kHigh};
  EngagementLevel& level = around_.places[d.a % kOrigins].level;
  const EngagementLevel before = std::exchange(level, kLevels[d.b % 8]);
  if (level >= before || d.c % 2 == 0) Step(input::EngagementChanged{kOriginNames[d.a % kOrigins]});
}

// ---------------------------------------------------------------------------------------------------- time

void World::Pass(const Decision& d) {
  const auto wake = engine_->next_wake();
  const Duration to_wake = wake ? std::max(Duration::zero(), Duration(*wake - now_.mono)) : minutes(1);
  const Duration just_before = std::max(Duration::zero(), to_wake - Duration(1));
  const Duration lengths[] = {to_wake,
                              to_wake,
                              to_wake,
                              to_wake,
                              to_wake,
                              just_before,
                              to_wake + Part(d.c, seconds(1)),
                              Part(d.c, seconds(1)),
                              Part(d.c, seconds(30)),
                              Part(d.c, minutes(5)),
                              Part(d.c, minutes(20)),
                              Part(d.c, hours(3)),
                              hours(12),
                              Part(d.c, hours(13)),
                              minutes(10),
                              Duration::zero()};
  // A wake-up may be a year away; nobody waits for that.
  const Duration length = std::min<Duration>(lengths[d.a % 16], hours(24 * 30));
  now_.wall += length;
  now_.mono += length;
  Step(input::Tick{});
}

void World::SetClock(const Decision& d) {
  const Duration jump = d.a % 4 == 0 ? Part(d.c, seconds(6)) - seconds(3) : Part(d.c, hours(48)) - hours(24);
  now_.wall += jump;
  if (d.b % 2 == 0) Step(input::Tick{});
}

// ---------------------------------------------------------------------------------------------------- events

void World::Finish(const Decision& d) {
  static const DispatchOutcome kOutcomes[] = {
      DispatchOutcome::kSucceeded, DispatchOutcome::kSucceeded,  DispatchOutcome::kSucceeded,
      DispatchOutcome::kSucceeded, DispatchOutcome::kRejected,   DispatchOutcome::kRejected,
      DispatchOutcome::kRejected,  DispatchOutcome::kRejected,   DispatchOutcome::kRejected,
      DispatchOutcome::kFailed,    DispatchOutcome::kAborted,    DispatchOutcome::kTimeout,
      DispatchOutcome::kUnknown,   DispatchOutcome::kNotStarted, DispatchOutcome::kNotStarted,
      DispatchOutcome::kNotStarted};
  const DispatchOutcome outcome = kOutcomes[d.b % 16];
  const char* text = d.c % 2 == 0 ? "" : "no process";
  if (open_.empty() || d.c % 64 == 5) return Step(input::DispatchFinished{last_ended_, outcome, text});
  const auto one = open_.begin() + d.a % open_.size();
  last_ended_ = one->token;
  open_.erase(one);
  Step(input::DispatchFinished{last_ended_, outcome, text});
}

// ---------------------------------------------------------------------------------------------------- the
// disk

void World::Commit() {
  std::vector<Disk::Batch> batches;
  for (effect::Persist& persist : waiting_) batches.push_back(std::move(persist.changes));
  const Result<> written = disk_.Apply(batches);
  ++figures_.transactions;
  if (!written) ++figures_.faults;
  for (const effect::Persist& persist : waiting_) reports_.push_back({persist.batch, written.has_value()});
  waiting_.clear();
  figures_.Mix(written.has_value());
}

void World::Report() {
  for (const Written& one : std::exchange(reports_, {})) {
    if (violation_) return;
    if (one.ok) {
      Step(input::Persisted{one.batch});
    } else {
      Step(input::StoreFailed{one.batch, "the disk is broken"});
    }
  }
}

void World::End(Disk::End end, const Decision& d) {
  // In good order what waits is still written, though nobody hears of it any more.
  if (end == Disk::End::kClosed && !waiting_.empty()) Commit();
  static const Duration kPauses[] = {Duration::zero(), seconds(1),     minutes(6),
                                     hours(13),        hours(24 * 40), -Duration(hours(1))};
  now_.wall += kPauses[d.a % 6];
  now_.mono = MonoTime(Part(d.c, hours(1)));
  if (parameters_.disabled || d.b % 64 == 0) parameters_.disabled = !parameters_.disabled;
  believed_.disabled = parameters_.disabled;
  ++figures_.restarts;
  Begin(end, seed_ ^ d.c);
}

void World::Begin(Disk::End end, std::uint64_t jitter_seed) {
  waiting_.clear();
  reports_.clear();
  open_.clear();
  resolved_.clear();
  asked_.clear();
  last_ended_ = 0;
  auto records = disk_.Restart(end);
  if (!records) return Wrong("what was acknowledged is on disk", records.error().message);
  jitter_ = std::make_unique<SeededRandom>(jitter_seed);
  engine_ = std::make_unique<Engine>(parameters_, Ports{around_, around_, *jitter_});
  model_ = std::make_unique<Model>(believed_, around_, jitter_seed);
  Step(input::Restore{std::move(*records)});
}

}  // namespace vigil::sim
