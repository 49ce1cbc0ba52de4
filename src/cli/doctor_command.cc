#include "cli/context.h"
#include "daemon/doctor.h"

namespace vigil::cli {
namespace json = boost::json;
namespace {

using daemon::Check;

const char* StateName(Check::State state) {
  if (state == Check::State::kGood) return "good";
  return state == Check::State::kWarning ? "warning" : "bad";
}

Check DaemonCheck(const Context& context, const Result<json::value>& status) {
  Check check;
  check.name = "daemon";
  if (!status) {
    check.state = Check::State::kWarning;
    check.detail = status.error().message;
    check.advice = "run `vigil serve --data " + context.DataDirectory().string() +
                   "`, for example as a service of your user";
    return check;
  }
  check.detail = "version " + Text(*status, "version") + ", process " + Text(*status, "pid");
  return check;
}

// What only the running daemon knows.
void AddDaemonState(const json::value& status, std::vector<Check>& checks) {
  const json::value& network = status.at("network");
  Check online;
  online.name = "network";
  const bool is_online = Text(network, "online") == "true";
  online.detail = std::string(is_online ? "online" : "offline") + " (" + Text(network, "mode") + ", source " +
                  Text(network, "source") + ")";
  if (!is_online) {
    online.state = Check::State::kWarning;
    online.advice =
        Text(network, "mode") == "offline"
            ? "nothing fires until `vigil network auto`"
            : "nothing fires until the machine has a network; `vigil network online` overrides that";
  }
  checks.push_back(online);
  Check clock;
  clock.name = "clock";
  clock.detail = Text(status.at("clock"), "mode") + ", " + Time(status.at("clock"), "now");
  if (Text(status.at("clock"), "mode") == "virtual") {
    clock.state = Check::State::kWarning;
    clock.advice =
        "time stands still until `vigil clock advance`; restart without --clock virtual for real use";
  }
  checks.push_back(clock);
  const json::value& store = status.at("store");
  Check records;
  records.name = "records";
  if (Text(store, "ok") != "true") {
    records.state = Check::State::kBad;
    records.detail = Text(store, "message");
    records.advice = "free disk space or repair the data directory; it is tried again by itself";
  } else {
    records.detail = Text(status, "syncs") + " registrations, " + Text(status, "apps") + " apps";
  }
  checks.push_back(records);
}

int Examine(const Context& context) {
  std::vector<Check> checks = daemon::Diagnose(context.DataDirectory());
  const auto status = context.Get("/v1/status");
  checks.push_back(DaemonCheck(context, status));
  if (status) AddDaemonState(*status, checks);
  bool bad = false;
  json::array list;
  for (const Check& check : checks) {
    bad = bad || check.state == Check::State::kBad;
    json::object item;
    item["name"] = check.name;
    item["state"] = StateName(check.state);
    item["detail"] = check.detail;
    item["advice"] = check.advice;
    list.push_back(std::move(item));
    if (context.json) continue;
    const Style style = check.state == Check::State::kGood      ? Style::kGood
                        : check.state == Check::State::kWarning ? Style::kWarning
                                                                : Style::kBad;
    Print(Paint(style, check.state == Check::State::kGood      ? "✓ "
                       : check.state == Check::State::kWarning ? "! "
                                                               : "✗ ") +
          check.name + ": " + check.detail);
    if (!check.advice.empty()) Print("    → " + check.advice);
  }
  if (context.json) PrintJson(list);
  if (bad) return kFailed;
  return status ? kOk : kNoDaemon;
}

}  // namespace

void AddDoctor(CLI::App& app, Context& context) {
  AddCommand(app, context, "doctor", "Check whether this machine can run Vigil, and say what to do if not",
             "Works with and without a running daemon. Ends with status 1 when something stands in the way, "
             "3 when only the\n"
             "daemon is missing.",
             [&context] { return Examine(context); });
}

}  // namespace vigil::cli
