// One world: the real engine and the real store on one side, the model on the other, and a clock, a network
// and users between them. Takes one decision after the other; everything that follows from it is compared at
// once. No randomness of its own: the same decisions give the same world.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/disk.h"
#include "sim/model.h"
#include "sim/scenario.h"
#include "sim/surroundings.h"
#include "vigil/engine.h"
#include "vigil/memory_ports.h"

namespace vigil::sim {

struct Violation {
  std::string rule;    // short, the same for the same fault
  std::string detail;  // what was seen and what ought to have been
};

struct Figures {
  std::uint64_t inputs = 0;  // of the engine
  std::uint64_t events = 0;  // dispatched
  std::uint64_t faults = 0;  // of the disk, failed transactions
  std::uint64_t restarts = 0;
  std::uint64_t registrations = 0;  // acknowledged as made or found
  std::uint64_t transactions = 0;
  std::uint64_t hash = 0xcbf29ce484222325ULL;

  void Add(const Figures& other);
  void Mix(std::uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29;
  }
  void Mix(const std::string& text) {
    Mix(text.size());
    for (const char c : text) Mix(static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
  }
};

class World {
 public:
  using Trace = std::function<void(const std::string&)>;
  // Every `look_every` steps all that the engine shows is compared too, not only what it does. 1: always.
  World(const Scenario& scenario, std::uint32_t look_every, Trace trace = nullptr);
  ~World();

  // False once something is wrong: then violation() says what.
  bool Do(const Decision& decision);
  // Everything is put in order, and all that is left has to run to its end.
  bool Finale();

  const std::optional<Violation>& violation() const { return violation_; }
  const Figures& figures() const { return figures_; }

 private:
  struct Open {
    DispatchToken token = 0;
    RegistrationKey key;
  };

  // --- decisions (world.cc)
  void Act(const Decision& d);
  void Register(const Decision& d);
  void Acknowledge(const Decision& d);
  void Link(const Decision& d);
  void KnownNetwork(const Decision& d);
  void Permission(const Decision& d);
  void Installation(const Decision& d);
  void Engagement(const Decision& d);
  void Pass(const Decision& d);
  void Finish(const Decision& d);
  void Commit();
  void Report();
  void SetClock(const Decision& d);
  void End(Disk::End end, const Decision& d);
  void Begin(Disk::End end, std::uint64_t jitter_seed);
  RegistrationKey AnyKey(std::uint32_t number) const;

  // --- steps and checks (world_checks.cc)
  void Step(const Input& input);
  void Sort(const Effects& effects);
  void CompareStarts(const Said& said);
  void CompareReplies(const Said& said);
  void CompareBatch(const Said& said);
  void CompareLines(const Said& said);
  void CompareState();
  void LookAtAll();
  void Take(const Effects& effects);
  void Tell(const Input& input, const Effects& effects);
  void Wrong(const char* rule, std::string detail);

  Parameters parameters_;
  Parameters believed_;
  std::uint64_t seed_;
  std::uint32_t look_every_;
  Trace trace_;
  Surroundings around_;
  Now now_;
  Disk disk_;
  std::unique_ptr<SeededRandom> jitter_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Model> model_;

  std::vector<effect::Persist> waiting_;  // batches that no transaction has taken yet
  struct Written {
    BatchNumber batch = 0;
    bool ok = false;
  };
  std::vector<Written> reports_;  // transactions of which the engine has not heard yet
  std::vector<Open> open_;        // running events, also those that the engine has given up
  std::vector<std::pair<WorkerRegistrationId, std::string>> resolved_;  // promises not acknowledged yet
  std::map<ReplyToken, RegistrationKey> asked_;                         // register() calls under way
  ReplyToken last_reply_ = 0;
  DispatchToken last_ended_ = 0;
  std::uint32_t steps_ = 0;

  // The effects of the present step, sorted.
  Seen seen_;
  std::vector<const effect::Reply*> replies_;
  std::vector<const effect::Record*> lines_;
  std::vector<const effect::Record*> lines_left_;
  const effect::Persist* persist_ = nullptr;

  Figures figures_;
  std::optional<Violation> violation_;
};

}  // namespace vigil::sim
