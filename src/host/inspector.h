// Developer tools at worker processes: V8's inspector in a process, and whoever speaks with it. Event-loop
// thread only.
//
// A session lives as long as the process it was attached to; the next process of the same worker is another
// target. What a session sends and hears are messages of the DevTools protocol as V8 knows it (Runtime,
// Debugger, Profiler, HeapProfiler, Console, Schema), JSON, without `sessionId`.
//
// While a tool is attached the worker is not stopped for being idle. While its script stands still at a
// breakpoint, or waits for a tool before its first run, the limits of its events and of its start stand
// still, and so does a virtual clock that is being advanced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/caps.h"
#include "ipc/vigil.pb.h"

namespace vigil::host {

class WorkerProcess;

// A process that tools can be attached to.
struct InspectorTarget {
  std::uint64_t process = 0;  // never used twice
  int pid = 0;
  bool running = false;  // its script has been run
  bool paused = false;
  std::string origin;
  std::string url;
  std::uint64_t registration_id = 0, version_id = 0;  // of a service worker
  std::string client_id;                              // of a page
};

// Hears of all processes. Neither is called inside a call to the Host.
struct InspectorObserver {
  // It is about to be started: what is attached here sees its first run, and can make it wait.
  std::function<void(const InspectorTarget& target)> starting;
  std::function<void(std::uint64_t process)> ended;
};

struct InspectorHandlers {
  // Whoever takes a message says so by InspectorSession::Taken, or it is not given much more.
  std::function<void(std::string message)> message;
  // Once: the process has ended, or the session was cut off. Not after the session was destroyed.
  std::function<void(std::string reason)> detached;
  std::function<void(bool paused)> paused;  // may be empty
};

// Destroying it detaches: what stands still because of it goes on.
class InspectorSession {
 public:
  // A command for V8 (JSON, UTF-8); commands are answered by `message`. Larger than this: dropped, false.
  static constexpr std::size_t kMaxCommandBytes = std::size_t{16} << 20;

  InspectorSession(std::weak_ptr<WorkerProcess> process, std::uint64_t number)
      : process_(std::move(process)), number_(number) {}
  ~InspectorSession();
  InspectorSession(const InspectorSession&) = delete;
  InspectorSession& operator=(const InspectorSession&) = delete;

  bool Send(std::string message);
  // So many bytes of messages have left for the tool.
  void Taken(std::size_t bytes);

 private:
  std::weak_ptr<WorkerProcess> process_;
  const std::uint64_t number_;
};

// A process's end of it: which tools are attached to it.
class InspectorPort {
 public:
  // send: to the process. changed: attached() or paused() may have.
  InspectorPort(const Caps& caps, std::function<void(ipc::InspectorFrame)> send,
                std::function<void()> changed)
      : caps_(caps), send_(std::move(send)), changed_(std::move(changed)) {}

  // The session's number.
  std::uint64_t Attach(InspectorHandlers handlers, bool wait_for_debugger);
  void Detach(std::uint64_t session);
  bool Send(std::uint64_t session, std::string message);
  void Taken(std::uint64_t session, std::size_t bytes);
  // From the process, which is not trusted: what it did wrong.
  Refusal OnFrame(ipc::InspectorFrame frame);
  void Ended(const std::string& reason);

  bool attached() const { return open_ > 0; }
  // Its script stands still for a tool.
  bool paused() const { return paused_ && attached(); }

 private:
  struct Session {
    InspectorHandlers handlers;
    bool open = true;               // false: the process has not said yet that it knows of the end
    std::size_t waiting_bytes = 0;  // that the tool has not taken
  };

  void Close(Session& session, std::uint64_t number);
  void OnMessage(std::uint64_t number, Session& session, std::string message);

  const Caps& caps_;
  std::function<void(ipc::InspectorFrame)> send_;
  std::function<void()> changed_;
  std::map<std::uint64_t, Session> sessions_;
  std::uint64_t last_session_ = 0;
  int open_ = 0;
  bool paused_ = false;
};

}  // namespace vigil::host
