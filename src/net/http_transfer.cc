#include "net/http_transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "net/curl_options.h"
#include "net/curl_request.h"
#include "net/url.h"

namespace vigil::net {
namespace {

// libcurl is told to wait when this much is not delivered yet.
constexpr std::size_t kMaxBuffered = 256 * 1024;
// libcurl 7.88 stops all streams of an HTTP/2 connection while one of them waits. Such a one gets room on the
// disk first, and its connection no more requests once that is full.
constexpr std::uint64_t kMaxSpilled = std::uint64_t{32} << 20;
constexpr std::uint64_t kMaxSpilledByAll = std::uint64_t{512} << 20;

// Of everything that comes as header lines, interim responses and trailers included.
constexpr std::size_t kMaxHeaderBytes = 256 * 1024;

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

}  // namespace

HttpTransfer::HttpTransfer(HttpClientRequest request, HttpClientHandlers handlers,
                           std::shared_ptr<HttpSharedState> shared,
                           std::function<void(std::shared_ptr<HttpTransfer>)> pending)
    : request_(std::move(request)),
      handlers_(std::move(handlers)),
      pending_(std::move(pending)),
      easy_(curl_easy_init()),
      shared_(std::move(shared)) {}

HttpTransfer::~HttpTransfer() {
  End();
  curl_easy_cleanup(easy_);
  curl_slist_free_all(header_list_);
  curl_slist_free_all(resolve_list_);
}

void HttpTransfer::Start(const HttpClientOptions& options, std::shared_ptr<CurlLoop> loop,
                         std::shared_ptr<void> turn) {
  loop_ = std::move(loop);
  turn_ = std::move(turn);
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
  resolve_list_ = SetConnectionOptions(easy_, *url, options);
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy_, CURLOPT_PIPEWAIT, url->scheme() == "https" ? 1L : 0L);
  curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  origin_ = url->Origin();
  buffer_.emplace(2 * kMaxBuffered, options.spill_directory);
  can_spill_ = !options.spill_directory.empty();
  const bool fresh = request_.fresh_connection || shared_->held_up.contains(origin_);
  curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, options.stall_timeout.count() > 0 ? 1L : 0L);
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &HttpTransfer::OnHeader);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &HttpTransfer::OnBody);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  if (request_.upload) {
    SetUpload();
  } else {
    SetMethodAndBody(easy_, request_);
  }
  const Result<curl_slist*> headers = SetRequestHeaders(easy_, request_, options);
  if (!headers) return headers.error();
  header_list_ = *headers;
  return std::nullopt;
}

void HttpTransfer::SetUpload() {
  const std::optional<std::uint64_t> size = request_.upload->size();
  curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, size ? static_cast<curl_off_t>(*size) : curl_off_t{-1});
  curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &HttpTransfer::OnUpload);
  curl_easy_setopt(easy_, CURLOPT_READDATA, this);
  curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &HttpTransfer::OnRewind);
  curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
  if (size) return;
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &HttpTransfer::OnConnected);
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
}

std::size_t HttpTransfer::OnUpload(char* data, std::size_t size, std::size_t count, void* context) {
  auto* self = static_cast<HttpTransfer*>(context);
  const auto ready = [weak = self->weak_from_this()] {
    if (const auto transfer = weak.lock()) transfer->UploadReady();
  };
  const UploadBody::Piece piece = self->request_.upload->Read(data, size * count, ready);
  if (piece.failed) {
    self->own_error_ = Error{ErrorCode::kAborted, "the request's body broke off"};
    return CURL_READFUNC_ABORT;
  }
  if (piece.bytes > 0 || piece.end) return piece.bytes;
  self->upload_waits_ = true;
  return CURL_READFUNC_PAUSE;
}

void HttpTransfer::UploadReady() {
  if (ended_ || !added_ || !std::exchange(upload_waits_, false)) return;
  loop_->Unpause(easy_);
}

