// What the parts of the host share: collaborators, options, and each other. Made by Host, which outlives the
// parts.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdint>
#include <string>
#include <utility>

#include "host/host.h"
#include "host/model.h"

namespace vigil::host {

class Apps;
class Cookies;
class FetchRouter;
class Jobs;
class Lifecycle;
class LocalStorage;
class Locks;
class Notifications;
class Pages;
class PortHub;
class Processes;
class Registry;
class Requests;
class Runner;
class ScriptStorage;
class WebSocketTable;

struct HostContext {
  HostDependencies deps;
  HostOptions options;
  boost::asio::any_io_executor executor;
  SyncService* sync = nullptr;
  ConsoleSink console_sink;
  std::function<void(const HostReport&)> report_sink;
  InspectorObserver inspector_observer;
  std::function<void(const Registration&)> registration_changed;  // may be empty
  bool stopping = false;
  bool force_update_on_page_load = false;

  Processes* processes = nullptr;
  Registry* registry = nullptr;
  Runner* runner = nullptr;
  Lifecycle* lifecycle = nullptr;
  Jobs* jobs = nullptr;
  Pages* pages = nullptr;
  PortHub* ports = nullptr;
  FetchRouter* router = nullptr;
  Requests* requests = nullptr;
  ScriptStorage* storage = nullptr;
  LocalStorage* local_storage = nullptr;
  Locks* locks = nullptr;
  Apps* apps = nullptr;
  Notifications* notifications = nullptr;
  Cookies* cookies = nullptr;
  WebSocketTable* web_sockets = nullptr;

  void Spawn(boost::asio::awaitable<void> task) const {
    boost::asio::co_spawn(executor, std::move(task), boost::asio::detached);
  }
  void NoteChange(const Registration& registration) const {
    if (registration_changed) registration_changed(registration);
  }
  void NoteChange(const Version& version) const;
  // To the user: something happened to an app that nobody waits for. Also a line on the console.
  void Report(const std::string& origin, std::uint64_t registration_id, const std::string& text,
              const char* level = "warn") const {
    if (report_sink) report_sink(HostReport{origin, registration_id, text});
    ConsoleLine line;
    line.level = level;
    line.text = text;
    line.source = "vigil";
    line.origin = origin;
    line.registration_id = registration_id;
    if (console_sink) console_sink(line);
  }
};

// What a script's error says without its stack trace: messages for users are one line.
inline std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

std::int64_t RealMonotonicUs();
// A random UUID, version 4.
std::string MakeUuid();

}  // namespace vigil::host
