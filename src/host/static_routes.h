// Static routes (Service Workers §4.6, "service worker static routing"): what a worker said at its
// installation about requests that need not start it. Checked and compiled here, whoever they come from: a
// worker, or the disk. Pure; the event-loop thread owns them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ipc/static_routes.pb.h"
#include "ipc/storage.pb.h"

namespace vigil::net {
class Url;
}  // namespace vigil::net

namespace vigil::host {

class StaticRoutes {
 public:
  static constexpr std::size_t kMaxConditions = 1024;
  static constexpr int kMaxDepth = 10;
  static constexpr std::size_t kMaxBytes = 512 * 1024;  // of all rules as a message
  static constexpr std::int64_t kMatchBudget = 500'000;

  enum class Source { kNetwork, kCache, kFetchEvent, kRace };
  struct Route {
    Source source = Source::kNetwork;
    std::optional<std::string> cache_name;  // kCache: only this one
  };

  StaticRoutes();
  ~StaticRoutes();
  StaticRoutes(StaticRoutes&&) noexcept;
  StaticRoutes& operator=(StaticRoutes&&) noexcept;

  // After the rules that are here. All are added or none; an error says to the script what is wrong.
  Result<> Add(const ipc::RouterRules& rules);
  bool empty() const { return rules_.rules().empty(); }
  // One of them may send a request to the fetch event.
  static bool WantFetchEvent(const ipc::RouterRules& rules);
  const ipc::RouterRules& rules() const { return rules_; }
  // "Get Router Source": the first rule whose condition holds.
  std::optional<Route> Match(const ipc::HttpRequest& request, bool worker_is_running) const;

 private:
  struct Condition;
  struct Rule;
  struct Subject;
  class Compiler;

  static bool Holds(const Condition& condition, Subject& subject);

  ipc::RouterRules rules_;
  std::vector<Rule> compiled_;
  std::size_t conditions_ = 0;
};

}  // namespace vigil::host
