#include "net/http_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "net/url.h"

namespace vigil::net {
namespace {

// libcurl is told to wait when this much is not delivered yet.
constexpr std::size_t kMaxBuffered = 256 * 1024;

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
         });
}

bool HasHeader(const Headers& headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& h) { return EqualsIgnoringCase(h.first, name); });
}

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string WithoutProxy() {
  const char* variable = std::getenv("no_proxy");
  if (variable == nullptr) variable = std::getenv("NO_PROXY");
  return variable == nullptr ? "localhost,127.0.0.1,::1"
                             : fmt::format("{},localhost,127.0.0.1,::1", variable);
}

}  // namespace

HttpTransfer::HttpTransfer(HttpClientRequest request, HttpClientHandlers handlers,
                           std::function<void(std::shared_ptr<HttpTransfer>)> pending)
    : request_(std::move(request)),
      handlers_(std::move(handlers)),
      pending_(std::move(pending)),
      easy_(curl_easy_init()) {}

HttpTransfer::~HttpTransfer() {
  End();
  curl_easy_cleanup(easy_);
  curl_slist_free_all(header_list_);
  curl_slist_free_all(resolve_list_);
}

void HttpTransfer::Start(const HttpClientOptions& options, std::shared_ptr<CurlLoop> loop) {
  loop_ = std::move(loop);
  std::optional<Error> error = Configure(options);
  if (!error && !loop_->Add(easy_))
    error = Error{ErrorCode::kInternal, "the HTTP client does not take another request"};
  if (error) {
    outcome_ = Fail(*error);
    Notify();
    return;
  }
  added_ = true;
}

std::optional<Error> HttpTransfer::Configure(const HttpClientOptions& options) {
  const Result<Url> url = Url::Parse(request_.url);
  if (!url) return url.error();
  if (!url->IsHttp())
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} is not an http or https URL", request_.url)};
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_URL, url->HrefWithoutFragment().c_str());
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy_, CURLOPT_PIPEWAIT, url->scheme() == "https" ? 1L : 0L);
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy_, CURLOPT_NOPROXY, WithoutProxy().c_str());
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, options.stall_timeout.count() > 0 ? 1L : 0L);
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
  if (!options.ca_file.empty()) curl_easy_setopt(easy_, CURLOPT_CAINFO, options.ca_file.c_str());
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &HttpTransfer::OnHeader);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &HttpTransfer::OnBody);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  if (url->host().ends_with(".localhost")) {
    resolve_list_ = curl_slist_append(
        nullptr, fmt::format("{}:{}:127.0.0.1,::1", url->host(), url->EffectivePort()).c_str());
    curl_easy_setopt(easy_, CURLOPT_RESOLVE, resolve_list_);
  }
  SetMethodAndBody();
  return AddHeaders(options);
}

void HttpTransfer::SetMethodAndBody() {
  const std::string& method = request_.method;
  if (method == "HEAD") {
    curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  } else if (request_.body || method == "POST" || method == "PUT") {
    const std::string empty;
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request_.body ? request_.body->size() : 0));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body ? request_.body->data() : "");
    if (method != "POST") curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  } else if (method != "GET") {
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

std::optional<Error> HttpTransfer::AddHeaders(const HttpClientOptions& options) {
  const auto append = [this](const std::string& line) {
    header_list_ = curl_slist_append(header_list_, line.c_str());
  };
  const auto breaks = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
  };
  if (request_.method.empty() || request_.method.find_first_of(" \t\r\n") != std::string::npos) {
    return Error{ErrorCode::kInvalidArgument, "the request's method is not one"};
  }
  for (const auto& [name, value] : request_.headers) {
    if (name.empty() || breaks(name) || name.find(':') != std::string::npos || breaks(value)) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("the request header \"{}\" cannot be sent", name)};
    }
    // libcurl's way of writing a header without a value.
    append(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  // What libcurl would add by itself.
  append("Expect:");
  if (!HasHeader(request_.headers, "content-type")) append("Content-Type:");
  if (!HasHeader(request_.headers, "accept")) append("Accept: */*");
  if (!HasHeader(request_.headers, "user-agent"))
    curl_easy_setopt(easy_, CURLOPT_USERAGENT, options.user_agent.c_str());
  if (!HasHeader(request_.headers, "accept-encoding"))
    curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "gzip, deflate, br");
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_list_);
  return std::nullopt;
}

