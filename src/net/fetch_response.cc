// FetchJob from the response's head on: checks, redirects, integrity, delivery.
#include <fmt/format.h>

#include <utility>

#include "net/fetch_job.h"
#include "net/integrity.h"
#include "net/referrer.h"

namespace vigil::net {
namespace {

// The rest of an unwanted response up to this size is read; beyond it the connection is given up.
constexpr std::size_t kMaxDrained = 64 * 1024;
// A body that must be checked as a whole has to fit into memory.
constexpr std::size_t kMaxCheckedBody = 64 * 1024 * 1024;

bool IsRedirectStatus(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool IsNullBodyStatus(int status) { return status == 204 || status == 205 || status == 304; }

}  // namespace

// HTTP fetch (section 4.4), from the response on.
void FetchJob::OnHead(HttpClientHead head) {
  if (RetryMisdirected(head)) return;
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
  if (request_.redirect() == "manual") return RedirectManually(std::move(head));
  if (!found) return Deliver(std::move(head));
  Redirect(head, location);
}

// A stream whose source is not at hand is sent once, even if nobody has read of it yet.
bool FetchJob::CanSendAgain() { return !upload_ || (upload_->size() && upload_->Rewind()); }

// Section 4.6, step 16: the server does not answer for this host over this connection; another may do.
bool FetchJob::RetryMisdirected(const HttpClientHead& head) {
  constexpr int kMisdirectedRequest = 421;
  if (head.status != kMisdirectedRequest || retried_) return false;
  if (!CanSendAgain()) return false;
  retried_ = true;
  DrainThen([this] { NetworkFetch(true); });
  return true;
}

// The opaque-redirect filtered response: it says nothing but where it comes from. A navigation follows it
// itself.
void FetchJob::RedirectManually(HttpClientHead head) {
  if (handlers_.on_redirect) handlers_.on_redirect(CombinedValue(head.headers, "location"));
  ipc::HttpResponse response = Filtered(std::move(head));
  response.set_type(ipc::HttpResponse::OPAQUE_REDIRECT);
  if (!client_.trusted || !IsNavigation()) {
    response.set_status(0);
    response.clear_status_text();
    response.clear_headers();
  }
  head_delivered_ = true;
  handlers_.on_head(std::move(response), false);
  if (!ended_) DrainThen([this] { Finish({}); });
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
  if (head.status != 303 && !CanSendAgain()) {
    return NetworkError(
        ErrorCode::kUnavailable,
        fmt::format("{} redirects a request whose body is a stream and cannot be sent again", url_->Href()));
  }
  const bool becomes_get = (head.status == 303 && method_ != "GET" && method_ != "HEAD") ||
                           ((head.status == 301 || head.status == 302) && method_ == "POST");
  if (becomes_get) {
    method_ = "GET";
    body_.reset();
    upload_.reset();
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
  // A hidden body is there, and takes its time, but has no content for anybody.
  const bool has_body = !IsNullBodyStatus(head.status) && method_ != "HEAD";
  if (HasIntegrityMetadata(request_.integrity())) {
    if (!has_body) {
      return NetworkError(ErrorCode::kPermissionDenied,
                          fmt::format("{} has no body whose integrity could be checked", url_->Href()));
    }
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

}  // namespace vigil::net
