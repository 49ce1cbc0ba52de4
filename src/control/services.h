// The parts of the daemon that the API's handlers work with. Everything outlives the Api.
#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"
#include "host/clock.h"
#include "vigil/parameters.h"

namespace vigil::store {
class Stores;
}
namespace vigil::net {
class SwitchableConnectivity;
class Fetcher;
}  // namespace vigil::net
namespace vigil::host {
class Host;
class StorageThread;
class SyncDriver;
}  // namespace vigil::host

namespace vigil::control {
class Changes;
class LogFeed;
class Metrics;
class PolicyService;

// Where a browser finds the panel, and what it has to know.
struct PanelAccess {
  std::string address;  // "127.0.0.1:7411"
  std::string token;
};

struct Services {
  boost::asio::io_context& loop;
  host::Clock& clock;
  host::VirtualClock* virtual_clock;  // null: the clock is real
  host::StorageThread& storage;
  store::Stores& stores;
  host::Host& host;
  host::SyncDriver& syncs;
  net::SwitchableConnectivity& network;
  net::Fetcher& fetcher;
  PolicyService& policy;
  LogFeed& feed;
  Changes& changes;
  const Metrics& metrics;
  Parameters parameters;
  std::string version;
  std::filesystem::path data_directory;
  std::string network_source;  // "auto" or "manual"
  // Listens on loopback unless the daemon does so already.
  std::function<Result<PanelAccess>()> open_panel;
  // The same, and serves Chrome's front end there at /devtools/front_end. kNotFound: it is not installed.
  std::function<Result<PanelAccess>()> open_front_end;
};

// Keys of store::Settings.
inline constexpr const char* kNetworkModeSetting = "network.mode";        // auto | online | offline
inline constexpr const char* kVirtualWallSetting = "clock.virtual_wall";  // microseconds since the epoch

}  // namespace vigil::control
