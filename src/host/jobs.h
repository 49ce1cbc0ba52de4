// Jobs on service worker registrations: register, update, unregister; one queue per scope, one job at a time
// ("Schedule Job", "Run Job", "Register", "Update", "Unregister" of the Service Workers specification).
// Event-loop thread only. Nothing is left half-registered when a job fails.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "host/context.h"
#include "host/model.h"
#include "host/ports.h"

namespace vigil::host {

// What a job's promise is settled with.
struct JobResult {
  std::shared_ptr<Registration> registration;  // null: it failed, or (unregister) there was none
  ScriptError error;
};

class Jobs {
 public:
  explicit Jobs(HostContext& context) : context_(context) {}

  struct RegisterCall {
    std::string client_origin;
    std::string client_url;  // the Referer of the fetch
    std::string script_url;  // absolute
    std::string scope;       // absolute; empty: the script's directory
    bool module = false;
    std::string update_via_cache;
  };
  // Resolves, like register()'s promise, when the worker is installing or found to be there.
  boost::asio::awaitable<JobResult> Register(RegisterCall call);
  // force: past the HTTP cache whatever the registration says. Resolves when the check is done; when a new
  // worker was found it is installing by then.
  boost::asio::awaitable<JobResult> Update(std::shared_ptr<Registration> registration, bool force,
                                           std::string client_url = {});
  boost::asio::awaitable<JobResult> Unregister(std::shared_ptr<Registration> registration);
  // For users and Clear-Site-Data: at once, whatever the queue waits for. Nothing that was under way for the
  // scope comes to anything.
  void Remove(const std::shared_ptr<Registration>& registration);
  // All of the origin, those that are only being registered too.
  void RemoveAll(const std::string& origin);
  void SoftUpdate(const std::shared_ptr<Registration>& registration);
  // After a functional event.
  void SoftUpdateIfStale(const std::shared_ptr<Registration>& registration);

  // The last failure of a register job of this origin, for whoever waits for the app to be installed; forgets
  // it.
  std::optional<std::string> TakeFailure(const std::string& origin);
  bool HasJobs(const std::string& origin) const;

 private:
  enum class Type { kRegister, kUpdate, kUnregister };
  struct Job {
    Type type = Type::kRegister;
    std::string origin;
    std::string scope;
    RegisterCall call;
    bool force = false;
    bool cancelled = false;
    std::shared_ptr<Version> version;  // whose script runs for the first time
    Waiter<JobResult> promise;
    explicit Job(const boost::asio::any_io_executor& executor) : promise(executor) {}
  };
  using JobPtr = std::shared_ptr<Job>;

  std::optional<ScriptError> CheckRegister(RegisterCall& call) const;
  Waiter<JobResult> Schedule(JobPtr job);
  boost::asio::awaitable<void> RunQueue(std::string scope);
  boost::asio::awaitable<void> RunRegister(JobPtr job);
  boost::asio::awaitable<void> RunUpdate(JobPtr job);
  boost::asio::awaitable<void> InstallNew(JobPtr job, std::shared_ptr<Registration> registration,
                                          std::shared_ptr<Version> version);
  void RunUnregister(const JobPtr& job);
  void Cancel(const std::deque<JobPtr>& queue);
  void Reject(const JobPtr& job, ScriptError error);

  HostContext& context_;
  std::map<std::string, std::deque<JobPtr>> queues_;  // by scope
  std::map<std::string, std::string> failures_;       // by origin
};

}  // namespace vigil::host
