#include "cli/context.h"
#include "daemon/serve.h"

namespace vigil::cli {

void AddServe(CLI::App& app, Context& context) {
  struct Options {
    std::string listen;
    std::string clock = "real";
    std::string network = "auto";
    std::vector<std::string> set;
    bool test_natives = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command = AddCommand(
      app, context, "serve", "Run the daemon",
      "Runs until SIGTERM or Ctrl-C and prints \"vigil: ready\" when it accepts calls. Everything it knows "
      "is in the\n"
      "data directory; one daemon owns a data directory at a time.\n\n"
      "  vigil serve\n"
      "  vigil serve --data /tmp/try --clock virtual --network manual\n"
      "  vigil serve --set first_retry_delay=30s --set max_attempts=5\n\n"
      "With --clock virtual time stands still until `vigil clock advance`; timers and Date in scripts follow "
      "it.\n"
      "With --network manual the machine's network is not looked at; use `vigil network online|offline`.\n"
      "An unknown name after --set lists all parameters.",
      [options, &context] {
        daemon::ServeOptions serve;
        serve.data_directory = context.DataDirectory();
        serve.listen = options->listen;
        serve.virtual_clock = options->clock == "virtual";
        serve.manual_network = options->network == "manual";
        serve.set = options->set;
        serve.test_natives = options->test_natives;
        const auto served = daemon::Serve(serve);
        return served ? kOk : ShowError(context, served.error());
      });
  command
      ->add_option("--listen", options->listen,
                   "Also serve the API on this loopback address; needs the token in DIR/token")
      ->type_name("HOST:PORT");
  command->add_option("--clock", options->clock, "Which time the daemon lives in")
      ->check(CLI::IsMember({"real", "virtual"}))
      ->capture_default_str();
  command->add_option("--network", options->network, "Where the state of the network comes from")
      ->check(CLI::IsMember({"auto", "manual"}))
      ->capture_default_str();
  command->add_option("--set", options->set, "Set a parameter; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  // For tests of the sandbox: scripts get functions that try what the sandbox forbids.
  command->add_flag("--test-natives", options->test_natives)->group("");
}

}  // namespace vigil::cli
