#include "net/http_client.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <deque>
#include <map>
#include <utility>

#include "net/curl_loop.h"
#include "net/http_transfer.h"

namespace vigil::net {

namespace {

// Ended transfers are swept out of the list when it has grown this long.
constexpr std::size_t kPruneAt = 64;

}  // namespace

class HttpClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::any_io_executor executor, HttpClientOptions options)
      : executor_(std::move(executor)), options_(std::move(options)) {}

  std::shared_ptr<HttpTransfer> Start(HttpClientRequest request, HttpClientHandlers handlers) {
    if (transfers_.size() >= prune_at_)
      prune_at_ = std::max<std::size_t>(kPruneAt, 2 * static_cast<std::size_t>(Running()));
    const std::string party = request.party;
    auto transfer =
        std::make_shared<HttpTransfer>(std::move(request), std::move(handlers), shared_,
                                       [weak = weak_from_this()](std::shared_ptr<HttpTransfer> changed) {
                                         if (const auto self = weak.lock())
                                           self->AddPending(std::move(changed));
                                       });
    transfers_.push_back(transfer);
    if (party.empty() || options_.max_requests_per_party == 0) {
      Begin(*transfer, nullptr);
    } else {
      parties_[party].waiting.push_back(transfer);
      GiveTurns(party);
    }
    return transfer;
  }

  int Running() {
    std::erase_if(transfers_, [](const std::weak_ptr<HttpTransfer>& weak) {
      const auto transfer = weak.lock();
      return !transfer || transfer->ended();
    });
    return static_cast<int>(transfers_.size());
  }

  // The old loop lives on as long as one of its transfers does; its idle connections close with it.
  void ForgetConnections() {
    Running();
    loop_.reset();
  }

  void Shutdown() {
    for (const std::weak_ptr<HttpTransfer>& weak : transfers_) {
      if (const auto transfer = weak.lock()) transfer->Cancel();
    }
    transfers_.clear();
    pending_.clear();
    loop_.reset();
  }

 private:
  struct Party {
    std::size_t running = 0;
    std::deque<std::weak_ptr<HttpTransfer>> waiting;
  };

  void Begin(HttpTransfer& transfer, std::shared_ptr<void> turn) {
    if (!loop_) MakeLoop();
    transfer.Start(options_, loop_, std::move(turn));
  }

  void GiveTurns(const std::string& name) {
    Party& party = parties_[name];
    while (party.running < options_.max_requests_per_party && !party.waiting.empty()) {
      const auto transfer = party.waiting.front().lock();
      party.waiting.pop_front();
      if (!transfer || transfer->ended()) continue;
      ++party.running;
      Begin(*transfer, Turn(name));
    }
    if (party.running == 0) parties_.erase(name);
  }

  // Whoever lets it go may be inside libcurl, where no transfer can be started.
  std::shared_ptr<void> Turn(const std::string& name) {
    return {this, [weak = weak_from_this(), name](void*) {
              const auto self = weak.lock();
              if (!self) return;
              --self->parties_[name].running;
              boost::asio::post(self->executor_, [weak, name] {
                if (const auto still = weak.lock()) still->GiveTurns(name);
              });
            }};
  }

  void MakeLoop() {
    loop_ = std::make_shared<CurlLoop>(
        executor_, options_.max_connections_per_host,
        [](CURL* easy, int code) {
          HttpTransfer* transfer = nullptr;
          curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
          transfer->Finish(code);
        },
        [weak = weak_from_this()] {
          if (const auto self = weak.lock()) self->DeliverPending();
        });
  }

  // Usually inside libcurl, where nothing may be delivered; the loop calls DeliverPending right after. What
  // comes from elsewhere (Resume, a request that cannot even start) is delivered by the posted call.
  void AddPending(std::shared_ptr<HttpTransfer> transfer) {
    pending_.push_back(std::move(transfer));
    if (std::exchange(posted_, true)) return;
    boost::asio::post(executor_, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->posted_ = false;
      self->DeliverPending();
    });
  }

  // Not from within itself: a handler's transfer that goes on at once waits for its turn in the outer loop.
  void DeliverPending() {
    if (delivering_) return;
    delivering_ = true;
    while (!pending_.empty()) {
      const std::vector<std::shared_ptr<HttpTransfer>> batch = std::exchange(pending_, {});
      for (const auto& transfer : batch) transfer->Deliver();
    }
    delivering_ = false;
  }

  boost::asio::any_io_executor executor_;
  HttpClientOptions options_;
  std::shared_ptr<CurlLoop> loop_;
  std::shared_ptr<HttpSharedState> shared_ = std::make_shared<HttpSharedState>();
  std::vector<std::weak_ptr<HttpTransfer>> transfers_;
  std::vector<std::shared_ptr<HttpTransfer>> pending_;
  std::map<std::string, Party> parties_;
  std::size_t prune_at_ = kPruneAt;
  bool posted_ = false;
  bool delivering_ = false;
};

namespace {

class TransferHandle : public HttpClient::Transfer {
 public:
  explicit TransferHandle(std::shared_ptr<HttpTransfer> transfer) : transfer_(std::move(transfer)) {}
  ~TransferHandle() override { transfer_->Cancel(); }
  void Pause() override { transfer_->Pause(); }
  void Resume() override { transfer_->Resume(); }

 private:
  std::shared_ptr<HttpTransfer> transfer_;
};

}  // namespace

HttpClient::HttpClient(boost::asio::any_io_executor executor, HttpClientOptions options)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(options))) {}

HttpClient::~HttpClient() { impl_->Shutdown(); }

std::unique_ptr<HttpClient::Transfer> HttpClient::Start(HttpClientRequest request,
                                                        HttpClientHandlers handlers) {
  return std::make_unique<TransferHandle>(impl_->Start(std::move(request), std::move(handlers)));
}

int HttpClient::Running() const { return impl_->Running(); }

void HttpClient::ForgetConnections() { impl_->ForgetConnections(); }

}  // namespace vigil::net
