#include "host/static_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "net/fetch_headers.h"
#include "net/url.h"
#include "net/url_pattern.h"

namespace vigil::host {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kModes{"navigate"sv, "same-origin"sv, "no-cors"sv, "cors"sv};
constexpr std::array kDestinations{""sv,
                                   "audio"sv,
                                   "audioworklet"sv,
                                   "document"sv,
                                   "embed"sv,
                                   "font"sv,
                                   "frame"sv,
                                   "iframe"sv,
                                   "image"sv,
                                   "json"sv,
                                   "manifest"sv,
                                   "object"sv,
                                   "report"sv,
                                   "script"sv,
                                   "speculationrules"sv,
                                   "sharedworker"sv,
                                   "style"sv,
                                   "paintworklet"sv,
                                   "track"sv,
                                   "video"sv,
                                   "worker"sv,
                                   "xslt"sv};
constexpr std::array kStatuses{"running"sv, "not-running"sv};

template <class List>
bool IsOneOf(const List& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

Result<net::UrlPattern> CompilePattern(const ipc::RouterUrlPattern& given) {
  net::UrlPattern::Texts texts{given.protocol(), given.username(), given.password(),
                               given.hostname(), given.port(),     given.pathname(),
                               given.search(),   given.hash(),     given.ignore_case()};
  return net::UrlPattern::Parse(texts);
}

tl::unexpected<Error> Bad(std::string why) { return Fail(ErrorCode::kInvalidArgument, std::move(why)); }
}  // namespace

struct StaticRoutes::Condition {
  std::optional<net::UrlPattern> pattern;
  std::optional<std::string> method, mode, destination;
  std::optional<bool> running;
  std::vector<Condition> any_of;
  bool is_any_of = false;
  std::unique_ptr<Condition> negated;
};
struct StaticRoutes::Rule {
  Condition condition;
  Route route;
};
struct StaticRoutes::Subject {
  const ipc::HttpRequest& request;
  const net::Url& url;
  bool running;
  net::MatchBudget budget;
};

// "Verify Router Condition" and "Check Router Registration Limit".
class StaticRoutes::Compiler {
 public:
  explicit Compiler(std::size_t conditions) : conditions_(conditions) {}
  std::size_t conditions() const { return conditions_; }

  Result<Rule> Compile(const ipc::RouterRule& given) {
    Rule rule;
    VIGIL_ASSIGN(rule.condition, Compile(given.condition(), 1));
    const std::string& source = given.source();
    if (source == "network")
      rule.route.source = Source::kNetwork;
    else if (source == "cache")
      rule.route.source = Source::kCache;
    else if (source == "fetch-event")
      rule.route.source = Source::kFetchEvent;
    else if (source == "race-network-and-fetch-handler")
      rule.route.source = Source::kRace;
    else
      return Bad(fmt::format("The source '{}' does not exist.", source));
    if (given.has_cache_name()) {
      if (rule.route.source != Source::kCache) return Bad("Only the source 'cache' has a cacheName.");
      rule.route.cache_name = given.cache_name();
    }
    return rule;
  }

 private:
  Result<Condition> Compile(const ipc::RouterCondition& given, int depth) {
    if (depth > kMaxDepth)
      return Bad(fmt::format("A condition is nested more than {} levels deep.", kMaxDepth));
    if (++conditions_ > kMaxConditions)
      return Bad(fmt::format("There are more than {} conditions.", kMaxConditions));
    const bool plain = given.has_url_pattern() || given.has_request_method() || given.has_request_mode() ||
                       given.has_request_destination() || given.has_running_status();
    const int kinds = (plain ? 1 : 0) + (given.has_any_of() ? 1 : 0) + (given.has_negated() ? 1 : 0);
    if (kinds == 0)
      return Bad("At least one condition must be set, but no condition has been set to the rule.");
    if (kinds > 1) return Bad("A condition with 'or' or 'not' cannot have other conditions beside it.");
    if (plain) return CompilePlain(given);
    Condition condition;
    if (given.has_negated()) {
      VIGIL_ASSIGN(Condition negated, Compile(given.negated(), depth + 1));
      condition.negated = std::make_unique<Condition>(std::move(negated));
      return condition;
    }
    condition.is_any_of = true;
    for (const auto& each : given.any_of().conditions()) {
      VIGIL_ASSIGN(Condition one, Compile(each, depth + 1));
      condition.any_of.push_back(std::move(one));
    }
    return condition;
  }

