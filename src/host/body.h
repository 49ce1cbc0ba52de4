// Bodies on their way through the daemon: from a server or a worker process, to a worker process or into
// memory. Event-loop thread only.
//
// Flow: a source never delivers more than it was granted; it starts with WorkerProcess::kInitialCredit, which
// is also what a process grants at first, so that credit can be handed on as it comes.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "host/process.h"
#include "net/fetcher.h"

namespace vigil::host {

class BodySource : public std::enable_shared_from_this<BodySource> {
 public:
  virtual ~BodySource() = default;
  using DataHandler = std::function<void(std::string_view)>;
  using DoneHandler = std::function<void(const std::string& error)>;  // empty: complete

  // Once. What has arrived before is delivered, possibly inside this call. A source that is never started
  // must be cancelled.
  void Start(DataHandler data, DoneHandler done);
  void Grant(std::uint32_t bytes);
  // No handler is called afterwards; the other end is told.
  void Cancel();

 protected:
  void Push(std::string_view data);
  void End(std::string error);
  // Delivered bytes; the source's own flow control.
  virtual void OnDelivered(std::size_t /*bytes*/) {}
  virtual void OnCancel() {}
  std::size_t buffered() const { return buffer_.size() - offset_; }

 private:
  void Flush();

  DataHandler data_;
  DoneHandler done_;
  std::string buffer_;
  std::size_t offset_ = 0;
  std::size_t credit_ = WorkerProcess::kInitialCredit;
  bool started_ = false, ended_ = false, over_ = false;
  std::string error_;
};

// The body of a response from the network; holds the fetch.
class FetchBody final : public BodySource {
 public:
  // The head comes with the body, or with null when there is none; never inside this call, and never once
  // nobody holds what this returns.
  using HeadHandler = std::function<void(ipc::HttpResponse head, std::shared_ptr<FetchBody> body)>;
  using RedirectHandler = std::function<void(std::string location)>;  // see net::FetchHandlers
  static std::shared_ptr<FetchBody> Fetch(net::Fetcher& fetcher, const net::FetchClient& client,
                                          ipc::HttpRequest request, HeadHandler on_head,
                                          std::shared_ptr<net::UploadBody> upload = nullptr,
                                          RedirectHandler on_redirect = {});

 private:
  void OnDelivered(std::size_t bytes) override;
  void OnCancel() override { fetch_.reset(); }
  void Receive(std::string_view data);

  std::unique_ptr<net::Fetch> fetch_;
  bool paused_ = false;
};

// A body that a worker process sends.
class ProcessBody final : public BodySource {
 public:
  // Null: the process misused the number.
  static std::shared_ptr<ProcessBody> Open(WorkerProcess& process, std::uint32_t stream);

 private:
  void OnDelivered(std::size_t bytes) override;
  void OnCancel() override;

  std::weak_ptr<WorkerProcess> process_;
  std::uint32_t stream_ = 0;
};

// Opens a body to the process that is fed from the source, and returns its number. The feeding starts from
// the loop, after the message that names the body was sent.
std::uint32_t PumpTo(WorkerProcess& process, std::shared_ptr<BodySource> source,
                     const boost::asio::any_io_executor& executor);
// Gives every piece to `take`, until one fails or the body ends; kUnavailable when it breaks off.
boost::asio::awaitable<Result<>> Drain(std::shared_ptr<BodySource> source,
                                       std::function<Result<>(std::string_view)> take,
                                       boost::asio::any_io_executor executor);
// The whole body; kTooLarge over the limit, kUnavailable when it breaks off.
boost::asio::awaitable<Result<std::string>> Collect(std::shared_ptr<BodySource> source, std::size_t max_bytes,
                                                    boost::asio::any_io_executor executor);

}  // namespace vigil::host
