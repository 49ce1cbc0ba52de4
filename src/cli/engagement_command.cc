#include <fmt/format.h>

#include "base/duration.h"
#include "cli/context.h"

namespace vigil::cli {
namespace json = boost::json;
namespace {

std::vector<std::string> Row(const json::value& item) {
  const std::chrono::milliseconds gap(item.at("periodic_gap_ms").to_number<std::int64_t>());
  return {Text(item, "origin"), Text(item, "level"),
          fmt::format("{:.1f}", item.at("score").to_number<double>()),
          gap.count() == 0 ? "never" : "every " + FormatDuration(gap), Time(item, "last_engagement")};
}

int ShowHistory(const Context& context, const std::string& url) {
  return Finish(context, context.Get("/v1/engagement/history?url=" + Encode(url)),
                [](const json::value& list) {
                  std::vector<std::vector<std::string>> rows;
                  for (const auto& change : list.as_array())
                    rows.push_back({Time(change, "at"), Text(change, "cause"),
                                    fmt::format("+{:.1f}", change.at("points").to_number<double>()),
                                    fmt::format("{:.1f}", change.at("score").to_number<double>())});
                  PrintTable({"TIME", "CAUSE", "POINTS", "SCORE"}, rows,
                             "nothing has raised it since the daemon was started");
                });
}

}  // namespace

void AddEngagement(CLI::App& app, Context& context) {
  const auto url = std::make_shared<std::string>();
  const auto history = std::make_shared<bool>(false);
  CLI::App* command = AddCommand(
      app, context, "engagement", "Show how much apps are used, which decides how often periodic sync runs",
      "The score grows with visits, input, notifications and launches, and decays. Levels: none, minimal, "
      "low\n"
      "(from 1), medium (15), high (50), max (100).",
      [url, history, &context] {
        if (*history) return ShowHistory(context, *url);
        const std::string target = url->empty() ? "/v1/engagement" : "/v1/engagement?url=" + Encode(*url);
        return Finish(context, context.Get(target), [](const json::value& answer) {
          std::vector<std::vector<std::string>> rows;
          if (answer.is_array()) {
            for (const auto& item : answer.as_array()) rows.push_back(Row(item));
          } else {
            rows.push_back(Row(answer));
          }
          PrintTable({"ORIGIN", "LEVEL", "SCORE", "PERIODIC SYNC", "LAST USED"}, rows,
                     "no app has been used yet");
        });
      });
  CLI::Option* app_option = command->add_option("url", *url, "Only this app");
  command->add_flag("--history", *history, "What raised its score, since the daemon was started")
      ->needs(app_option);
}

}  // namespace vigil::cli
