#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <unistd.h>

#include "cli/context.h"

extern char** environ;

namespace vigil::cli {
namespace json = boost::json;
namespace {

// The user's browser, without its chatter on this terminal. false: there is no such program.
bool OpenBrowser(std::string url) {
  std::string program = "xdg-open";
  char* const arguments[] = {program.data(), url.data(), nullptr};
  posix_spawn_file_actions_t silence;
  ::posix_spawn_file_actions_init(&silence);
  ::posix_spawn_file_actions_addopen(&silence, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&silence, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, program.c_str(), &silence, nullptr, arguments, environ);
  ::posix_spawn_file_actions_destroy(&silence);
  return failed == 0;
}

// What to say when there is no browser to open an address with.
Error NoBrowser(const char* command) {
  Error missing;
  missing.code = ErrorCode::kUnavailable;
  missing.message =
      fmt::format("there is no xdg-open to open a browser with; open the address that `{}` prints", command);
  return missing;
}

int DevTools(const Context& context, const std::string& url, bool open) {
  json::object body;
  if (!url.empty()) body["url"] = url;
  const auto answer = context.Post("/v1/devtools", body);
  if (!answer) return ShowError(context, answer.error());
  const auto& apps = answer->as_array();
  if (open && apps.size() != 1) {
    Error choose;
    choose.code = ErrorCode::kInvalidArgument;
    choose.message = apps.empty() ? "no app is known yet; install one with `vigil install URL`"
                                  : "there are several apps; name one: `vigil devtools APP --open`";
    return ShowError(context, choose);
  }
  if (open && !OpenBrowser(Text(apps[0], "url"))) return ShowError(context, NoBrowser("vigil devtools"));
  return Finish(context, answer, [](const json::value& list) {
    if (list.as_array().empty()) Print("no app is known yet; install one with `vigil install URL`");
    for (const auto& app : list.as_array()) {
      if (list.as_array().size() > 1) Print(Paint(Style::kGood, fmt::format("{}:", Shown(app, "app"))));
      Print(Text(app, "url"));
    }
  });
}

int Panel(const Context& context, bool open) {
  const auto answer = context.Post("/v1/panel", json::object());
  if (!answer) return ShowError(context, answer.error());
  const std::string url = Text(*answer, "url");
  if (open && !OpenBrowser(url)) return ShowError(context, NoBrowser("vigil panel"));
  return Finish(context, answer, [&](const json::value&) { Print(url); });
}

}  // namespace

void AddPanel(CLI::App& app, Context& context) {
  const auto open = std::make_shared<bool>(false);
  AddCommand(app, context, "panel", "Print the address of the panel: all of this in a browser",
             "The address holds the token of the daemon: who knows it may do what you may do with Vigil. The "
             "daemon begins\n"
             "to listen on a free loopback port unless `vigil serve --listen` named one.\n\n"
             "  vigil panel --open",
             [open, &context] { return Panel(context, *open); })
      ->add_flag("--open", *open, "Open it in the browser, too");
}

void AddDevTools(CLI::App& app, Context& context) {
  const auto url = std::make_shared<std::string>();
  const auto open = std::make_shared<bool>(false);
  CLI::App* command = AddCommand(
      app, context, "devtools", "Print the address of Chrome's developer tools at an app, for any browser",
      "The daemon serves Chrome's front end itself: Application with its background services, Console, "
      "Network and "
      "Sources.\n"
      "The address holds the token of the daemon: who knows it may do what you may do with Vigil.\n"
      "For Chrome's own chrome://inspect, for Puppeteer and for Playwright: `vigil serve --devtools "
      "127.0.0.1:9222`.\n\n"
      "  vigil devtools\n"
      "  vigil devtools https://shop.example/ --open",
      [url, open, &context] { return DevTools(context, *url, *open); });
  command->add_option("app", *url, "An app, by any of its addresses; without it: all apps")->type_name("APP");
  command->add_flag("--open", *open, "Open it in the browser, too");
}

}  // namespace vigil::cli
