// The worker's end of the protocol in the hands of a test: vigil-puppet (tests/puppet) passes it the sockets
// of the processes that a host makes, and the test sends what it likes. Runs on the host's own event loop.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ipc/descriptors.h"
#include "ipc/framing.h"
#include "ipc/vigil.pb.h"

namespace vigil::host {

// One process of the host, as seen from inside.
class Puppet : public std::enable_shared_from_this<Puppet> {
 public:
  using Handler = std::function<void(Puppet&, const ipc::ToWorker&)>;

  Puppet(boost::asio::io_context& loop, int socket, int pid, Handler handler)
      : socket_(loop, boost::asio::local::stream_protocol(), socket),
        pid_(pid),
        handler_(std::move(handler)) {}

  int pid() const { return pid_; }
  bool closed() const { return closed_; }  // by the host
  const ipc::Start& start() const { return start_; }
  bool page() const { return start_.scope() == ipc::Start::PAGE; }
  const std::vector<ipc::ToWorker>& received() const { return received_; }

  void Send(const ipc::ToDaemon& message) {
    std::string frame;
    if (ipc::AppendFrame(message.SerializeAsString(), frame)) SendBytes(frame);
  }
  // In one piece: the host has them all before anything that the first of them began can end.
  void SendTogether(const std::vector<ipc::ToDaemon>& messages) {
    std::string frames;
    for (const auto& message : messages) {
      if (!ipc::AppendFrame(message.SerializeAsString(), frames)) std::abort();
    }
    SendBytes(std::move(frames));
  }
  // Bytes as they are, well-formed or not.
  void SendBytes(std::string bytes) {
    waiting_.push_back(std::move(bytes));
    if (waiting_.size() == 1) Write();
  }
  void Request(ipc::Request request, std::uint64_t id) {
    request.set_id(id);
    ipc::ToDaemon message;
    *message.mutable_request() = std::move(request);
    Send(message);
  }
  const ipc::Reply* ReplyTo(std::uint64_t id) const {
    for (const auto& message : received_) {
      if (message.has_reply() && message.reply().id() == id) return &message.reply();
    }
    return nullptr;
  }
  void Forget() { received_.clear(); }
  // A sleeping puppet reads nothing.
  void Sleep() { asleep_ = true; }
  void Hang() { socket_.close(); }

  void Read() {
    if (asleep_) return;
    char* space = reader_.Space(std::max<std::size_t>(reader_.Missing(), 16 * 1024));
    socket_.async_read_some(
        boost::asio::buffer(space, reader_.SpaceSize()),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t n) {
          if (error) {
            self->closed_ = true;
            return;
          }
          self->reader_.Commit(n);
          self->Deliver();
          self->Read();
        });
  }

 private:
  void Write() {
    boost::asio::async_write(
        socket_, boost::asio::buffer(waiting_.front()),
        [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
          self->waiting_.pop_front();
          if (error) self->waiting_.clear();
          if (!self->waiting_.empty()) self->Write();
        });
  }
  void Deliver() {
    for (;;) {
      auto frame = reader_.Next();
      if (!frame || !*frame) return;
      ipc::ToWorker message;
      if (!message.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size()))) std::abort();
      if (message.has_start()) start_ = message.start();
      received_.push_back(message);
      if (handler_) handler_(*this, message);
    }
  }

  boost::asio::local::stream_protocol::socket socket_;
  int pid_;
  Handler handler_;
  ipc::FrameReader reader_;
  ipc::Start start_;
  std::vector<ipc::ToWorker> received_;
  std::deque<std::string> waiting_;
  bool asleep_ = false;
  bool closed_ = false;
};

// Takes the sockets. Make it before the host starts, and name its program as the host's worker.
class Puppeteer {
 public:
  Puppeteer(boost::asio::io_context& loop, const std::string& path, Puppet::Handler handler)
      : loop_(loop), listener_(loop), handler_(std::move(handler)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) std::abort();
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
    if (::listen(fd, 64) != 0) std::abort();
    listener_.assign(fd);
    ::setenv("VIGIL_PUPPET", path.c_str(), 1);
    Wait();
  }

  // Those that were started, oldest first.
  std::vector<std::shared_ptr<Puppet>> Started() const {
    std::vector<std::shared_ptr<Puppet>> started;
    for (const auto& puppet : puppets_) {
      if (!puppet->start().origin().empty()) started.push_back(puppet);
    }
    return started;
  }
  // The youngest of an origin that the host has not closed; null: none.
  std::shared_ptr<Puppet> Find(const std::string& origin, bool page) const {
    std::shared_ptr<Puppet> found;
    for (const auto& puppet : Started()) {
      if (puppet->start().origin() == origin && puppet->page() == page && !puppet->closed()) found = puppet;
    }
    return found;
  }
  void ForgetClosed() {
    std::erase_if(puppets_, [](const auto& puppet) { return puppet->closed(); });
  }

 private:
  void Wait() {
    listener_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [this](const boost::system::error_code& error) {
                           if (error) return;
                           Accept();
                           Wait();
                         });
  }
  void Accept() {
    const int connection = ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) return;
    std::array<char, sizeof(pid_t)> message;
    int fd = -1;
    const ssize_t size = ipc::ReceiveWithDescriptor(connection, message, fd);
    ::close(connection);
    if (fd < 0) return;
    if (size != std::ssize(message)) std::abort();
    const pid_t pid = std::bit_cast<pid_t>(message);
    puppets_.push_back(std::make_shared<Puppet>(loop_, fd, pid, handler_));
    puppets_.back()->Read();
  }

  boost::asio::io_context& loop_;
  boost::asio::posix::stream_descriptor listener_;
  Puppet::Handler handler_;
  std::vector<std::shared_ptr<Puppet>> puppets_;
};

// Does what a worker or a page without a fault would: starts, installs, finishes its events at once, and, as
// a page, registers /sw.js and links a manifest.
inline void PlayHonestly(Puppet& puppet, const ipc::ToWorker& message) {
  ipc::ToDaemon answer;
  if (message.has_start()) {
    answer.mutable_started()->set_ok(true);
    for (const char* type : {"install", "activate", "sync", "periodicsync", "fetch", "message"}) {
      answer.mutable_started()->add_listeners(type);
    }
    puppet.Send(answer);
    if (message.start().scope() != ipc::Start::PAGE) return;
    const std::string origin = message.start().origin();
    ipc::ToDaemon document;
    document.mutable_document()->set_title("A puppet");
    document.mutable_document()->set_manifest_url(origin + "/app.webmanifest");
    puppet.Send(document);
    ipc::Request request;
    request.mutable_container_register()->set_script_url(origin + "/sw.js");
    puppet.Request(std::move(request), 1);
    return;
  }
  if (message.has_event()) {
    if (message.event().has_fetch()) {
      answer.mutable_fetch_response()->set_event_id(message.event().id());
      answer.mutable_fetch_response()->set_kind(ipc::FetchResponse::FALLBACK);
      puppet.Send(answer);
    }
    answer.mutable_event_finished()->set_event_id(message.event().id());
    answer.mutable_event_finished()->set_outcome(ipc::EventFinished::SUCCEEDED);
    puppet.Send(answer);
  }
  if (message.has_evaluate()) {
    answer.mutable_evaluate_result()->set_id(message.evaluate().id());
    answer.mutable_evaluate_result()->set_ok(true);
    puppet.Send(answer);
  }
}

}  // namespace vigil::host
