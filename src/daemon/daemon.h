// All parts of the daemon and their order of life. Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "base/result.h"
#include "control/api.h"
#include "control/changes.h"
#include "control/log_feed.h"
#include "control/metrics.h"
#include "control/policy_service.h"
#include "control/run_monitor.h"
#include "daemon/quiescence.h"
#include "daemon/serve.h"
#include "host/clock.h"
#include "host/host.h"
#include "host/storage_thread.h"
#include "host/sync_driver.h"
#include "net/connectivity.h"
#include "net/fetcher.h"
#include "net/http_client.h"
#include "net/websocket.h"
#include "server/server.h"
#include "store/data_directory.h"
#include "store/stores.h"
#include "vigil/parameters.h"

namespace vigil::daemon {

class Daemon {
 public:
  Daemon(ServeOptions options, const Parameters& parameters, store::DataDirectory directory);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Until a signal comes or starting fails.
  Result<> Run();

 private:
  boost::asio::awaitable<Result<>> Main();
  boost::asio::awaitable<Result<>> OpenStores();
  boost::asio::awaitable<Result<>> MakeClock();
  Result<net::HttpClientOptions> HttpOptions() const;
  boost::asio::awaitable<Result<>> MakeNetwork();
  boost::asio::awaitable<Result<>> LoadCookies();
  void MakeHost();
  server::Served Served() const;
  Result<> Listen();
  Result<control::PanelAccess> OpenPanel();
  Result<control::PanelAccess> OpenFrontEnd();
  Result<> ListenLoopback(const std::string& address);
  Result<> ListenDevTools();
  Result<std::string> Token() const;
  boost::asio::awaitable<void> Stop();
  control::Services MakeServices();

  class Random final : public RandomPort {
   public:
    double NextUnit() override { return std::uniform_real_distribution<double>(0, 1)(engine_); }

   private:
    std::mt19937_64 engine_{std::random_device()()};
  };

  const ServeOptions options_;
  const Parameters parameters_;
  store::DataDirectory directory_;
  boost::asio::io_context loop_;
  std::unique_ptr<store::Stores> stores_;
  // Ends, and has written everything, before the stores go.
  std::optional<host::StorageThread> storage_;
  std::unique_ptr<host::Clock> clock_;
  host::VirtualClock* virtual_clock_ = nullptr;
  std::optional<StorageQuiescence> storage_quiescence_;
  std::optional<net::SwitchableConnectivity> network_;
  net::ConnectivityObserver::Subscription network_subscription_;
  std::optional<net::HttpClient> http_;
  std::optional<net::Fetcher> fetcher_;
  std::optional<FetchQuiescence> fetch_quiescence_;
  std::optional<net::WebSockets> web_sockets_;
  std::optional<WebSocketQuiescence> web_socket_quiescence_;
  std::optional<control::PolicyService> policy_;
  std::optional<control::LogFeed> feed_;
  control::Changes changes_;
  control::Metrics metrics_;
  Random random_;
  std::optional<host::Host> host_;
  std::optional<control::RunMonitor> monitor_;
  std::optional<host::SyncDriver> driver_;
  std::optional<control::Api> api_;
  server::Documents documents_;
  server::DocumentFolder front_end_;  // empty until somebody wants it
  // Of --devtools, without a token.
  control::Router devtools_router_;
  control::SocketRoutes devtools_sockets_;
  std::optional<server::Server> server_;
  std::string devtools_;   // its address, empty when there is none
  std::string listening_;  // loopback address, empty when there is none
};

}  // namespace vigil::daemon
