#include "net/curl_loop.h"

#include <curl/curl.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace vigil::net {

// libcurl owns the descriptor; this only waits on it.
struct CurlLoop::Socket {
  Socket(const boost::asio::any_io_executor& executor, int fd) : descriptor(executor) {
    boost::system::error_code ignored;
    descriptor.assign(fd, ignored);
  }
  ~Socket() { Release(); }
  void Release() {
    if (descriptor.is_open()) descriptor.release();
  }

  boost::asio::posix::stream_descriptor descriptor;
  int wanted = CURL_POLL_NONE;
  bool waiting_to_read = false;
  bool waiting_to_write = false;
};

CurlLoop::CurlLoop(boost::asio::any_io_executor executor, int max_connections_per_host, Done done,
                   std::function<void()> after_work)
    : executor_(executor),
      timer_(executor),
      multi_(nullptr),
      done_(std::move(done)),
      after_work_(std::move(after_work)) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (initialised == CURLE_OK) multi_ = curl_multi_init();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlLoop::OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlLoop::OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(max_connections_per_host));
}

CurlLoop::~CurlLoop() { curl_multi_cleanup(multi_); }

bool CurlLoop::Add(CURL* easy) { return curl_multi_add_handle(multi_, easy) == CURLM_OK; }

void CurlLoop::Remove(CURL* easy) { curl_multi_remove_handle(multi_, easy); }

void CurlLoop::Unpause(CURL* easy) {
  const auto self = shared_from_this();
  curl_easy_pause(easy, CURLPAUSE_CONT);
  CollectFinished();
  if (after_work_) after_work_();
}

void CurlLoop::Detach() {
  done_ = nullptr;
  after_work_ = nullptr;
}

int CurlLoop::OnSocket(CURL*, int fd, int what, void* self, void*) {
  static_cast<CurlLoop*>(self)->WatchSocket(fd, what);
  return 0;
}

int CurlLoop::OnTimer(CURLM*, long timeout_ms, void* self) {
  static_cast<CurlLoop*>(self)->SetTimer(timeout_ms);
  return 0;
}

void CurlLoop::WatchSocket(int fd, int what) {
  if (what == CURL_POLL_REMOVE) {
    const auto found = sockets_.find(fd);
    if (found == sockets_.end()) return;
    // At once, not when the last reference goes: libcurl may want the same descriptor watched again before
    // that.
    found->second->Release();
    sockets_.erase(found);
    return;
  }
  std::shared_ptr<Socket>& socket = sockets_[fd];
  if (!socket) socket = std::make_shared<Socket>(executor_, fd);
  socket->wanted = what;
  Arm(socket);
}

// A wait that is under way for a direction no longer wanted ends by itself and is then not renewed; until
// then it reads nothing from the socket, so that a paused sender stays blocked.
void CurlLoop::Arm(const std::shared_ptr<Socket>& socket) {
  using Descriptor = boost::asio::posix::stream_descriptor;
  const std::weak_ptr<Socket> weak = socket;
  const std::weak_ptr<CurlLoop> loop = weak_from_this();
  if ((socket->wanted & CURL_POLL_IN) != 0 && !socket->waiting_to_read) {
    socket->waiting_to_read = true;
    socket->descriptor.async_wait(Descriptor::wait_read, [loop, weak](const boost::system::error_code&) {
      if (const auto self = loop.lock()) self->Ready(weak, true);
    });
  }
  if ((socket->wanted & CURL_POLL_OUT) != 0 && !socket->waiting_to_write) {
    socket->waiting_to_write = true;
    socket->descriptor.async_wait(Descriptor::wait_write, [loop, weak](const boost::system::error_code&) {
      if (const auto self = loop.lock()) self->Ready(weak, false);
    });
  }
}

void CurlLoop::Ready(const std::weak_ptr<Socket>& weak, bool readable) {
  const std::shared_ptr<Socket> socket = weak.lock();
  if (!socket) return;
  (readable ? socket->waiting_to_read : socket->waiting_to_write) = false;
  const int wanted = readable ? CURL_POLL_IN : CURL_POLL_OUT;
  if ((socket->wanted & wanted) == 0) return;
  const int fd = socket->descriptor.native_handle();
  Act(fd, readable ? CURL_CSELECT_IN : CURL_CSELECT_OUT);
  // Still the same socket, not another one that got its number.
  const auto found = sockets_.find(fd);
  if (found != sockets_.end() && found->second == socket) Arm(socket);
}

void CurlLoop::SetTimer(long timeout_ms) {
  timer_.cancel();
  if (timeout_ms < 0) return;
  timer_.expires_after(std::chrono::milliseconds(timeout_ms));
  timer_.async_wait([loop = weak_from_this()](const boost::system::error_code& error) {
    const auto self = loop.lock();
    if (self && !error) self->Act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void CurlLoop::Act(int fd, int events) {
  const auto self = shared_from_this();
  int running = 0;
  curl_multi_socket_action(multi_, fd, events, &running);
  CollectFinished();
  if (after_work_) after_work_();
}

void CurlLoop::CollectFinished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    if (!keeps_finished_) curl_multi_remove_handle(multi_, easy);
    if (done_) done_(easy, static_cast<int>(code));
  }
}

}  // namespace vigil::net
