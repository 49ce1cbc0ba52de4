#include "cli/context.h"
#include "daemon/serve.h"

namespace vigil::cli {

void AddServe(CLI::App& app, Context& context) {
  struct Options {
    std::string listen;
    std::string devtools;
    std::string clock = "real";
    std::string network = "auto";
    std::vector<std::string> set;
    std::string ca_file;
    std::vector<std::string> resolve;
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
      "  vigil serve --set first_retry_delay=30s --set max_attempts=5\n"
      "  vigil serve --ca-file test-ca.pem --resolve '*.shop.example:*:127.0.0.1'\n\n"
      "With --clock virtual time stands still until `vigil clock advance`; timers and Date in scripts follow "
      "it.\n"
      "With --network manual the machine's network is not looked at; use `vigil network online|offline`.\n"
      "An unknown name after --set lists all parameters.\n"
      "With --resolve, HOST is a name, *.NAME for every name below NAME, or *; PORT a number or * for every "
      "one;\n"
      "ADDRESS an IPv4 or IPv6 address. The first that fits counts, and no proxy is used for it. Otherwise "
      "proxies\n"
      "are those of http_proxy, https_proxy, all_proxy and no_proxy.",
      [options, &context] {
        daemon::ServeOptions serve;
        serve.data_directory = context.DataDirectory();
        serve.listen = options->listen;
        serve.devtools = options->devtools;
        serve.virtual_clock = options->clock == "virtual";
        serve.manual_network = options->network == "manual";
        serve.set = options->set;
        if (!options->ca_file.empty()) serve.ca_file = std::filesystem::absolute(options->ca_file);
        serve.resolve = options->resolve;
        serve.test_natives = options->test_natives;
        const auto served = daemon::Serve(serve);
        return served ? kOk : ShowError(context, served.error());
      });
  command
      ->add_option("--listen", options->listen,
                   "Also serve the API on this loopback address; needs the token in DIR/token")
      ->type_name("HOST:PORT");
  command
      ->add_option(
          "--devtools", options->devtools,
          "Also serve the DevTools protocol on this loopback address, without a token: whoever can reach it "
          "can run code in apps")
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
  command
      ->add_option("--ca-file", options->ca_file,
                   "Trust the certificates in this PEM file, too, beside the system's")
      ->type_name("FILE");
  command
      ->add_option("--resolve", options->resolve,
                   "Connect to this address for the host and port; may be repeated")
      ->type_name("HOST:PORT:ADDRESS")
      ->allow_extra_args(false);
  // For tests of the sandbox: scripts get functions that try what the sandbox forbids.
  command->add_flag("--test-natives", options->test_natives)->group("");
}

}  // namespace vigil::cli
