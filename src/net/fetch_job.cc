#include "net/fetch_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/bad_port.h"
#include "net/data_url.h"
#include "net/decoding_transfer.h"

namespace vigil::net {
namespace {

constexpr std::uint64_t kMaxKeepaliveBytes = 64 * 1024;

}  // namespace

FetchJob::FetchJob(std::shared_ptr<FetchContext> context, FetchClient client, ipc::HttpRequest request,
                   std::shared_ptr<UploadBody> upload, FetchHandlers handlers)
    : context_(std::move(context)),
      client_(std::move(client)),
      request_(std::move(request)),
      upload_(std::move(upload)),
      handlers_(std::move(handlers)) {
  UpdateActive();
}

FetchJob::~FetchJob() {
  ended_ = true;
  UpdateActive();
  ReleaseKeepalive();
}

void FetchJob::Begin() {
  if (ended_ || context_->closed) return;
  const auto self = shared_from_this();
  Prepare();
}

// The beginning of "fetch" (section 4) and "main fetch" (4.1) up to its switch.
void FetchJob::Prepare() {
  Result<Url> url = Url::Parse(request_.url());
  if (!url) return NetworkError(ErrorCode::kInvalidArgument, url.error().message);
  url_ = std::move(*url);
  url_list_.push_back(*url_);
  if (const Result<Url> own = Url::Parse(client_.origin); own && own->IsHttp()) client_url_ = *own;
  method_ = NormalizedMethod(request_.method().empty() ? "GET" : request_.method());
  if (!IsToken(method_) || IsForbiddenMethod(method_)) {
    return NetworkError(ErrorCode::kInvalidArgument, fmt::format("the method {} cannot be used", method_));
  }
  if (request_.mode().empty()) request_.set_mode("cors");
  if (request_.credentials().empty()) request_.set_credentials("same-origin");
  if (request_.redirect().empty()) request_.set_redirect("follow");
  if (!client_.trusted && IsNavigation()) {
    return NetworkError(ErrorCode::kInvalidArgument, "a script cannot make a request of mode navigate");
  }
  if (request_.mode() == "no-cors" && !IsCorsSafelistedMethod(method_)) {
    return NetworkError(ErrorCode::kInvalidArgument,
                        fmt::format("the method {} needs the mode cors", method_));
  }
  referrer_policy_ =
      request_.referrer_policy().empty() ? client_.referrer_policy : request_.referrer_policy();
  if (request_.has_body() && !upload_) body_ = request_.body().inline_();
  if (!CountKeepalive()) {
    return NetworkError(ErrorCode::kTooLarge,
                        fmt::format("keepalive requests of {} may carry {} bytes altogether", client_.origin,
                                    kMaxKeepaliveBytes));
  }
  ApplyHeaderRules();
  if (url_->scheme() == "data") {
    if (PassesPolicy()) SchemeData();
    return;
  }
  if (!context_->connectivity.current().online) {
    return NetworkError(ErrorCode::kUnavailable, "the network is offline");
  }
  MainFetch();
}

// Main fetch, step 7, for each URL on the way. False: the fetch has failed.
bool FetchJob::PassesPolicy() {
  const bool redirected = url_list_.size() > 1;
  if (!IsBlockedByPolicy(client_, request_.destination(), *url_, url_list_.front(), redirected)) return true;
  NetworkError(ErrorCode::kPermissionDenied,
               "refused because it violates the script's Content Security Policy");
  return false;
}

// Section 4.6, step 8.10: bodies that may outlive their client are small.
bool FetchJob::CountKeepalive() {
  if (!request_.keepalive()) return true;
  const std::uint64_t bytes = body_ ? body_->size() : upload_ ? upload_->size().value_or(UINT64_MAX) : 0;
  if (bytes > kMaxKeepaliveBytes) return false;
  keepalive_bytes_ = bytes;
  return context_->CountKeepalive(client_.origin, static_cast<std::int64_t>(bytes)) <= kMaxKeepaliveBytes;
}

void FetchJob::ReleaseKeepalive() {
  const auto bytes = static_cast<std::int64_t>(std::exchange(keepalive_bytes_, 0));
  if (bytes > 0) context_->CountKeepalive(client_.origin, -bytes);
}

void FetchJob::ApplyHeaderRules() {
  for (const ipc::HttpHeader& header : request_.headers()) {
    if (!client_.trusted && IsForbiddenRequestHeader(header.name(), header.value())) continue;
    if (request_.mode() == "no-cors" && !client_.trusted &&
        !IsNoCorsSafelistedHeader(header.name(), header.value()))
      continue;
    headers_.emplace_back(header.name(), Utf8ToIsomorphic(header.value()));
  }
}

void FetchJob::SchemeData() {
  std::optional<DataUrl> data = ParseDataUrl(*url_);
  if (!data) {
    return NetworkError(ErrorCode::kInvalidArgument, "the data: URL cannot be fetched");
  }
  HttpClientHead head;
  head.status = 200;
  head.status_text = "OK";
  head.headers.emplace_back("Content-Type", data->mime_type);
  held_head_ = Filtered(std::move(head));
  held_body_ = std::move(data->body);
  held_is_complete_ = true;
  CheckIntegrity();
}

// Main fetch, the switch on the request's URL and mode. Also entered for each redirect.
void FetchJob::MainFetch() {
  if (!PassesPolicy()) return;
  if (const std::optional<std::string> why = WhyNotAllowed(*url_))
    return NetworkError(ErrorCode::kPermissionDenied, *why);
  if (IsBadPort(url_->EffectivePort())) {
    return NetworkError(ErrorCode::kPermissionDenied,
                        fmt::format("port {} is reserved for another protocol", url_->EffectivePort()));
  }
  const bool same_origin = url_->Origin() == client_.origin;
  if ((same_origin && tainting_ == Tainting::kBasic) || IsNavigation()) return NetworkFetch();
  if (request_.mode() == "same-origin") {
    return NetworkError(ErrorCode::kPermissionDenied,
                        fmt::format("{} is not of the origin {}, which the mode same-origin asks for",
                                    url_->Href(), client_.origin));
  }
  if (request_.mode() == "no-cors") {
    if (request_.redirect() != "follow") {
      return NetworkError(ErrorCode::kInvalidArgument,
                          "a no-cors request to another origin must follow redirects");
    }
    tainting_ = Tainting::kOpaque;
    return NetworkFetch();
  }
  tainting_ = Tainting::kCors;
  CorsFetch();
}

// Towards the network, through the cache (section 4.6).
void FetchJob::NetworkFetch(bool fresh_connection) {
  HttpClientRequest request;
  request.method = method_;
  request.url = url_->HrefWithoutFragment();
  request.headers = RequestHeaders();
  request.body = body_;
  request.upload = upload_;
  request.fresh_connection = fresh_connection;
  Send(std::move(request), ParseCacheMode(request_.cache()),
       [this](HttpClientHead head) { OnHead(std::move(head)); });
}

void FetchJob::Send(HttpClientRequest request, CacheMode mode, std::function<void(HttpClientHead)> on_head) {
  if (!client_.trusted) request.party = client_.origin;
  const std::weak_ptr<FetchJob> weak = weak_from_this();
  HttpClientHandlers handlers;
  handlers.on_head = [weak, on_head = std::move(on_head)](HttpClientHead head) {
    if (const auto self = weak.lock(); self && !self->ended_) on_head(std::move(head));
  };
  handlers.on_data = [weak](std::string_view data) {
    if (const auto self = weak.lock(); self && !self->ended_) self->OnData(data);
  };
  handlers.on_done = [weak](const Result<>& result) {
    if (const auto self = weak.lock(); self && !self->ended_) self->OnTransferDone(result);
  };
  if (context_->closed) return;
  const auto start = [&](HttpClientHandlers raw) {
    return context_->cache.Start(std::move(request), JarName(), mode, std::move(raw));
  };
  transfer_ = StartDecoding(context_->executor, start, std::move(handlers));
}

void FetchJob::NetworkError(ErrorCode code, std::string why) {
  transfer_.reset();
  next_step_ = nullptr;
  ipc::HttpResponse response;
  response.set_type(ipc::HttpResponse::ERROR);
  response.set_error(why);
  head_delivered_ = true;
  const std::function<void(ipc::HttpResponse, bool)> on_head = handlers_.on_head;
  if (on_head) on_head(std::move(response), false);
  Finish(vigil::Fail(code, std::move(why)));
}

void FetchJob::Finish(Result<> result) {
  if (std::exchange(ended_, true)) return;
  transfer_.reset();
  ReleaseKeepalive();
  const auto self = shared_from_this();
  const FetchHandlers handlers = std::move(handlers_);
  if (handlers.on_done) handlers.on_done(std::move(result));
  // Only now: whoever hears that all is idle must find the outcome delivered.
  UpdateActive();
}

void FetchJob::Pause() {
  paused_ = true;
  // Before the head there is nothing that would have to wait; it is seen to when the head is there.
  if (transfer_ && head_delivered_ && !next_step_) transfer_->Pause();
  UpdateActive();
}

void FetchJob::Resume() {
  if (!std::exchange(paused_, false) || ended_) return;
  if (transfer_) transfer_->Resume();
  UpdateActive();
  if (held_is_complete_ && head_delivered_) {
    context_->Post([weak = weak_from_this()] {
      if (const auto self = weak.lock(); self && !self->ended_) self->DeliverHeld();
    });
  }
}

void FetchJob::Cancel() {
  ended_ = true;
  transfer_.reset();
  UpdateActive();
}

void FetchJob::BreakOff() {
  // One that has not begun yet has no URL, and finds out by itself.
  if (ended_ || !url_ || url_->scheme() == "data") return;
  const auto self = shared_from_this();
  const char* why = "the network went away";
  if (head_delivered_) return Finish(vigil::Fail(ErrorCode::kUnavailable, why));
  NetworkError(ErrorCode::kUnavailable, why);
}

void FetchJob::UpdateActive() {
  const bool active = !ended_ && !(paused_ && head_delivered_);
  if (std::exchange(active_, active) != active) context_->CountActive(active ? 1 : -1);
}

}  // namespace vigil::net
