#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "cli/context.h"

namespace vigil::cli {
namespace json = boost::json;
namespace {

int Install(const Context& context, const std::string& url, bool verbose) {
  json::object body;
  body["url"] = url;
  HttpCall call;
  call.method = "POST";
  call.target = "/v1/apps";
  call.body = json::serialize(body);
  if (verbose) {
    call.on_line = [](const json::object& line) {
      fmt::print(stderr, "{}\n", Shown(json::value(line), "text"));
    };
  }
  return Finish(context, context.Call(call), [](const json::value& app) {
    Print(fmt::format("{} {}: {}", Paint(Style::kGood, "installed"), Shown(app, "name"),
                      Shown(app, "start_url")));
  });
}

int List(const Context& context) {
  return Finish(context, context.Get("/v1/apps"), [](const json::value& apps) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& app : apps.as_array())
      rows.push_back(
          {Shown(app, "name"), Shown(app, "start_url"), Shown(app, "scope"), Time(app, "installed_at")});
    PrintTable({"NAME", "START", "SCOPE", "INSTALLED"}, rows,
               "no app is installed; install one with `vigil install URL`");
  });
}

}  // namespace

void AddApps(CLI::App& app, Context& context) {
  const auto url = std::make_shared<std::string>();
  const auto verbose = std::make_shared<bool>(false);
  CLI::App* install =
      AddCommand(app, context, "install", "Install an app",
                 "Opens the page, lets it register its service worker, waits until that is active, and "
                 "checks the web app\n"
                 "manifest. Installed apps may use periodic sync. Nothing is left behind when it fails.\n\n"
                 "  vigil install https://shop.example/",
                 [url, verbose, &context] { return Install(context, *url, *verbose); });
  install->add_option("url", *url, "A page of the app, or its manifest")->required();
  install->add_flag("-v,--verbose", *verbose, "Print the page's console");
  AddCommand(app, context, "remove", "Remove an app, its service worker and its syncs",
             "What its scripts stored stays; `vigil storage URL --clear` deletes that.",
             [url, &context] {
               return Finish(context, context.Delete("/v1/apps?url=" + Encode(*url)),
                             [](const json::value& removed) {
                               Print(fmt::format("removed {}", Shown(removed, "name")));
                             });
             })
      ->add_option("url", *url, "Any URL of the app")
      ->required();
  AddCommand(app, context, "apps", "List the installed apps", "", [&context] { return List(context); });
}

}  // namespace vigil::cli
