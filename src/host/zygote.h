// Makes worker processes: starts vigil-worker as a zygote and asks it to fork. Event-loop thread only.
//
// A zygote that dies is started again at the next Fork. It is replaced now and then, because its children
// share its address layout; the old one is kept until its last child has ended, so that every child's wait
// status arrives.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace vigil::host {

// A fresh child, in its sandbox or on the way there, waiting for its Start message. Both descriptors are the
// taker's.
struct ForkedChild {
  int pid = 0;
  int pidfd = -1;
  int socket = -1;
};

class Zygote {
 public:
  // A child has ended; status as waitpid reports it.
  using ExitHandler = std::function<void(int pid, int wait_status)>;
  // Forks after which the zygote is replaced.
  static constexpr int kForksPerZygote = 2000;

  Zygote(boost::asio::any_io_executor executor, std::filesystem::path executable, ExitHandler on_exit);
  ~Zygote();  // children lose their parent, not their life: end them first
  Zygote(const Zygote&) = delete;
  Zygote& operator=(const Zygote&) = delete;

  // Starts the zygote and waits until it is warm. kNotFound: no executable; kUnavailable: it did not come up.
  boost::asio::awaitable<Result<>> Start();
  // title: shown as the process's name, at most 15 bytes. spare: it will wait for its Start.
  boost::asio::awaitable<Result<ForkedChild>> Fork(std::string title, bool spare = false);
  int pid() const;  // 0: not running
  const std::string& v8_version() const;

  // "vigil-worker" in the directory of the running executable.
  static std::filesystem::path DefaultExecutable();

 private:
  class Process;
  boost::asio::awaitable<Result<std::shared_ptr<Process>>> Current();
  void Retire();

  boost::asio::any_io_executor executor_;
  std::filesystem::path executable_;
  ExitHandler on_exit_;
  std::shared_ptr<Process> current_;
  std::vector<std::shared_ptr<Process>> retired_;
  std::string v8_version_;
};

}  // namespace vigil::host
