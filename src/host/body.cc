#include "host/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "host/waiter.h"

namespace vigil::host {
namespace asio = boost::asio;

void BodySource::Start(DataHandler data, DoneHandler done) {
  data_ = std::move(data);
  done_ = std::move(done);
  started_ = true;
  Flush();
}

void BodySource::Grant(std::uint32_t bytes) {
  credit_ += bytes;
  Flush();
}

void BodySource::Cancel() {
  if (over_) return;
  auto keep = shared_from_this();
  over_ = true;
  data_ = nullptr;
  done_ = nullptr;
  OnCancel();
}

void BodySource::Push(std::string_view data) {
  if (over_ || ended_) return;
  buffer_.append(data);
  Flush();
}

void BodySource::End(std::string error) {
  if (over_ || ended_) return;
  ended_ = true;
  error_ = std::move(error);
  Flush();
}

void BodySource::Flush() {
  auto keep = shared_from_this();
  while (started_ && !over_ && credit_ > 0 && buffered() > 0) {
    std::size_t n = std::min(credit_, buffered());
    credit_ -= n;
    std::string chunk = buffer_.substr(offset_, n);
    offset_ += n;
    if (offset_ == buffer_.size()) {
      buffer_.clear();
      offset_ = 0;
    }
    auto data = data_;
    data(chunk);
    if (!over_) OnDelivered(n);
  }
  if (started_ && !over_ && ended_ && buffered() == 0) {
    over_ = true;
    auto done = std::exchange(done_, nullptr);
    data_ = nullptr;
    done(error_);
  }
}

std::shared_ptr<FetchBody> FetchBody::Fetch(net::Fetcher& fetcher, const net::FetchClient& client,
                                            ipc::HttpRequest request, HeadHandler on_head,
                                            std::shared_ptr<net::UploadBody> upload,
                                            RedirectHandler on_redirect) {
  auto body = std::make_shared<FetchBody>();
  std::weak_ptr<FetchBody> weak = body;
  net::FetchHandlers handlers;
  handlers.on_head = [weak, on_head = std::move(on_head)](ipc::HttpResponse head, bool has_body) {
    if (auto self = weak.lock()) on_head(std::move(head), has_body ? self : nullptr);
  };
  handlers.on_data = [weak](std::string_view data) {
    if (auto self = weak.lock()) self->Receive(data);
  };
  handlers.on_done = [weak](Result<> result) {
    if (auto self = weak.lock()) self->End(result ? std::string() : result.error().message);
  };
  handlers.on_redirect = std::move(on_redirect);
  body->fetch_ = fetcher.Start(client, std::move(request), std::move(handlers), std::move(upload));
  return body;
}

void FetchBody::Receive(std::string_view data) {
  Push(data);
  if (buffered() > 0 && fetch_ && !paused_) {
    paused_ = true;
    fetch_->Pause();
  }
}

void FetchBody::OnDelivered(std::size_t) {
  if (paused_ && buffered() == 0 && fetch_) {
    paused_ = false;
    fetch_->Resume();
  }
}

std::shared_ptr<ProcessBody> ProcessBody::Open(WorkerProcess& process, std::uint32_t stream) {
  auto body = std::make_shared<ProcessBody>();
  body->process_ = process.weak_from_this();
  body->stream_ = stream;
  std::weak_ptr<BodySource> weak = body;
  bool opened = process.ReceiveBody(stream, [weak](std::string data, bool fin, std::string error) {
    auto self = std::static_pointer_cast<ProcessBody>(weak.lock());
    if (!self) return;
    if (!data.empty()) self->Push(data);
    if (fin) self->End(std::move(error));
  });
  if (!opened) return nullptr;
  return body;
}

// Credit comes back to the process as its bytes are taken, so that what is buffered here stays below the
// initial credit.
void ProcessBody::OnDelivered(std::size_t bytes) {
  if (auto process = process_.lock()) process->GrantCredit(stream_, static_cast<std::uint32_t>(bytes));
}

void ProcessBody::OnCancel() {
  if (auto process = process_.lock()) process->CancelReceive(stream_);
}

std::uint32_t PumpTo(WorkerProcess& process, std::shared_ptr<BodySource> source,
                     const asio::any_io_executor& executor) {
  WorkerProcess::BodyHandlers handlers;
  handlers.on_credit = [source](std::uint32_t bytes) { source->Grant(bytes); };
  handlers.on_cancel = [source] { source->Cancel(); };
  std::uint32_t stream = process.OpenBody(std::move(handlers));
  std::weak_ptr<WorkerProcess> weak = process.weak_from_this();
  asio::post(executor, [weak, source, stream] {
    source->Start(
        [weak, stream](std::string_view data) {
          if (auto target = weak.lock()) target->SendChunk(stream, data, false, {});
        },
        [weak, stream](const std::string& error) {
          if (auto target = weak.lock()) target->SendChunk(stream, {}, true, error);
        });
  });
  return stream;
}

asio::awaitable<Result<>> Drain(std::shared_ptr<BodySource> source,
                                std::function<Result<>(std::string_view)> take,
                                asio::any_io_executor executor) {
  Waiter<Result<>> finished(executor);
  std::weak_ptr<BodySource> weak = source;
  source->Start(
      [weak, take = std::move(take), finished](std::string_view data) {
        auto self = weak.lock();
        if (!self) return;
        if (auto taken = take(data); !taken) {
          finished.Set(Fail(taken.error()));
          self->Cancel();
          return;
        }
        self->Grant(static_cast<std::uint32_t>(data.size()));
      },
      [finished](const std::string& error) {
        if (error.empty()) {
          finished.Set(Result<>());
        } else {
          finished.Set(Fail(ErrorCode::kUnavailable, error));
        }
      });
  co_return co_await finished.Get();
}

asio::awaitable<Result<std::string>> Collect(std::shared_ptr<BodySource> source, std::size_t max_bytes,
                                             asio::any_io_executor executor) {
  auto bytes = std::make_shared<std::string>();
  std::function<Result<>(std::string_view)> take = [bytes, max_bytes](std::string_view data) -> Result<> {
    bytes->append(data);
    if (bytes->size() <= max_bytes) return {};
    return Fail(ErrorCode::kTooLarge, fmt::format("the body is larger than {} bytes", max_bytes));
  };
  auto result = co_await Drain(std::move(source), std::move(take), executor);
  if (!result) co_return Fail(result.error());
  co_return std::move(*bytes);
}

}  // namespace vigil::host
