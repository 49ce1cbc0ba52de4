#include "daemon/serve.h"

#include <csignal>

#include "daemon/daemon.h"
#include "engine/parameter_names.h"
#include "store/data_directory.h"

namespace vigil::daemon {

const char* Version() { return VIGIL_VERSION; }

Result<> Serve(const ServeOptions& options) {
  Parameters parameters;
  for (const std::string& assignment : options.set) VIGIL_TRY(SetParameter(parameters, assignment));
  VIGIL_ASSIGN(store::DataDirectory directory, store::DataDirectory::Open(options.data_directory));
  // Peers that hang up show as errors of write, not as a signal.
  std::signal(SIGPIPE, SIG_IGN);
  Daemon daemon(options, parameters, std::move(directory));
  return daemon.Run();
}

}  // namespace vigil::daemon
