#include <fmt/format.h>

#include "cli/context.h"

namespace vigil::cli {
namespace json = boost::json;

void AddNotifications(CLI::App& app, Context& context) {
  struct Options {
    std::string url;
    std::string click;
    std::string close;
    std::string action;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = AddCommand(
      app, context, "notifications", "Show the notifications of apps, click or close one",
      "  vigil notifications\n"
      "  vigil notifications --click ID --action reply",
      [options, &context] {
        const auto outcome = [](const json::value& answer) { Print(Text(answer, "outcome")); };
        if (!options->click.empty()) {
          json::object body;
          body["action"] = options->action;
          return Finish(context, context.Post("/v1/notifications/" + Encode(options->click) + "/click", body),
                        outcome);
        }
        if (!options->close.empty())
          return Finish(context, context.Delete("/v1/notifications/" + Encode(options->close)), outcome);
        const std::string target =
            options->url.empty() ? "/v1/notifications" : "/v1/notifications?url=" + Encode(options->url);
        return Finish(context, context.Get(target), [](const json::value& list) {
          std::vector<std::vector<std::string>> rows;
          for (const auto& item : list.as_array())
            rows.push_back({Text(item, "id"), Time(item, "shown_at"), Text(item, "scope"),
                            Shown(item, "title"), Shown(item, "body")});
          PrintTable({"ID", "SHOWN", "APP", "TITLE", "TEXT"}, rows, "no notification is shown");
        });
      });
  command->add_option("url", options->url, "Only this app");
  CLI::Option* click = command->add_option("--click", options->click, "Click this one")->type_name("ID");
  command->add_option("--action", options->action, "Which of its buttons")->type_name("NAME")->needs(click);
  command->add_option("--close", options->close, "Close this one")->type_name("ID")->excludes(click);
}

}  // namespace vigil::cli
