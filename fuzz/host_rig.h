// The host that host_fuzzer.cc attacks, and the other app whose peace is checked after each attack.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/puppet.h"
#include "host/test_server.h"
#include "host/test_stands.h"

namespace vigil::host {
class Host;
class StorageThread;
class RealClock;
}  // namespace vigil::host
namespace vigil::store {
class Stores;
}
namespace vigil::net {
class Fetcher;
class HttpClient;
class ManualConnectivity;
class WebSockets;
}  // namespace vigil::net

// Made at the first input, for the rest of the process's life.
class HostRig {
 public:
  static HostRig& Instance();

  // Both of the attacker's processes are there, and nothing waits.
  void Begin();
  // Ends the program if the other app was touched.
  void End();
  void RunUntilQuiet();
  // One of the things that a host does by itself, or its user does.
  void Stir(unsigned what);

  vigil::host::TestServer& attacker() { return attacker_; }
  vigil::host::TestServer& victim() { return victim_; }
  // Null: it was killed.
  std::shared_ptr<vigil::host::Puppet> AttackerPage() const;
  std::shared_ptr<vigil::host::Puppet> AttackerWorker() const;
  std::string AttackerPageId() const;
  std::string VictimPageId() const;

 private:
  HostRig();
  template <class T>
  T Await(boost::asio::awaitable<T> task);
  void Install(vigil::host::TestServer& server);
  void OpenPage(vigil::host::TestServer& server);
  void StartWorker(vigil::host::TestServer& server);
  void PlantSecrets();
  void Reset();
  void CheckSecret(const vigil::host::Puppet& puppet) const;
  std::uint64_t RegistrationOf(vigil::host::TestServer& server) const;

  boost::asio::io_context loop_;
  std::filesystem::path directory_;
  vigil::host::TestServer attacker_{loop_};
  vigil::host::TestServer victim_{loop_};
  vigil::host::TestSyncService sync_;
  vigil::host::TestPolicy policy_;
  std::unique_ptr<vigil::host::Puppeteer> puppeteer_;
  std::unique_ptr<vigil::net::ManualConnectivity> network_;
  std::unique_ptr<vigil::host::RealClock> clock_;
  std::unique_ptr<vigil::host::StorageThread> storage_;
  std::unique_ptr<vigil::store::Stores> stores_;
  std::unique_ptr<vigil::net::HttpClient> http_;
  std::unique_ptr<vigil::net::Fetcher> fetcher_;
  std::unique_ptr<vigil::net::WebSockets> sockets_;
  std::unique_ptr<vigil::host::Host> host_;
  bool honest_ = true;  // puppets of the attacker answer by themselves
  std::string secret_;
  std::uint64_t last_request_ = 1;
  std::uint64_t inputs_ = 0;
};