int HttpTransfer::OnRewind(void* context, curl_off_t offset, int origin) {
  auto* self = static_cast<HttpTransfer*>(context);
  const bool to_start = offset == 0 && origin == SEEK_SET;
  return to_start && self->request_.upload->Rewind() ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

// Fetch section 4.7: a body that cannot be told its length, nor be sent again, is not for HTTP/1.x.
int HttpTransfer::OnConnected(void* context, char*, char*, int, int) {
  auto* self = static_cast<HttpTransfer*>(context);
  if (SpeaksHttp2(self->easy_)) return CURL_PREREQFUNC_OK;
  const Result<Url> url = Url::Parse(self->request_.url);
  self->own_error_ = Error{
      ErrorCode::kUnavailable,
      fmt::format("a request body that is a stream needs HTTP/2, which {} does not speak; send a string, a "
                  "Blob or a buffer",
                  url ? url->Origin() : self->request_.url)};
  return CURL_PREREQFUNC_ABORT;
}

std::size_t HttpTransfer::OnHeader(char* data, std::size_t size, std::size_t count, void* self) {
  auto* transfer = static_cast<HttpTransfer*>(self);
  const std::size_t bytes = size * count;
  transfer->header_bytes_ += bytes;
  if (transfer->header_bytes_ > kMaxHeaderBytes) {
    const Result<Url> url = Url::Parse(transfer->request_.url);
    transfer->own_error_ =
        Error{ErrorCode::kTooLarge, fmt::format("{} sends more than {} KiB of headers",
                                                url ? url->Origin() : "the server", kMaxHeaderBytes / 1024)};
    return 0;
  }
  transfer->TakeHeaderLine(std::string_view(data, bytes));
  return bytes;
}

void HttpTransfer::TakeHeaderLine(std::string_view line) {
  if (head_complete_) return;  // trailers
  const std::string_view text = Trim(line);
  if (text.starts_with("HTTP/") && head_.status == 0) {
    // "HTTP/1.1 404 Not Found"
    const std::size_t first = std::min(text.find(' '), text.size());
    const std::string_view rest = Trim(text.substr(first));
    head_.http_version = std::string(text.substr(5, first - 5));
    multiplexed_ = head_.http_version == "2";
    spills_ = multiplexed_ && can_spill_;
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
  if (!self->Keep(std::string_view(data, size * count))) {
    self->blocked_ = true;
    self->HoldUp(self->multiplexed_);
    return CURL_WRITEFUNC_PAUSE;
  }
  self->Notify();
  return size * count;
}

// False: it has to wait.
bool HttpTransfer::Keep(std::string_view data) {
  const std::uint64_t before = buffer_->size();
  if (!spills_) {
    if (paused_ || before >= kMaxBuffered) return false;
    return buffer_->Append(data);
  }
  const bool to_disk = before + data.size() > kMaxBuffered;
  if (to_disk &&
      (before + data.size() > kMaxSpilled || shared_->spilled_bytes + data.size() > kMaxSpilledByAll))
    return false;
  if (!buffer_->Append(data)) return false;
  shared_->spilled_bytes += data.size();
  return true;
}

std::string HttpTransfer::TakeBuffered() {
  std::string data = buffer_->Take();
  if (spills_) shared_->spilled_bytes -= data.size();
  return data;
}

// While it does, new requests to the origin get other connections.
void HttpTransfer::HoldUp(bool holds) {
  if (std::exchange(holds_up_, holds) == holds) return;
  int& count = shared_->held_up[origin_];
  count += holds ? 1 : -1;
  if (count == 0) shared_->held_up.erase(origin_);
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
  while (!ended_ && !paused_ && buffer_ && buffer_->size() > 0 && !buffer_->failed()) {
    const std::string data = TakeBuffered();
    if (handlers_.on_data) handlers_.on_data(data);
  }
  delivering_ = false;
  if (ended_) handlers_ = {};
  if (ended_ || paused_) return;
  if (buffer_ && buffer_->failed())
    outcome_ = Fail(ErrorCode::kIo, fmt::format("the body from {} cannot be kept on the disk", origin_));
  if (outcome_) {
    const std::function<void(Result<>)> done = std::move(handlers_.on_done);
    const Result<> outcome = std::move(*outcome_);
    End();
    handlers_ = {};
    if (done) done(outcome);
  } else if (blocked_) {
    blocked_ = false;
    HoldUp(false);
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
  HoldUp(false);
  if (spills_ && buffer_) shared_->spilled_bytes -= buffer_->size();
  buffer_.reset();
  if (std::exchange(added_, false)) loop_->Remove(easy_);
  turn_.reset();
}

void HttpTransfer::Notify() {
  if (!ended_) pending_(shared_from_this());
}

Error HttpTransfer::Describe(int code) const {
  if (own_error_) return *own_error_;
  const Result<Url> url = Url::Parse(request_.url);
  const std::string where = url ? url->Origin() : request_.url;
  const std::string detail =
      error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(static_cast<CURLcode>(code));
  return DescribeCurlError(code, where, detail);
}

}  // namespace vigil::net
