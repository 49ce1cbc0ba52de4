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

int Panel(const Context& context, bool open) {
  const auto answer = context.Post("/v1/panel", json::object());
  if (!answer) return ShowError(context, answer.error());
  const std::string url = Text(*answer, "url");
  if (open && !OpenBrowser(url)) {
    Error missing;
    missing.code = ErrorCode::kUnavailable;
    missing.message =
        "there is no xdg-open to open a browser with; open the address that `vigil panel` prints";
    return ShowError(context, missing);
  }
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

}  // namespace vigil::cli
