#include "control/devtools/emulation_domain.h"

#include <chrono>
#include <optional>

#include "control/advance_clock.h"
#include "host/clock.h"

namespace vigil::control::devtools {
namespace asio = boost::asio;
namespace json = boost::json;
namespace {

// A hundred years: far enough for every test, and no time of it overflows.
constexpr double kMaxBudgetMs = 100.0 * 365 * 24 * 3600 * 1000;

// Lets the budget pass, which was answered already.
asio::awaitable<void> Spend(SessionView session, Duration budget) {
  const auto advanced = co_await AdvanceClock(session.services, budget);
  if (advanced) co_return session.emit("Emulation.virtualTimeBudgetExpired", json::object());
  const Now now = session.services.clock.now();
  json::object entry{{"source", "other"},
                     {"level", "error"},
                     {"text", "Virtual time did not pass: " + advanced.error().message},
                     {"timestamp", static_cast<double>(now.wall.time_since_epoch().count()) / 1e3}};
  session.emit("Log.entryAdded", json::object{{"entry", std::move(entry)}});
}

tl::expected<std::optional<Duration>, ProtocolError> BudgetParam(const json::object& params) {
  const json::value* given = params.if_contains("budget");
  if (given == nullptr) return std::nullopt;
  if (!given->is_number()) return RefuseParams("params.budget: number expected");
  const double ms = given->to_number<double>();
  if (!(ms >= 0 && ms <= kMaxBudgetMs))
    return RefuseValue("The budget must be between 0 and a hundred years");
  return Duration(static_cast<std::int64_t>(ms * 1e3));
}

}  // namespace

bool EmulationDomain::Call(std::string_view command, const json::object& params, const Answer& answer) {
  if (command != "setVirtualTimePolicy") return others_.Call(command, params, answer);
  SetVirtualTimePolicy(params, answer);
  return true;
}

std::vector<std::string_view> EmulationDomain::Commands() const {
  auto commands = others_.Commands();
  commands.emplace_back("setVirtualTimePolicy");
  return commands;
}

void EmulationDomain::SetVirtualTimePolicy(const json::object& params, const Answer& answer) {
  const auto policy = StringParam(params, "policy");
  const auto budget = BudgetParam(params);
  if (!policy) return answer(tl::make_unexpected(policy.error()));
  if (!budget) return answer(tl::make_unexpected(budget.error()));
  const bool passes = *policy == "advance" || *policy == "pauseIfNetworkFetchesPending";
  if (!passes && *policy != "pause")
    return answer(RefuseValue("The policy must be advance, pause or pauseIfNetworkFetchesPending"));
  if (session_.services.virtual_clock == nullptr)
    return answer(Refuse("This daemon follows the real clock: start it with `vigil serve --clock virtual`"));
  if (params.contains("initialVirtualTime"))
    return answer(Refuse("The clock goes on from where it is; it cannot be set"));
  if (passes && !*budget)
    return answer(Refuse("Pass a budget: virtual time passes only as far as it is told to"));
  const auto since_start = session_.services.clock.now().mono.time_since_epoch();
  answer(json::object{{"virtualTimeTicksBase", static_cast<double>(since_start.count()) / 1e3}});
  if (passes) asio::co_spawn(session_.services.loop, Spend(session_, **budget), asio::detached);
}

}  // namespace vigil::control::devtools
