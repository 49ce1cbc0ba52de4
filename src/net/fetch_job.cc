#include "net/fetch_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "net/data_url.h"
#include "net/integrity.h"
#include "net/referrer.h"

namespace vigil::net {
namespace {

// The rest of an unwanted response up to this size is read; beyond it the connection is given up.
constexpr std::size_t kMaxDrained = 64 * 1024;
// A body that must be checked as a whole has to fit into memory.
constexpr std::size_t kMaxCheckedBody = 64 * 1024 * 1024;

// Ports of other protocols (section 2.9).
bool IsBadPort(std::uint16_t port) {
  static constexpr std::array<std::uint16_t, 82> kBadPorts = {
      1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,   37,   42,   43,   53,
      69,   77,   79,   87,   95,   101,  102,  103,  104,  109,  110,  111,  113,  115,  117,  119,  123,
      135,  137,  139,  143,  161,  179,  389,  427,  465,  512,  513,  514,  515,  526,  530,  531,  532,
      540,  548,  554,  556,  563,  587,  601,  636,  989,  990,  993,  995,  1719, 1720, 1723, 2049, 3659,
      4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080};
  return std::binary_search(kBadPorts.begin(), kBadPorts.end(), port);
}

bool IsRedirectStatus(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool IsNullBodyStatus(int status) { return status == 204 || status == 205 || status == 304; }

}  // namespace

FetchJob::FetchJob(std::shared_ptr<FetchContext> context, FetchClient client, ipc::HttpRequest request,
                   FetchHandlers handlers)
    : context_(std::move(context)),
      client_(std::move(client)),
      request_(std::move(request)),
      handlers_(std::move(handlers)) {
  UpdateActive();
}

FetchJob::~FetchJob() {
  ended_ = true;
  UpdateActive();
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
  if (request_.has_body()) body_ = request_.body().inline_();
  ApplyHeaderRules();
  if (url_->scheme() == "data") return SchemeData();
  if (!context_->connectivity.current().online) {
    return NetworkError(ErrorCode::kUnavailable, "the network is offline");
  }
  if (request_.cache() == "only-if-cached") {
    return NetworkError(ErrorCode::kUnavailable, "nothing is cached (Vigil keeps no HTTP cache)");
  }
  MainFetch();
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
  if (!data || request_.mode() == "same-origin") {
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

void FetchJob::CorsFetch() {
  std::vector<std::string> unsafe = CorsUnsafeHeaderNames(headers_);
  if (IsCorsSafelistedMethod(method_) && unsafe.empty()) return NetworkFetch();
  const std::string key = fmt::format("{} {} {}", SerializedOrigin(), url_->HrefWithoutFragment(),
                                      request_.credentials() == "include");
  const auto cached = context_->preflights.find(key);
  if (cached != context_->preflights.end() && context_->Now() < cached->second.until &&
      PreflightProblem(cached->second.result, method_, unsafe).empty()) {
    return NetworkFetch();
  }
  Preflight(std::move(unsafe));
}

// CORS-preflight fetch (section 4.8).
void FetchJob::Preflight(std::vector<std::string> unsafe_headers) {
  HttpClientRequest request;
  request.method = "OPTIONS";
  request.url = url_->HrefWithoutFragment();
  request.headers.emplace_back("Accept", "*/*");
  request.headers.emplace_back("Access-Control-Request-Method", method_);
  if (!unsafe_headers.empty()) {
    request.headers.emplace_back("Access-Control-Request-Headers",
                                 fmt::format("{}", fmt::join(unsafe_headers, ",")));
  }
  request.headers.emplace_back("Origin", SerializedOrigin());
  if (const std::string referrer = Referrer(); !referrer.empty())
    request.headers.emplace_back("Referer", referrer);
  AddFetchMetadata(request.headers);
  Send(std::move(request), [this, unsafe_headers = std::move(unsafe_headers)](const HttpClientHead& head) {
    OnPreflightHead(head, unsafe_headers);
  });
}

void FetchJob::OnPreflightHead(const HttpClientHead& head, const std::vector<std::string>& unsafe_headers) {
  const bool with_credentials = request_.credentials() == "include";
  if (const std::string problem = CorsProblem(head.headers, SerializedOrigin(), with_credentials);
      !problem.empty()) {
    return NetworkError(ErrorCode::kPermissionDenied,
                        fmt::format("CORS: {} (preflight of {})", problem, url_->Href()));
  }
  if (head.status < 200 || head.status > 299) {
    return NetworkError(
        ErrorCode::kPermissionDenied,
        fmt::format("CORS: the preflight of {} was answered with status {}", url_->Href(), head.status));
  }
  PreflightResult result = ReadPreflight(head.headers, with_credentials);
  if (const std::string problem = PreflightProblem(result, method_, unsafe_headers); !problem.empty()) {
    return NetworkError(ErrorCode::kPermissionDenied, fmt::format("CORS: {} ({})", problem, url_->Href()));
  }
  context_->StorePreflight(
      fmt::format("{} {} {}", SerializedOrigin(), url_->HrefWithoutFragment(), with_credentials), result);
  DrainThen([this] { NetworkFetch(); });
}

// HTTP-network-or-cache fetch (section 4.6), without a cache.
void FetchJob::NetworkFetch() {
  HttpClientRequest request;
  request.method = method_;
  request.url = url_->HrefWithoutFragment();
  request.headers = RequestHeaders();
  request.body = body_;
  Send(std::move(request), [this](HttpClientHead head) { OnHead(std::move(head)); });
}

void FetchJob::Send(HttpClientRequest request, std::function<void(HttpClientHead)> on_head) {
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
  transfer_ = context_->http.Start(std::move(request), std::move(handlers));
}

// HTTP fetch (section 4.4), from the response on.
void FetchJob::OnHead(HttpClientHead head) {
  if (IncludesCredentials()) StoreCookies(head.headers);
  if (tainting_ == Tainting::kCors) {
    const std::string problem =
        CorsProblem(head.headers, SerializedOrigin(), request_.credentials() == "include");
    if (!problem.empty())
      return NetworkError(ErrorCode::kPermissionDenied, fmt::format("CORS: {} ({})", problem, url_->Href()));
  }
  if (const std::string problem = CrossOriginResourceProblem(head.headers); !problem.empty()) {
    return NetworkError(ErrorCode::kPermissionDenied, fmt::format("{} ({})", problem, url_->Href()));
  }
  bool found = false;
  const std::string location = CombinedValue(head.headers, "location", &found);
  if (!IsRedirectStatus(head.status)) return Deliver(std::move(head));
  if (request_.redirect() == "error") {
    return NetworkError(ErrorCode::kPermissionDenied,
                        fmt::format("{} redirects, which the request forbids", url_->Href()));
  }
  if (request_.redirect() == "manual") {
    ipc::HttpResponse response = Filtered(std::move(head));
    response.set_type(ipc::HttpResponse::OPAQUE_REDIRECT);
    response.set_status(0);
    response.clear_status_text();
    response.clear_headers();
    head_delivered_ = true;
    handlers_.on_head(std::move(response), false);
    if (!ended_) DrainThen([this] { Finish({}); });
    return;
  }
  if (!found) return Deliver(std::move(head));
  Redirect(head, location);
}

// HTTP-redirect fetch (section 4.5).
void FetchJob::Redirect(const HttpClientHead& head, const std::string& location) {
  Result<Url> next = Url::Parse(location, *url_);
  if (!next || !next->IsHttp()) {
    return NetworkError(
        ErrorCode::kUnavailable,
        fmt::format("{} redirects to \"{}\", which cannot be followed", url_->Href(), location));
  }
  if (!next->fragment()) next->SetFragment(url_->fragment());
  if (++redirects_ > context_->options.max_redirects) {
    return NetworkError(ErrorCode::kUnavailable,
                        fmt::format("{} redirects too often", url_list_.front().Href()));
  }
  const bool has_credentials = !next->username().empty() || !next->password().empty();
  if (has_credentials &&
      (tainting_ == Tainting::kCors || (request_.mode() == "cors" && next->Origin() != client_.origin))) {
    return NetworkError(ErrorCode::kPermissionDenied,
                        "CORS: a redirect must not carry a user name or password");
  }
  const bool becomes_get = (head.status == 303 && method_ != "GET" && method_ != "HEAD") ||
                           ((head.status == 301 || head.status == 302) && method_ == "POST");
  if (becomes_get) {
    method_ = "GET";
    body_.reset();
    for (const char* name : {"Content-Encoding", "Content-Language", "Content-Location", "Content-Type"}) {
      RemoveHeader(headers_, name);
    }
  }
  const bool leaves_origin = next->Origin() != url_->Origin();
  if (leaves_origin) RemoveHeader(headers_, "Authorization");
  if (leaves_origin && url_->Origin() != client_.origin) origin_is_tainted_ = true;
  if (!IsSameSite()) was_cross_site_ = true;
  const std::string policy = ReferrerPolicyFromHeader(CombinedValue(head.headers, "referrer-policy"));
  if (!policy.empty()) referrer_policy_ = policy;
  DrainThen([this, url = std::move(*next)] {
    url_ = url;
    url_list_.push_back(url);
    MainFetch();
  });
}

void FetchJob::DrainThen(std::function<void()> step) {
  drained_ = 0;
  next_step_ = std::move(step);
}

void FetchJob::RunNextStep() {
  transfer_.reset();
  const std::function<void()> step = std::exchange(next_step_, nullptr);
  step();
}

void FetchJob::OnData(std::string_view data) {
  if (next_step_) {
    drained_ += data.size();
    if (drained_ > kMaxDrained) RunNextStep();
  } else if (held_head_) {
    if (held_body_.size() + data.size() > kMaxCheckedBody) {
      return NetworkError(ErrorCode::kTooLarge, "the response is too large for an integrity check");
    }
    held_body_ += data;
  } else {
    handlers_.on_data(data);
  }
}

void FetchJob::OnTransferDone(const Result<>& result) {
  if (next_step_) return RunNextStep();
  if (!result && !head_delivered_) return NetworkError(result.error().code, result.error().message);
  if (!result) return Finish(result);
  if (!held_head_) return Finish({});
  held_is_complete_ = true;
  CheckIntegrity();
}

void FetchJob::Deliver(HttpClientHead head) {
  const bool hidden = tainting_ == Tainting::kOpaque && !client_.trusted;
  const bool has_body = !hidden && !IsNullBodyStatus(head.status) && method_ != "HEAD";
  if (HasIntegrityMetadata(request_.integrity())) {
    if (tainting_ == Tainting::kOpaque) {
      return NetworkError(ErrorCode::kPermissionDenied,
                          "the integrity of a no-cors response cannot be checked; use the mode cors");
    }
    held_head_ = Filtered(std::move(head));
    return;
  }
  head_delivered_ = true;
  if (hidden) DrainThen([this] { Finish({}); });
  if (paused_) transfer_->Pause();
  UpdateActive();
  handlers_.on_head(Filtered(std::move(head)), has_body);
}

void FetchJob::CheckIntegrity() {
  if (!MatchesIntegrity(held_body_, request_.integrity())) {
    held_head_.reset();
    return NetworkError(ErrorCode::kPermissionDenied,
                        fmt::format("the body of {} does not match the request's integrity", url_->Href()));
  }
  DeliverHeld();
}

void FetchJob::DeliverHeld() {
  if (!std::exchange(head_delivered_, true)) {
    handlers_.on_head(*held_head_,
                      method_ != "HEAD" && !IsNullBodyStatus(static_cast<int>(held_head_->status())));
    UpdateActive();
  }
  if (ended_ || paused_) return;
  const std::string body = std::exchange(held_body_, std::string());
  if (!body.empty()) handlers_.on_data(body);
  if (!ended_ && !paused_) Finish({});
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
  if (ended_ || url_->scheme() == "data") return;
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
