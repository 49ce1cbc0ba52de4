// All service worker registrations: look-up, what scripts are told about them, and their durable copy.
// Event-loop thread only. Writing goes to the storage thread in order and is not waited for; whoever needs it
// durable uses the storage thread afterwards, too.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "host/model.h"
#include "host/storage_thread.h"
#include "ipc/vigil.pb.h"

namespace vigil::store {
class Stores;
}

namespace vigil::host {

// A URL of that origin, in UTF-8: what every URL of a sound row is.
bool IsUrlOf(const std::string& url, const std::string& origin);
// Larger numbers are not exact in scripts, and the worker's half refuses to read them.
inline constexpr std::int64_t kMostInScripts = (std::int64_t{1} << 53) - 1;

class Registry {
 public:
  Registry(StorageThread& storage, store::Stores& stores) : storage_(storage), stores_(stores) {}

  boost::asio::awaitable<Result<>> Load();

  // "Set Registration". The registration is not stored before it has an installed version.
  std::shared_ptr<Registration> Create(const std::string& origin, const std::string& scope,
                                       const std::string& update_via_cache);
  std::shared_ptr<Version> CreateVersion(const Registration& registration, const std::string& script_url,
                                         bool module);
  // From the map, and from the disk. Versions still run for the clients that use them.
  void Remove(Registration& registration);

  std::shared_ptr<Registration> ById(std::uint64_t id) const;
  std::shared_ptr<Registration> ByScope(const std::string& scope) const;  // exact
  // "Match Service Worker Registration": the longest scope that is a prefix of the URL (without its
  // fragment).
  std::shared_ptr<Registration> Match(std::string_view url) const;
  std::shared_ptr<Version> VersionById(
      std::uint64_t id) const;                             // of a registration in the map, not redundant
  std::vector<std::shared_ptr<Registration>> All() const;  // by id
  std::vector<std::shared_ptr<Registration>> OfOrigin(const std::string& origin) const;

  // Writes it as it is now, unless it was unregistered or has nothing installed.
  void Save(const Registration& registration);
  // Comes back when it is on the disk.
  boost::asio::awaitable<Result<>> SavePreload(const Registration& registration);
  void SaveUpdateCheck(const Registration& registration);

  static ipc::RegistrationInfo Info(const Registration& registration);

 private:
  StorageThread& storage_;
  store::Stores& stores_;
  std::map<std::uint64_t, std::shared_ptr<Registration>> registrations_;
  std::uint64_t last_registration_id_ = 0;
  std::uint64_t last_version_id_ = 0;
};

}  // namespace vigil::host
