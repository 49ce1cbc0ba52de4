// The host that host_fuzzer.cc attacks, and the other app whose peace is checked after each attack.
//
// Both origins are played by one server, which is the proxy for everything: nothing that an attack fetches
// leaves the process, and the origins are the same in every run. Time stands until somebody moves it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "host/host.h"
#include "host/puppet.h"
#include "host/storage_thread.h"
#include "host/test_server.h"
#include "host/test_stands.h"
#include "manual_clock.h"
#include "net/connectivity.h"
#include "net/fetcher.h"
#include "net/http_client.h"
#include "net/websocket.h"
#include "store/stores.h"

namespace vigil::fuzz {

inline constexpr std::string_view kAttacker = "http://attacker.localhost";
inline constexpr std::string_view kVictim = "http://victim.localhost";

// Made at the first input, for the rest of the process's life.
class HostRig {
 public:
  static HostRig& Instance();

  // The attacker is as if it had just been installed: a page is open, its worker runs, nothing is stored.
  void Begin();
  // Ends the program if the other app was touched.
  void End();
  // Until nothing happens that does not wait for a process or for time.
  void RunUntilQuiet();
  // One of the things that a host does by itself, or its user does: 32 of them.
  void Stir(unsigned what);

  // Null: it was killed.
  std::shared_ptr<host::Puppet> Attacker(bool page) const;
  std::string ClientOf(std::string_view origin) const;
  std::string NotificationOf(std::string_view origin) const;
  std::uint64_t RegistrationOf(std::string_view origin) const;
  std::uint64_t VersionOf(std::string_view origin) const;

 private:
  HostRig();
  template <class T>
  T Await(boost::asio::awaitable<T> task);
  // Its end is waited for by nobody.
  template <class T>
  void Spawn(boost::asio::awaitable<T> task);
  template <class Condition>
  void RunUntil(const char* what, Condition condition);
  void Serve(std::string_view origin);
  void StartHost();
  void OpenPage(std::string_view origin);
  void PlantSecrets();
  void StartVictim();
  std::string LeftOfAttacker() const;
  void RemoveAttacker();
  void MoveTime(unsigned how_far);
  ipc::Reply AskVictim(ipc::Request request);
  void CheckAttacker(const host::Puppet& puppet) const;
  void CheckVictim();

  boost::asio::io_context loop_;
  host::TestServer server_{loop_};
  host::TestSyncService sync_;
  host::TestPolicy policy_;
  net::ManualConnectivity network_;
  ManualClock clock_{loop_};
  host::Puppeteer puppeteer_;
  host::StorageThread storage_;
  std::unique_ptr<store::Stores> stores_;
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<net::Fetcher> fetcher_;
  std::unique_ptr<net::WebSockets> sockets_;
  std::unique_ptr<host::Host> host_;
  bool honest_ = true;  // puppets of the attacker answer by themselves
  bool time_moved_ = false;
  std::string secret_;
  std::shared_ptr<host::Puppet> victim_page_, victim_worker_;
  std::uint64_t last_request_ = 1;
};

}  // namespace vigil::fuzz