std::size_t HttpTransfer::OnHeader(char* data, std::size_t size, std::size_t count, void* self) {
  static_cast<HttpTransfer*>(self)->TakeHeaderLine(std::string_view(data, size * count));
  return size * count;
}

void HttpTransfer::TakeHeaderLine(std::string_view line) {
  if (head_complete_) return;  // trailers
  const std::string_view text = Trim(line);
  if (text.starts_with("HTTP/") && head_.status == 0) {
    // "HTTP/1.1 404 Not Found"
    const std::size_t first = std::min(text.find(' '), text.size());
    const std::string_view rest = Trim(text.substr(first));
    head_.http_version = std::string(text.substr(5, first - 5));
    head_.status = std::atoi(std::string(rest.substr(0, 3)).c_str());
    head_.status_text = std::string(Trim(rest.substr(std::min<std::size_t>(3, rest.size()))));
    return;
  }
  if (!text.empty()) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return;
    head_.headers.emplace_back(Trim(text.substr(0, colon)), Trim(text.substr(colon + 1)));
    return;
  }
  if (head_.status >= 200) {
    head_complete_ = true;
    Notify();
  } else {
    head_ = HttpClientHead();  // 1xx: the real one follows
  }
}

std::size_t HttpTransfer::OnBody(char* data, std::size_t size, std::size_t count, void* context) {
  auto* self = static_cast<HttpTransfer*>(context);
  if (self->paused_ || self->buffer_.size() >= kMaxBuffered) {
    self->blocked_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  self->buffer_.append(data, size * count);
  self->Notify();
  return size * count;
}

void HttpTransfer::Finish(int code) {
  added_ = false;
  if (code == CURLE_OK && !head_complete_) code = CURLE_GOT_NOTHING;
  if (code == CURLE_OK) {
    outcome_.emplace();
  } else {
    outcome_ = Fail(Describe(code));
  }
  Notify();
}

void HttpTransfer::Deliver() {
  if (ended_ || delivering_) return;
  const auto self = shared_from_this();
  delivering_ = true;
  if (head_complete_ && !head_delivered_) {
    head_delivered_ = true;
    if (handlers_.on_head) handlers_.on_head(std::move(head_));
  }
  while (!ended_ && !paused_ && !buffer_.empty()) {
    const std::string data = std::exchange(buffer_, std::string());
    if (handlers_.on_data) handlers_.on_data(data);
  }
  delivering_ = false;
  if (ended_) handlers_ = {};
  if (ended_ || paused_) return;
  if (outcome_) {
    const std::function<void(Result<>)> done = std::move(handlers_.on_done);
    const Result<> outcome = std::move(*outcome_);
    End();
    handlers_ = {};
    if (done) done(outcome);
  } else if (blocked_) {
    blocked_ = false;
    loop_->Unpause(easy_);
  }
}

void HttpTransfer::Resume() {
  if (!std::exchange(paused_, false) || ended_) return;
  Notify();
}

// The handlers may hold whoever holds this; they are let go, but not from under their own feet.
void HttpTransfer::Cancel() {
  const auto self = shared_from_this();
  End();
  if (!delivering_) handlers_ = {};
}

void HttpTransfer::End() {
  ended_ = true;
  if (std::exchange(added_, false)) loop_->Remove(easy_);
}

void HttpTransfer::Notify() {
  if (!ended_) pending_(shared_from_this());
}

Error HttpTransfer::Describe(int code) const {
  const Result<Url> url = Url::Parse(request_.url);
  const std::string where = url ? url->Origin() : request_.url;
  const std::string detail =
      error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(static_cast<CURLcode>(code));
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {ErrorCode::kUnavailable,
              fmt::format("the host of {} is not known; check the address and the network", where)};
    case CURLE_COULDNT_CONNECT:
      return {ErrorCode::kUnavailable,
              fmt::format("cannot connect to {}; check that it is running and reachable", where)};
    case CURLE_OPERATION_TIMEDOUT:
      return {ErrorCode::kTimeout, fmt::format("{} does not answer ({})", where, detail)};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorCode::kUnavailable,
              fmt::format("no secure connection to {} ({}); check its certificate", where, detail)};
    default:
      return {ErrorCode::kUnavailable, fmt::format("the request to {} broke off ({})", where, detail)};
  }
}

}  // namespace vigil::net
