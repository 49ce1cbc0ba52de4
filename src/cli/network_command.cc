#include <fmt/format.h>

#include "cli/context.h"

namespace vigil::cli {
namespace json = boost::json;

void AddNetwork(CLI::App& app, Context& context) {
  const auto mode = std::make_shared<std::string>();
  AddCommand(
      app, context, "network", "Show the network as apps see it, or cut them off from it",
      "offline cuts every app off, loopback included; online says that there is a network whatever the "
      "machine\n"
      "has; auto follows the machine (or, under `serve --network manual`, counts as online). The choice\n"
      "outlives a restart.",
      [mode, &context] {
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
      })
      ->add_option("mode", *mode, "online, offline or auto")
      ->check(CLI::IsMember({"online", "offline", "auto"}));
}

}  // namespace vigil::cli
