#include <fmt/format.h>

#include "cli/context.h"

namespace vigil::cli {
namespace json = boost::json;

void AddPermission(CLI::App& app, Context& context) {
  struct Options {
    std::string url;
    std::string name;
    std::string setting;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = AddCommand(
      app, context, "permission", "Show or set what an app may do",
      "  vigil permission                                            all apps\n"
      "  vigil permission https://shop.example/                      one app\n"
      "  vigil permission https://shop.example/ background-sync deny\n\n"
      "Permissions: background-sync (granted unless denied), periodic-background-sync (granted to installed "
      "apps\n"
      "unless it or background-sync is denied), notifications (asked for unless set). default forgets the "
      "choice.\n"
      "Denying removes what is registered.",
      [options, &context] {
        if (options->setting.empty()) {
          const std::string target =
              options->url.empty() ? "/v1/permissions" : "/v1/permissions?url=" + Encode(options->url);
          return Finish(context, context.Get(target), [&](const json::value& permissions) {
            std::vector<std::vector<std::string>> rows;
            for (const auto& item : permissions.as_array()) {
              if (!options->name.empty() && Text(item, "name") != options->name) continue;
              rows.push_back(
                  {Text(item, "origin"), Text(item, "name"), Text(item, "state"), Text(item, "setting")});
            }
            PrintTable({"ORIGIN", "PERMISSION", "STATE", "SETTING"}, rows, "no app is known");
          });
        }
        json::object body;
        body["url"] = options->url;
        body["name"] = options->name;
        body["setting"] = options->setting;
        return Finish(context, context.Post("/v1/permissions", body), [](const json::value& permission) {
          Print(fmt::format("{} is {} for {}", Text(permission, "name"), Text(permission, "state"),
                            Text(permission, "origin")));
        });
      });
  command->add_option("url", options->url, "The app");
  command->add_option("permission", options->name, "Which permission")
      ->check(CLI::IsMember({"background-sync", "periodic-background-sync", "notifications"}));
  command->add_option("setting", options->setting, "allow, deny or default")
      ->check(CLI::IsMember({"allow", "deny", "default"}));
}

}  // namespace vigil::cli
