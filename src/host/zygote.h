// Makes worker processes: starts vigil-worker as a zygote and asks it to fork. Event-loop thread only.
//
// Children share their zygote's address layout and V8's hash seeds, so a zygote is replaced after a number of
// forks or some hours: the next one warms up while the present one still forks, so nobody waits for it, and
// the old one is kept until its last child has ended, so that every child's wait status arrives. A zygote
// that dies takes its children along and is started again at the next Fork; one that keeps dying soon after
// its start is given a growing pause first (docs/adr/0013).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/waiter.h"
#include "ipc/vigil.pb.h"

namespace vigil::host {

// A fresh child, in its sandbox or on the way there, waiting for its Start message. Both descriptors are the
// taker's.
struct ForkedChild {
  int pid = 0;
  int pidfd = -1;
  int socket = -1;
};

struct ZygoteOptions {
  std::filesystem::path executable;  // empty: DefaultExecutable()
  ipc::Limits limits;                // of each child
  // After so many forks, or this long (real time), a zygote is replaced. 0: never.
  std::int64_t max_forks = 2000;
  std::chrono::microseconds max_age = std::chrono::hours(4);
  // Pause before a zygote is started when the one before died within `quick_death` of its start: first_pause,
  // doubled with each such death in a row, at most last_pause. Real time.
  std::chrono::milliseconds first_pause{100};
  std::chrono::milliseconds last_pause{30'000};
  std::chrono::milliseconds quick_death{10'000};
};

class ZygoteProcess;

class Zygote {
 public:
  struct Handlers {
    // A child has ended; status as waitpid reports it.
    std::function<void(int pid, int wait_status)> exited;
    // A child has ended, or is about to, because its zygote has: nobody will tell its status.
    std::function<void(int pid)> lost;
  };

  Zygote(boost::asio::any_io_executor executor, ZygoteOptions options, Handlers handlers);
  ~Zygote();  // children lose their parent, not their life: end them first
  Zygote(const Zygote&) = delete;
  Zygote& operator=(const Zygote&) = delete;

  // Starts the zygote and waits until it is warm. kNotFound: no executable; kUnavailable: it did not come up.
  boost::asio::awaitable<Result<>> Start();
  // title: shown as the process's name, at most 15 bytes. spare: it will wait for its Start.
  boost::asio::awaitable<Result<ForkedChild>> Fork(std::string title, bool spare = false);
  // Whoever waits for a pause to end hears of it: nothing will be started any more.
  void Stop();
  int pid() const;  // 0: not running
  const std::string& v8_version() const { return v8_version_; }

  // "vigil-worker" in the directory of the running executable.
  static std::filesystem::path DefaultExecutable();

 private:
  using ProcessPtr = std::shared_ptr<ZygoteProcess>;
  using Steady = std::chrono::steady_clock;

  boost::asio::awaitable<Result<ProcessPtr>> Current();
  boost::asio::awaitable<Result<>> Pause();
  Result<ProcessPtr> Launch();
  void OnDeath(const ZygoteProcess& process);
  bool Worn(const ZygoteProcess& process) const;
  // Takes a worn zygote out of service as soon as the next one is warm, and lets those go whose children have
  // all ended.
  void Renew();

  boost::asio::any_io_executor executor_;
  ZygoteOptions options_;
  Handlers handlers_;
  ProcessPtr current_;
  ProcessPtr next_;  // warms up
  std::vector<ProcessPtr> retired_;
  std::string v8_version_;
  int quick_deaths_ = 0;  // in a row
  Steady::time_point not_before_{};
  boost::asio::steady_timer pause_;
  std::optional<Waiter<bool>> pausing_;
  bool stopped_ = false;
};

}  // namespace vigil::host
