#include "net/fetcher.h"

#include <algorithm>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "net/fetch_context.h"
#include "net/fetch_job.h"

namespace vigil::net {
namespace {

constexpr std::size_t kMaxPreflights = 1000;
constexpr std::size_t kPruneAt = 64;

class FetchHandle : public Fetch {
 public:
  explicit FetchHandle(std::shared_ptr<FetchJob> job) : job_(std::move(job)) {}
  ~FetchHandle() override { job_->Cancel(); }
  void Pause() override { job_->Pause(); }
  void Resume() override { job_->Resume(); }

 private:
  std::shared_ptr<FetchJob> job_;
};

}  // namespace

CookieJar& FetchContext::JarOf(const std::string& origin) {
  const auto found = jars.find(origin);
  if (found != jars.end()) return found->second;
  CookieJar& jar = jars[origin];
  jar.OnChange([this, origin](const Cookie& cookie, bool removed) {
    if (cookie_changed) cookie_changed(origin, cookie, removed);
  });
  jar.Observe([this, origin](const Cookie& cookie, bool removed) {
    if (cookie_observed) cookie_observed(origin, cookie, removed);
  });
  return jar;
}

WallTime FetchContext::Now() const {
  if (options.wall_now) return options.wall_now();
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

void FetchContext::Post(std::function<void()> work) { boost::asio::post(executor, std::move(work)); }

void FetchContext::StorePreflight(const std::string& key, const PreflightResult& result) {
  const WallTime now = Now();
  if (preflights.size() >= kMaxPreflights)
    std::erase_if(preflights, [&](const auto& entry) { return entry.second.until <= now; });
  if (preflights.size() >= kMaxPreflights) preflights.clear();
  preflights[key] = CachedPreflight{result, now + std::chrono::seconds(result.max_age_seconds)};
}

std::uint64_t FetchContext::CountKeepalive(const std::string& origin, std::int64_t change) {
  const auto entry = keepalive_bytes.try_emplace(origin).first;
  entry->second += static_cast<std::uint64_t>(change);
  const std::uint64_t bytes = entry->second;
  if (bytes == 0) keepalive_bytes.erase(entry);
  return bytes;
}

void FetchContext::CountActive(int by) {
  active += by;
  if (active == 0 && idle) idle();
}

class Fetcher::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::any_io_executor executor, HttpClient& http, ConnectivityObserver& connectivity,
       FetcherOptions options)
      : context_(std::make_shared<FetchContext>(std::move(executor), http, connectivity, std::move(options))),
        last_(connectivity.current()) {
    subscription_ = connectivity.OnChange([this](const NetworkState& state) { OnNetwork(state); });
  }

  std::unique_ptr<Fetch> Start(const FetchClient& client, ipc::HttpRequest request,
                               std::shared_ptr<UploadBody> upload, FetchHandlers handlers) {
    auto job = std::make_shared<FetchJob>(context_, client, std::move(request), std::move(upload),
                                          std::move(handlers));
    if (jobs_.size() >= prune_at_) Prune();
    jobs_.push_back(job);
    context_->Post([weak = std::weak_ptr<FetchJob>(job)] {
      if (const auto started = weak.lock()) started->Begin();
    });
    return std::make_unique<FetchHandle>(std::move(job));
  }

  FetchContext& context() { return *context_; }

 private:
  void OnNetwork(const NetworkState& state) {
    const NetworkState before = std::exchange(last_, state);
    if (!state.online) {
      const auto self = shared_from_this();
      for (const std::weak_ptr<FetchJob>& weak : std::vector<std::weak_ptr<FetchJob>>(jobs_)) {
        if (const auto job = weak.lock()) job->BreakOff();
      }
    } else if (!before.online || before.interface_name != state.interface_name) {
      // What was connected through another network leads nowhere now, and would only be found out by waiting.
      context_->http.ForgetConnections();
    }
  }

  void Prune() {
    std::erase_if(jobs_, [](const std::weak_ptr<FetchJob>& weak) { return weak.expired(); });
    prune_at_ = std::max(kPruneAt, 2 * jobs_.size());
  }

  std::shared_ptr<FetchContext> context_;
  NetworkState last_;
  ConnectivityObserver::Subscription subscription_;
  std::vector<std::weak_ptr<FetchJob>> jobs_;
  std::size_t prune_at_ = kPruneAt;
};

Fetcher::Fetcher(boost::asio::any_io_executor executor, HttpClient& http, ConnectivityObserver& connectivity,
                 FetcherOptions options)
    : impl_(std::make_shared<Impl>(std::move(executor), http, connectivity, std::move(options))) {}

Fetcher::~Fetcher() {
  impl_->context().closed = true;
  if (const auto& cache = impl_->context().options.cache) cache->Close();
}

std::unique_ptr<Fetch> Fetcher::Start(const FetchClient& client, ipc::HttpRequest request,
                                      FetchHandlers handlers, std::shared_ptr<UploadBody> upload) {
  return impl_->Start(client, std::move(request), std::move(upload), std::move(handlers));
}

