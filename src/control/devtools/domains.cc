// Which domains a target has.
#include "control/devtools/background_service_domain.h"
#include "control/devtools/browser_domain.h"
#include "control/devtools/cache_storage_domain.h"
#include "control/devtools/domain.h"
#include "control/devtools/emulation_domain.h"
#include "control/devtools/indexed_db_domain.h"
#include "control/devtools/log_domain.h"
#include "control/devtools/network_domain.h"
#include "control/devtools/page_domain.h"
#include "control/devtools/quiet_domain.h"
#include "control/devtools/runtime_domain.h"
#include "control/devtools/service_worker_domain.h"
#include "control/devtools/storage_domain.h"

namespace vigil::control::devtools {

std::map<std::string, std::unique_ptr<Domain>> MakeDomains(const SessionView& session) {
  std::map<std::string, std::unique_ptr<Domain>> domains;
  for (const std::string_view name : QuietDomainNames())
    domains[std::string(name)] = std::make_unique<QuietDomain>();
  domains["BackgroundService"] = std::make_unique<BackgroundServiceDomain>(session);
  domains["Browser"] = std::make_unique<BrowserDomain>(session);
  domains["Emulation"] = std::make_unique<EmulationDomain>(session);
  domains["Log"] = std::make_unique<LogDomain>(session);
  domains["ServiceWorker"] = std::make_unique<ServiceWorkerDomain>(session);
  if (session.target.type == Target::Type::kBrowser || session.target.type == Target::Type::kTab)
    return domains;
  domains["Network"] = std::make_unique<NetworkDomain>(session);
  domains["Storage"] = std::make_unique<StorageDomain>(session);
  if (session.target.type == Target::Type::kServiceWorker) return domains;
  domains["Page"] = std::make_unique<PageDomain>(session);
  if (session.target.process != 0) return domains;
  domains["CacheStorage"] = std::make_unique<CacheStorageDomain>(session);
  domains["IndexedDB"] = std::make_unique<IndexedDbDomain>(session);
  // Nothing runs here that could be debugged.
  for (const char* name : {"Console", "Debugger", "HeapProfiler", "Profiler"})
    domains[name] = std::make_unique<QuietDomain>();
  domains["Runtime"] = std::make_unique<RuntimeDomain>(session);
  return domains;
}

}  // namespace vigil::control::devtools
