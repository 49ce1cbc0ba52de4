// A whole host on real parts for tests: zygote, worker processes, SQLite in a temporary directory, HTTP over
// loopback. Only background sync and the policy are small in-memory stands (test_stands.h).
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/clock.h"
#include "host/host.h"
#include "host/storage_thread.h"
#include "host/test_server.h"
#include "host/test_stands.h"
#include "net/connectivity.h"
#include "net/fetcher.h"
#include "net/http_client.h"
#include "net/websocket.h"
#include "store/stores.h"

namespace vigil::host {

class HostTest : public ::testing::Test {
 protected:
  HostTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vigil-host-XXXXXX").string();
    directory = mkdtemp(pattern.data());
    if (const char* worker = std::getenv("VIGIL_WORKER")) options.worker_executable = worker;
    options.storage_directory = directory / "origins";
    Open();
  }
  ~HostTest() override {
    if (host) Close();
    server.Close();
    storage.reset();
    std::filesystem::remove_all(directory);
  }

  void Open() {
    storage = std::make_unique<StorageThread>();
    auto opened = store::Stores::Open(directory);
    ASSERT_TRUE(opened) << opened.error().message;
    stores = std::move(*opened);
    http = std::make_unique<net::HttpClient>(loop.get_executor());
    net::FetcherOptions fetch_options;
    fetch_options.wall_now = [this] { return clock.now().wall; };
    fetcher = std::make_unique<net::Fetcher>(loop.get_executor(), *http, network, fetch_options);
    net::WebSocketOptions socket_options;
    socket_options.wall_now = fetch_options.wall_now;
    sockets = std::make_unique<net::WebSockets>(loop.get_executor(), *fetcher, network, socket_options);
  }
  void Start() {
    HostDependencies dependencies{loop,     clock,   *storage, *stores, *fetcher,
                                  *sockets, network, policy,   policy,  policy};
    host = std::make_unique<Host>(dependencies, options);
    host->SetSyncService(sync);
    host->SetConsoleSink([this](const ConsoleLine& line) { console.push_back(line.text); });
    host->SetReportSink([this](const HostReport& report) { reports.push_back(report.text); });
    auto started = Await(host->Start());
    ASSERT_TRUE(started) << started.error().message;
  }
  // As an orderly end of the daemon; what is stored stays.
  void Close() {
    Await(host->Stop());
    loop.poll();
    host.reset();
    sockets.reset();
    fetcher.reset();
    http.reset();
    loop.poll();
    storage.reset();
    stores.reset();
  }
  void Restart() {
    Close();
    Open();
    Start();
  }

  template <class T>
  T Await(boost::asio::awaitable<T> task) {
    std::optional<T> result;
    std::exception_ptr failure;
    loop.restart();
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error, T value) {
      failure = error;
      if (!error) result.emplace(std::move(value));
    });
    while (!result && !failure && loop.run_one() > 0) {
    }
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
  void Await(boost::asio::awaitable<void> task) {
    bool done = false;
    loop.restart();
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr) { done = true; });
    while (!done && loop.run_one() > 0) {
    }
  }
  // Runs the loop until the condition holds.
  template <class Condition>
  void RunUntil(Condition condition) {
    loop.restart();
    while (!condition() && loop.run_one() > 0) {
    }
  }

  // A page that registers /sw.js when it is loaded, with a manifest.
  void ServeApp(const std::string& worker) {
    server.files["/"] = {200, "text/html",
                         "<!doctype html><title>App</title><link rel=manifest href=/app.webmanifest>"
                         "<script src=/page.js></script>"};
    server.files["/page.js"] = {200, "text/javascript", "navigator.serviceWorker.register('/sw.js');"};
    server.files["/app.webmanifest"] = {200, "application/manifest+json",
                                        R"({"name":"An app","start_url":"/","display":"standalone"})"};
    server.files["/sw.js"] = {200, "text/javascript", worker};
  }
  Result<AppView> Install() { return Await(host->Install(server.Url("/"), {})); }
  // Runs code as the body of a script in a page that closes afterwards.
  Result<OpenedPage> RunInPage(const std::string& code) {
    PageOptions page;
    page.script = code;
    return Await(host->OpenPage(server.Url("/"), page,
                                [this](const ConsoleLine& line) { page_console.push_back(line.text); }));
  }
  std::uint64_t RegistrationId() { return host->Registrations().at(0).id; }
  DispatchOutcome Sync(const std::string& tag, bool last_chance = false) {
    return Await(host->DispatchSync(RegistrationId(), tag, last_chance, Duration(0)));
  }
  bool Reported(const std::string& part) const {
    return std::any_of(reports.begin(), reports.end(),
                       [&](const auto& text) { return text.find(part) != std::string::npos; });
  }

  std::filesystem::path directory;
  boost::asio::io_context loop;
  RealClock clock{loop};
  TestServer server{loop};
  net::ManualConnectivity network;
  TestSyncService sync;
  TestPolicy policy;
  HostOptions options;
  std::unique_ptr<StorageThread> storage;
  std::unique_ptr<store::Stores> stores;
  std::unique_ptr<net::HttpClient> http;
  std::unique_ptr<net::Fetcher> fetcher;
  std::unique_ptr<net::WebSockets> sockets;
  std::unique_ptr<Host> host;
  std::vector<std::string> console, reports, page_console;
};

}  // namespace vigil::host