int Fetcher::Running() const { return impl_->context().active; }

void Fetcher::OnIdle(std::function<void()> idle) { impl_->context().idle = std::move(idle); }

CookieJar& Fetcher::JarOf(const std::string& origin) { return impl_->context().JarOf(origin); }

void Fetcher::ObserveCookies(
    std::function<void(const std::string& jar, const Cookie&, bool removed)> observer) {
  impl_->context().cookie_observed = std::move(observer);
}

void Fetcher::OnCookieChange(
    std::function<void(const std::string& jar, const Cookie&, bool removed)> changed) {
  impl_->context().cookie_changed = std::move(changed);
}

void Fetcher::ClearOrigin(const std::string& origin) {
  impl_->context().jars.erase(origin);
  impl_->context().cache.Clear(origin);
  std::erase_if(impl_->context().preflights,
                [&](const auto& entry) { return entry.first.starts_with(origin + " "); });
}

namespace {

// One FetchAll: collects, completes once, and is broken off by the coroutine's cancellation.
template <class Handler>
class Collector : public std::enable_shared_from_this<Collector<Handler>> {
 public:
  Collector(boost::asio::any_io_executor executor, Handler handler, std::size_t max_bytes)
      : executor_(std::move(executor)), handler_(std::move(handler)), max_bytes_(max_bytes) {}

  void Start(Fetcher& fetcher, const FetchClient& client, ipc::HttpRequest request) {
    const auto self = this->shared_from_this();
    FetchHandlers handlers;
    handlers.on_head = [self](ipc::HttpResponse head, bool) { self->response_.head = std::move(head); };
    handlers.on_data = [self](std::string_view data) { self->Take(data); };
    handlers.on_done = [self](Result<> result) {
      if (!result) return self->Complete(Fail(result.error()));
      self->Complete(std::move(self->response_));
    };
    auto slot = boost::asio::get_associated_cancellation_slot(*handler_);
    if (slot.is_connected()) {
      slot.assign([weak = std::weak_ptr<Collector>(self)](boost::asio::cancellation_type) {
        if (const auto alive = weak.lock())
          alive->Complete(Fail(ErrorCode::kAborted, "the request was cancelled"));
      });
    }
    fetch_ = fetcher.Start(client, std::move(request), std::move(handlers));
  }

 private:
  void Take(std::string_view data) {
    if (response_.body.size() + data.size() > max_bytes_) {
      return Complete(
          Fail(ErrorCode::kTooLarge, "the response is larger than it may be; serve a smaller file"));
    }
    response_.body += data;
  }

  // Posted: the coroutine must not go on inside a handler of the fetch that it may destroy. Dropping the
  // fetch breaks the circle between it and this object.
  void Complete(Result<FetchedResponse> result) {
    if (!handler_) return;
    boost::asio::get_associated_cancellation_slot(*handler_).clear();
    auto handler = std::make_shared<Handler>(std::move(*handler_));
    handler_.reset();
    auto keep = this->shared_from_this();
    auto shared = std::make_shared<Result<FetchedResponse>>(std::move(result));
    boost::asio::post(executor_, [keep, handler, shared] {
      keep->fetch_.reset();
      std::move (*handler)(std::move(*shared));
    });
  }

  boost::asio::any_io_executor executor_;
  std::optional<Handler> handler_;
  std::size_t max_bytes_;
  FetchedResponse response_;
  std::unique_ptr<Fetch> fetch_;
};

}  // namespace

boost::asio::awaitable<Result<FetchedResponse>> Fetcher::FetchAll(FetchClient client,
                                                                  ipc::HttpRequest request,
                                                                  std::size_t max_bytes) {
  auto start = [this, &client, &request, max_bytes](auto handler) {
    using Handler = std::decay_t<decltype(handler)>;
    auto collector =
        std::make_shared<Collector<Handler>>(impl_->context().executor, std::move(handler), max_bytes);
    collector->Start(*this, client, std::move(request));
  };
  Result<FetchedResponse> result =
      co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                           void(Result<FetchedResponse>)>(start, boost::asio::use_awaitable);
  co_return result;
}

bool IsBlockedByPolicy(const FetchClient& client, std::string_view destination, const Url& url,
                       const Url& first_url, bool redirected) {
  if (!client.policies) return false;
  const auto violations = client.policies->CheckRequest(destination, url, first_url, redirected);
  for (const CspViolation& violation : violations) {
    if (client.on_violation) client.on_violation(violation);
  }
  return IsBlocked(violations);
}

std::string HeaderValue(const ipc::HttpResponse& response, std::string_view name) {
  for (const ipc::HttpHeader& header : response.headers()) {
    if (SameName(header.name(), name)) return header.value();
  }
  return "";
}

std::optional<std::string> CombinedHeader(const ipc::HttpResponse& response, std::string_view name) {
  std::optional<std::string> combined;
  for (const ipc::HttpHeader& header : response.headers()) {
    if (!SameName(header.name(), name)) continue;
    combined = combined ? *combined + ", " + header.value() : header.value();
  }
  return combined;
}

}  // namespace vigil::net
