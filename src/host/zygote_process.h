// Private to zygote.cc: one running zygote, and the conversation with it. Event-loop thread only.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/result.h"
#include "host/waiter.h"
#include "host/zygote.h"
#include "ipc/vigil.pb.h"

namespace vigil::host {

class ZygoteProcess : public std::enable_shared_from_this<ZygoteProcess> {
 public:
  using Steady = std::chrono::steady_clock;

  // The children's as in Zygote::Handlers.
  struct Handlers {
    std::function<void(const ZygoteProcess&)> ready;
    std::function<void(const ZygoteProcess&)> died;
    std::function<void(int pid, int wait_status)> child_exited;
    std::function<void(int pid)> child_lost;
  };

  ZygoteProcess(boost::asio::any_io_executor executor, Handlers handlers)
      : socket_(executor), handlers_(std::move(handlers)), ready_(executor) {}
  ~ZygoteProcess() { Close(); }
  ZygoteProcess(const ZygoteProcess&) = delete;
  ZygoteProcess& operator=(const ZygoteProcess&) = delete;

  Result<> Launch(const std::filesystem::path& executable);
  boost::asio::awaitable<Result<>> Ready();
  boost::asio::awaitable<Result<ForkedChild>> Fork(ipc::ToZygote::Fork order);  // but for its id
  // Ends it, and tells nobody any more.
  void Close();

  bool alive() const { return socket_.is_open(); }
  bool idle() const { return children_.empty() && pending_.empty(); }
  bool warm() const { return alive() && ready_.ready(); }
  std::int64_t forks() const { return forks_; }
  Steady::duration age() const { return Steady::now() - began_; }
  int pid() const { return alive() ? pid_ : 0; }
  const std::string& v8_version() const { return v8_version_; }

 private:
  void Wait();
  // One message; false: none is there.
  bool Receive();
  void Handle(const ipc::FromZygote& message, int fd);
  void Forked(const ipc::FromZygote::Forked& forked, int pidfd);
  void Fault(const std::string& reason);

  boost::asio::posix::stream_descriptor socket_;
  Handlers handlers_;  // none once it is closed
  Waiter<Result<>> ready_;
  std::map<std::uint64_t, Waiter<Result<ForkedChild>>> pending_;
  std::set<int> children_;
  std::uint64_t last_id_ = 0;
  std::int64_t forks_ = 0;
  Steady::time_point began_{};
  pid_t pid_ = 0;
  std::string v8_version_;
};

}  // namespace vigil::host
