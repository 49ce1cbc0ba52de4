#include <fmt/format.h>

#include "cli/context.h"

namespace vigil::cli {
namespace json = boost::json;

namespace {

int ShowKnown(const Context& context) {
  return Finish(context, context.Get("/v1/networks"), [](const json::value& networks) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& item : networks.as_array())
      rows.push_back({Shown(item, "origin"), Shown(item, "network_id"),
                      Text(item, "current") == "true" ? "yes" : "", Time(item, "last_used")});
    PrintTable({"ORIGIN", "NETWORK", "PRESENT", "LAST USED"}, rows, "no app has been used on a network yet");
  });
}

}  // namespace

void AddNetwork(CLI::App& app, Context& context) {
  const auto mode = std::make_shared<std::string>();
  const auto known = std::make_shared<bool>(false);
  CLI::App* command = AddCommand(
      app, context, "network", "Show the network as apps see it, or cut them off from it",
      "offline cuts every app off, loopback included; online says that there is a network whatever the "
      "machine\n"
      "has; auto follows the machine (or, under `serve --network manual`, counts as online). The choice\n"
      "outlives a restart.",
      [mode, known, &context] {
        if (*known) return ShowKnown(context);
        json::object body;
        body["mode"] = *mode;
        const auto answer = mode->empty() ? context.Get("/v1/network") : context.Post("/v1/network", body);
        return Finish(context, answer, [](const json::value& network) {
          const bool online = Text(network, "online") == "true";
          const std::string id = Text(network, "network_id");
          Print(fmt::format(
              "{} ({}{}{})", Paint(online ? Style::kGood : Style::kWarning, online ? "online" : "offline"),
              Text(network, "mode"), online && !id.empty() ? ", network " : "", online ? id : ""));
        });
      });
  CLI::Option* choice = command->add_option("mode", *mode, "online, offline or auto")
                            ->check(CLI::IsMember({"online", "offline", "auto"}));
  command->add_flag("--known", *known, "List on which networks apps were used: periodic sync runs there only")
      ->excludes(choice);
}

}  // namespace vigil::cli
