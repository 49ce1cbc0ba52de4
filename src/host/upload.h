// Request bodies on their way to a server: straight from the process that streams them, or by way of a file,
// from which they can be sent as often as it takes. Event-loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "host/body.h"
#include "net/http_client.h"

namespace vigil::host {

// Sent once, and never ahead of the server: holds no more than the source's initial credit.
std::shared_ptr<net::UploadBody> StreamUpload(std::shared_ptr<BodySource> source);

// A body in a file without a name: memory holds none of it, and it goes with its last user.
class Spool : public std::enable_shared_from_this<Spool> {
 public:
  // The bytes of all spools that use the same meter.
  struct Meter {
    std::uint64_t bytes = 0;
    std::uint64_t max_bytes = std::uint64_t{1} << 30;
  };
  // Reads the source to its end. kTooLarge over what the meter allows; kUnavailable when the source breaks
  // off.
  static boost::asio::awaitable<Result<std::shared_ptr<Spool>>> Fill(std::shared_ptr<BodySource> source,
                                                                     std::filesystem::path directory,
                                                                     std::shared_ptr<Meter> meter,
                                                                     boost::asio::any_io_executor executor);
  Spool(int fd, std::shared_ptr<Meter> meter) : fd_(fd), meter_(std::move(meter)) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  std::uint64_t size() const { return size_; }
  std::shared_ptr<net::UploadBody> AsUpload();

  // Bytes read, 0 at the end; negative when the disk fails.
  long Read(char* to, std::size_t size, std::uint64_t offset) const;

 private:
  Result<> Append(std::string_view data);

  int fd_;
  std::shared_ptr<Meter> meter_;
  std::uint64_t size_ = 0;
};

}  // namespace vigil::host
