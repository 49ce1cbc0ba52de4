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

}  // namespace

void AddEngagement(CLI::App& app, Context& context) {
  const auto url = std::make_shared<std::string>();
  AddCommand(
      app, context, "engagement", "Show how much apps are used, which decides how often periodic sync runs",
      "The score grows with visits, input, notifications and launches, and decays. Levels: none, minimal, "
      "low\n"
      "(from 1), medium (15), high (50), max (100).",
      [url, &context] {
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
      })
      ->add_option("url", *url, "Only this app");
}

}  // namespace vigil::cli
