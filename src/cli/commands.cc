#include <fmt/format.h>

#include "cli/context.h"
#include "daemon/serve.h"

namespace vigil::cli {
namespace {

// The deepest command that was named, for its help.
const CLI::App* Innermost(const CLI::App& app) {
  const CLI::App* innermost = &app;
  for (;;) {
    const auto named = innermost->get_subcommands();
    if (named.empty()) return innermost;
    innermost = named.front();
  }
}

std::string Path(const CLI::App* app) {
  std::string path = app->get_name();
  for (const CLI::App* parent = app->get_parent(); parent != nullptr; parent = parent->get_parent())
    path = parent->get_name() + " " + path;
  return path;
}

std::string OneLine(std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

}  // namespace

int Main(int argc, char** argv) {
  Context context;
  CLI::App app("Vigil keeps web apps in sync while they are closed.", "vigil");
  app.set_version_flag("--version", std::string("vigil ") + daemon::Version());
  app.set_help_flag("-h,--help", "Show help");
  app.add_option("--data", context.data,
                 "Data directory of the daemon (else $VIGIL_DATA, else ~/.local/state/vigil)")
      ->type_name("DIR");
  app.add_flag("--json", context.json, "Print JSON");
  app.require_subcommand(1);
  app.footer(
      "\nStart:    vigil serve &\n"
      "          vigil install https://shop.example/\n"
      "          vigil syncs\n"
      "Help:     vigil COMMAND --help; vigil doctor checks this machine\n"
      "Status:   0 it worked, 1 it failed, 2 wrong use, 3 no daemon is running");
  AddServe(app, context);
  AddApps(app, context);
  AddPage(app, context);
  AddSyncs(app, context);
  AddFire(app, context);
  AddWorker(app, context);
  AddLog(app, context);
  AddNetwork(app, context);
  AddClock(app, context);
  AddPermission(app, context);
  AddEngagement(app, context);
  AddNotifications(app, context);
  AddStorage(app, context);
  AddMetrics(app, context);
  AddPanel(app, context);
  AddDevTools(app, context);
  AddDoctor(app, context);
  AddCompletion(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);  // --help, --version
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "vigil: {}; see `{} --help`\n", OneLine(error.what()), Path(Innermost(app)));
    return kUsage;
  }
  return context.run ? context.run() : kUsage;
}

}  // namespace vigil::cli