  static Result<Condition> CompilePlain(const ipc::RouterCondition& given) {
    Condition condition;
    if (given.has_url_pattern()) {
      VIGIL_ASSIGN(condition.pattern, CompilePattern(given.url_pattern()));
    }
    if (given.has_request_method()) {
      const std::string& method = given.request_method();
      if (!net::IsToken(method)) return Bad(fmt::format("'{}' is not a valid HTTP method.", method));
      if (net::IsForbiddenMethod(method)) return Bad(fmt::format("'{}' HTTP method is unsupported.", method));
      condition.method = net::NormalizedMethod(method);
    }
    if (given.has_request_mode()) {
      if (!IsOneOf(kModes, given.request_mode())) return Bad("The requestMode does not exist.");
      condition.mode = given.request_mode();
    }
    if (given.has_request_destination()) {
      if (!IsOneOf(kDestinations, given.request_destination()))
        return Bad("The requestDestination does not exist.");
      condition.destination = given.request_destination();
    }
    if (given.has_running_status()) {
      if (!IsOneOf(kStatuses, given.running_status())) return Bad("The runningStatus does not exist.");
      condition.running = given.running_status() == "running";
    }
    return condition;
  }

  std::size_t conditions_;
};

StaticRoutes::StaticRoutes() = default;
StaticRoutes::~StaticRoutes() = default;
StaticRoutes::StaticRoutes(StaticRoutes&&) noexcept = default;
StaticRoutes& StaticRoutes::operator=(StaticRoutes&&) noexcept = default;

Result<> StaticRoutes::Add(const ipc::RouterRules& rules) {
  if (rules_.ByteSizeLong() + rules.ByteSizeLong() > kMaxBytes)
    return Bad(fmt::format("The rules take more than {} bytes.", kMaxBytes));
  Compiler compiler(conditions_);
  std::vector<Rule> added;
  for (const auto& rule : rules.rules()) {
    VIGIL_ASSIGN(Rule compiled, compiler.Compile(rule));
    added.push_back(std::move(compiled));
  }
  conditions_ = compiler.conditions();
  std::move(added.begin(), added.end(), std::back_inserter(compiled_));
  rules_.MergeFrom(rules);
  return {};
}

bool StaticRoutes::WantFetchEvent(const ipc::RouterRules& rules) {
  return std::any_of(rules.rules().begin(), rules.rules().end(), [](const ipc::RouterRule& rule) {
    return rule.source() == "fetch-event" || rule.source() == "race-network-and-fetch-handler";
  });
}

std::optional<StaticRoutes::Route> StaticRoutes::Match(const ipc::HttpRequest& request,
                                                       bool worker_is_running) const {
  const auto url = net::Url::Parse(request.url());
  if (compiled_.empty() || !url) return std::nullopt;
  Subject subject{request, *url, worker_is_running, kMatchBudget};
  for (const Rule& rule : compiled_) {
    const bool holds = Holds(rule.condition, subject);
    // Rules that take too long count as none.
    if (subject.budget < 0) return std::nullopt;
    if (holds) return rule.route;
  }
  return std::nullopt;
}

// "Match Router Condition".
bool StaticRoutes::Holds(const Condition& condition, Subject& subject) {
  if (condition.negated) return !Holds(*condition.negated, subject);
  if (condition.is_any_of) {
    return std::any_of(condition.any_of.begin(), condition.any_of.end(),
                       [&](const Condition& each) { return Holds(each, subject); });
  }
  const auto& request = subject.request;
  if (condition.method && *condition.method != request.method()) return false;
  if (condition.mode && *condition.mode != request.mode()) return false;
  if (condition.destination && *condition.destination != request.destination()) return false;
  if (condition.running && *condition.running != subject.running) return false;
  return !condition.pattern || condition.pattern->Matches(subject.url, subject.budget);
}

}  // namespace vigil::host
