// The daemon: `vigil serve`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace vigil::daemon {

struct ServeOptions {
  std::filesystem::path data_directory;
  std::string listen;    // loopback address and port; empty: the Unix socket only
  std::string devtools;  // loopback address of the DevTools protocol, without a token; empty: none
  bool virtual_clock = false;
  bool manual_network = false;
  std::vector<std::string> set;      // "NAME=VALUE" of Parameters
  std::filesystem::path ca_file;     // certificates to trust beside the system's; empty: none
  std::vector<std::string> resolve;  // "HOST:PORT:ADDRESS", see net::HostMap
  bool test_natives = false;         // exposes __vigilTest to scripts, for the tests of the sandbox
};

// Runs until SIGTERM, SIGINT or SIGHUP, then stops cleanly. Prints one line "vigil: ready …" on standard
// output when it accepts calls. An error means that it did not come up; nothing is left behind then.
Result<> Serve(const ServeOptions& options);

// The version of this build, "0.1.0".
const char* Version();

}  // namespace vigil::daemon
