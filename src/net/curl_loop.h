// Private to http_client.cc: one libcurl multi handle driven by Asio. Event-loop thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>

typedef void CURL;
typedef void CURLM;

namespace vigil::net {

// Lives in a shared_ptr: transfers and pending Asio operations keep it. libcurl calls the transfers'
// callbacks only inside Add, Unpause and this class's own handlers; `after_work` runs after each of the
// latter and after Unpause, when it is safe to call anything.
class CurlLoop : public std::enable_shared_from_this<CurlLoop> {
 public:
  // done(easy handle, CURLcode): the transfer has ended and is removed already.
  using Done = std::function<void(CURL*, int)>;
  CurlLoop(boost::asio::any_io_executor executor, int max_connections_per_host, Done done,
           std::function<void()> after_work);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  bool Add(CURL* easy);
  void Remove(CURL* easy);
  // Lets a transfer that refused data go on; what was refused is delivered at once.
  void Unpause(CURL* easy);
  // Transfers that have ended stay in the loop: the connection that CURLOPT_CONNECT_ONLY makes is closed when
  // its transfer is removed.
  void KeepFinished() { keeps_finished_ = true; }
  // Stops calling `done` and `after_work`.
  void Detach();

 private:
  struct Socket;

  static int OnSocket(CURL* easy, int fd, int what, void* self, void* socket);
  static int OnTimer(CURLM* multi, long timeout_ms, void* self);
  void WatchSocket(int fd, int what);
  void Arm(const std::shared_ptr<Socket>& socket);
  void Ready(const std::weak_ptr<Socket>& weak, bool readable);
  void SetTimer(long timeout_ms);
  void Act(int fd, int events);
  void CollectFinished();

  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  CURLM* multi_;
  Done done_;
  std::function<void()> after_work_;
  bool keeps_finished_ = false;
  std::map<int, std::shared_ptr<Socket>> sockets_;
};

}  // namespace vigil::net
