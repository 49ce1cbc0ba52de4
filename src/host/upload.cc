#include "host/upload.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "base/nameless_file.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {

class StreamBody final : public net::UploadBody, public std::enable_shared_from_this<StreamBody> {
 public:
  explicit StreamBody(std::shared_ptr<BodySource> source) : source_(std::move(source)) {}
  ~StreamBody() override { source_->Cancel(); }
  StreamBody(const StreamBody&) = delete;
  StreamBody& operator=(const StreamBody&) = delete;

  void Start() {
    std::weak_ptr<StreamBody> weak = weak_from_this();
    source_->Start(
        [weak](std::string_view data) {
          auto self = weak.lock();
          if (!self) return;
          self->buffer_.append(data);
          self->Tell();
        },
        [weak](const std::string& error) {
          auto self = weak.lock();
          if (!self) return;
          self->ended_ = true;
          self->failed_ = !error.empty();
          self->Tell();
        });
  }

  std::optional<std::uint64_t> size() const override { return std::nullopt; }
  Piece Read(char* to, std::size_t size, std::function<void()> ready) override {
    Piece piece;
    piece.bytes = std::min(size, buffer_.size());
    std::memcpy(to, buffer_.data(), piece.bytes);
    buffer_.erase(0, piece.bytes);
    touched_ = touched_ || piece.bytes > 0;
    piece.end = piece.bytes == 0 && ended_ && !failed_;
    piece.failed = piece.bytes == 0 && failed_;
    if (piece.bytes > 0) {
      source_->Grant(static_cast<std::uint32_t>(piece.bytes));
    } else if (!ended_) {
      ready_ = std::move(ready);
    }
    return piece;
  }
  bool Rewind() override { return !touched_; }

 private:
  void Tell() {
    if (auto ready = std::exchange(ready_, nullptr)) ready();
  }

  std::shared_ptr<BodySource> source_;
  std::string buffer_;
  std::function<void()> ready_;
  bool ended_ = false, failed_ = false, touched_ = false;
};

class SpoolUpload final : public net::UploadBody {
 public:
  explicit SpoolUpload(std::shared_ptr<Spool> spool) : spool_(std::move(spool)) {}
  std::optional<std::uint64_t> size() const override { return spool_->size(); }
  Piece Read(char* to, std::size_t size, std::function<void()>) override {
    long n = spool_->Read(to, size, offset_);
    Piece piece;
    piece.failed = n < 0;
    piece.end = n == 0;
    piece.bytes = static_cast<std::size_t>(std::max(n, 0L));
    offset_ += piece.bytes;
    return piece;
  }
  bool Rewind() override {
    offset_ = 0;
    return true;
  }

 private:
  std::shared_ptr<Spool> spool_;
  std::uint64_t offset_ = 0;
};

}  // namespace

std::shared_ptr<net::UploadBody> StreamUpload(std::shared_ptr<BodySource> source) {
  auto body = std::make_shared<StreamBody>(std::move(source));
  body->Start();
  return body;
}

Spool::~Spool() {
  meter_->bytes -= size_;
  ::close(fd_);
}

std::shared_ptr<net::UploadBody> Spool::AsUpload() {
  return std::make_shared<SpoolUpload>(shared_from_this());
}

long Spool::Read(char* to, std::size_t size, std::uint64_t offset) const {
  return ::pread(fd_, to, size, static_cast<off_t>(offset));
}

Result<> Spool::Append(std::string_view data) {
  if (meter_->bytes + data.size() > meter_->max_bytes) {
    return Fail(
        ErrorCode::kTooLarge,
        fmt::format("bodies under way take more than {} MiB; send fewer at a time", meter_->max_bytes >> 20));
  }
  while (!data.empty()) {
    ssize_t n = ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(size_));
    if (n <= 0) return Fail(ErrorCode::kIo, fmt::format("cannot be kept: {}", std::strerror(errno)));
    size_ += static_cast<std::uint64_t>(n);
    meter_->bytes += static_cast<std::uint64_t>(n);
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

asio::awaitable<Result<std::shared_ptr<Spool>>> Spool::Fill(std::shared_ptr<BodySource> source,
                                                            std::filesystem::path directory,
                                                            std::shared_ptr<Meter> meter,
                                                            asio::any_io_executor executor) {
  int fd = OpenNamelessFile(directory);
  if (fd < 0) {
    source->Cancel();
    co_return Fail(ErrorCode::kIo,
                   fmt::format("cannot be kept in {}: {}", directory.string(), std::strerror(errno)));
  }
  auto spool = std::make_shared<Spool>(fd, std::move(meter));
  std::function<Result<>(std::string_view)> take = [spool](std::string_view data) {
    return spool->Append(data);
  };
  auto result = co_await Drain(std::move(source), std::move(take), executor);
  if (!result) co_return Fail(result.error());
  co_return spool;
}

}  // namespace vigil::host
