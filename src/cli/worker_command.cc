#include <fmt/format.h>

#include "cli/context.h"

namespace vigil::cli {
namespace json = boost::json;
namespace {

std::vector<std::string> Row(const json::value& registration) {
  std::vector<std::string> row = {Text(registration, "scope")};
  for (const char* slot : {"installing", "waiting", "active"}) {
    const json::value& worker = registration.at(slot);
    const std::string pid = Text(worker, "pid");
    row.push_back(worker.is_null() ? "-"
                                   : fmt::format("{}, {}{}", Text(worker, "state"), Text(worker, "running"),
                                                 pid.empty() ? "" : " (process " + pid + ")"));
  }
  return row;
}

void AddAction(CLI::App& worker, Context& context, const std::string& action, const std::string& summary) {
  const auto url = std::make_shared<std::string>();
  AddCommand(worker, context, action, summary, "",
             [url, action, &context] {
               json::object body;
               body["url"] = *url;
               return Finish(
                   context, context.Post("/v1/workers/" + action, body), [](const json::value& registration) {
                     if (registration.as_object().empty()) return;
                     PrintTable({"SCOPE", "INSTALLING", "WAITING", "ACTIVE"}, {Row(registration)}, "");
                   });
             })
      ->add_option("url", *url, "A URL in the worker's scope")
      ->required();
}

}  // namespace

void AddWorker(CLI::App& app, Context& context) {
  CLI::App* worker = app.add_subcommand("worker", "Look after service workers");
  worker->require_subcommand(1);
  AddCommand(*worker, context, "list", "List service worker registrations", "", [&context] {
    return Finish(context, context.Get("/v1/workers"), [](const json::value& registrations) {
      std::vector<std::vector<std::string>> rows;
      for (const auto& registration : registrations.as_array()) rows.push_back(Row(registration));
      PrintTable({"SCOPE", "INSTALLING", "WAITING", "ACTIVE"}, rows, "no service worker is registered");
    });
  });
  AddAction(*worker, context, "start", "Start the active worker");
  AddAction(*worker, context, "stop", "Stop the worker's process; the next event starts it again");
  AddAction(*worker, context, "update", "Fetch the script again and install it if a byte differs");
  AddAction(*worker, context, "unregister", "Remove the registration and its syncs");
}

}  // namespace vigil::cli
