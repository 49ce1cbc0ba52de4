#include "daemon/serve.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>

#include "daemon/daemon.h"
#include "engine/parameter_names.h"
#include "store/data_directory.h"

namespace vigil::daemon {

const char* Version() { return VIGIL_VERSION; }

namespace {

// A worker takes two descriptors, a connection one; the system's first offer is often 1,024.
void RaiseDescriptorLimit() {
  constexpr rlim_t kEnough = 65'536;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kEnough) return;
  limit.rlim_cur = std::min(limit.rlim_max, kEnough);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Result<> Serve(const ServeOptions& options) {
  Parameters parameters;
  for (const std::string& assignment : options.set) VIGIL_TRY(SetParameter(parameters, assignment));
  VIGIL_ASSIGN(store::DataDirectory directory, store::DataDirectory::Open(options.data_directory));
  // Peers that hang up show as errors of write, not as a signal.
  std::signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();
  Daemon daemon(options, parameters, std::move(directory));
  return daemon.Run();
}

}  // namespace vigil::daemon
