// Service worker registrations with their installed versions and all script bodies. Storage thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "vigil/time.h"

namespace vigil::store {

class Database;

struct StoredScript {
  std::string url;                   // the URL that was asked for
  std::string response_url;          // where it came from after redirects
  std::string body;                  // bytes as they came from the network, UTF-8
  std::string type = {};             // of a module: json, text; empty: JavaScript
  std::string importer = {};         // response URL of the module that imports it; empty: the main script
  std::string referrer_policy = {};  // of what it imports
};

// A version that is installed or better; younger ones are never stored.
struct StoredVersion {
  std::uint64_t id = 0;
  std::string script_url;
  std::string state;  // installed | activating | activated
  bool module = false;
  std::vector<std::string> listeners;  // event types with a listener after the first run
  std::string referrer_policy;
  std::string static_routes;          // ipc::RouterRules
  std::string csp, csp_report_only;   // Content-Security-Policy and its -Report-Only
  std::vector<StoredScript> scripts;  // the main script first, imported scripts in the order of import
};

struct StoredRegistration {
  std::uint64_t id = 0;
  std::string origin;
  std::string scope;
  std::string update_via_cache = "imports";
  WallTime last_update_check{};
  bool preload_enabled = false;  // navigation preload
  std::string preload_header = "true";
  std::optional<StoredVersion> waiting;
  std::optional<StoredVersion> active;
};

class ServiceWorkerStore {
 public:
  explicit ServiceWorkerStore(Database& database) : database_(database) {}

  struct Loaded {
    std::vector<StoredRegistration> registrations;  // by id; script bodies included
    // Highest ids ever stored, of deleted ones too: count on from here, so that an id never comes back.
    std::uint64_t last_registration_id = 0;
    std::uint64_t last_version_id = 0;
  };
  Result<Loaded> Load();

  // Writes the registration as it is now, in one transaction. Versions that are stored already keep their
  // scripts (an installed version's scripts never change), so those may come with `scripts` empty.
  Result<> Save(const StoredRegistration& registration);
  // With its background sync registrations, in one transaction: a crash leaves none that has no worker.
  // Absent is fine.
  Result<> Remove(std::uint64_t registration_id);
  Result<> SetLastUpdateCheck(std::uint64_t registration_id, WallTime when);
  Result<> SetPreload(std::uint64_t registration_id, bool enabled, const std::string& header);
  Result<std::vector<StoredScript>> Scripts(std::uint64_t version_id);

 private:
  Result<> SaveVersion(std::uint64_t registration_id, const StoredVersion& version, bool active);

  Database& database_;
};

}  // namespace vigil::store
