// One run of `vigil install`: opens the app's page so that it registers its service worker, finds and checks
// the manifest, and waits for the worker to be active. Event-loop thread only; made for one call.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "base/result.h"
#include "host/context.h"
#include "store/app_store.h"

namespace vigil::host {

class AppInstallation {
 public:
  static constexpr std::size_t kMaxManifestBytes = std::size_t{1} << 20;

  explicit AppInstallation(HostContext& context) : context_(context) {}
  AppInstallation(const AppInstallation&) = delete;
  AppInstallation& operator=(const AppInstallation&) = delete;

  // What is to be recorded of the app. Its page stays open.
  boost::asio::awaitable<Result<store::StoredApp>> Prepare(std::string url, ConsoleSink console);
  void ClosePage();
  // After a failure: no registration is left that was not there before.
  boost::asio::awaitable<void> Undo();

 private:
  struct Target {
    std::string page_url;
    std::string manifest_url;   // empty: as the page links it
    std::string manifest_json;  // of manifest_url
  };
  boost::asio::awaitable<Result<Target>> Identify(std::string url);
  boost::asio::awaitable<Result<>> WaitForWorker(std::shared_ptr<Page> page);
  boost::asio::awaitable<Result<std::string>> FetchManifest(std::string origin, std::string referrer,
                                                            std::string url);

  HostContext& context_;
  std::shared_ptr<Page> page_;
  std::string origin_;              // empty: nothing was begun
  std::set<std::uint64_t> before_;  // its registrations
};

}  // namespace vigil::host
