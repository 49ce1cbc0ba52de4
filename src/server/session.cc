#include "server/session.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <deque>

#include "base/utf8.h"
#include "server/socket_session.h"

namespace vigil::server {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;
namespace {

constexpr std::uint64_t kMaxBodyBytes = 16 * 1024 * 1024;
constexpr std::uint32_t kMaxHeaderBytes = 64 * 1024;
// A caller that reads this much too slowly is dropped rather than kept in memory.
constexpr std::size_t kMaxQueuedBytes = 8 * 1024 * 1024;
// A peer that neither sends a request nor leaves. Real time, whatever the daemon's clock.
constexpr std::chrono::minutes kIdleLimit(2);

using StringRequest = http::request<http::string_body>;

bool IsHandshake(const StringRequest& request) { return beast::websocket::is_upgrade(request); }

AccessHeaders HeadersOf(const StringRequest& request) {
  const auto view = [&](http::field field) {
    const auto value = request[field];
    return std::string_view(value.data(), value.size());
  };
  AccessHeaders headers;
  headers.host = view(http::field::host);
  headers.origin = view(http::field::origin);
  headers.authorization = view(http::field::authorization);
  const auto site = request["Sec-Fetch-Site"];
  if (!IsHandshake(request)) headers.fetch_site = std::string_view(site.data(), site.size());
  return headers;
}

class HttpSession final : public Session,
                          public control::Caller,
                          public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(AnySocket socket, SessionOptions options)
      : socket_(std::move(socket)),
        options_(std::move(options)),
        idle_limit_(socket_.get_executor()),
        written_(socket_.get_executor()) {
    written_.expires_at(asio::steady_timer::time_point::max());
  }

  asio::awaitable<void> Run() override;
  void Interrupt() override;
  void Close() override;

  void Send(json::object line) override;
  bool gone() const override { return gone_; }
  void OnGone(std::function<void()> fn) override;

 private:
  asio::awaitable<bool> ReadRequest(StringRequest& request);
  asio::awaitable<void> Serve(StringRequest request);
  std::optional<Page> FindPage(const StringRequest& request) const;
  Result<control::Request> Understand(const StringRequest& request) const;
  asio::awaitable<void> WritePage(const Page& page, bool head_only);
  asio::awaitable<void> Converse(StringRequest handshake, control::Request request);
  asio::awaitable<void> WriteAnswer(control::Answer answer);
  asio::awaitable<void> WriteStreamEnd(control::Answer answer);
  asio::awaitable<void> WriteQueued();
  void WatchForHangUp();
  void MarkGone();

  AnySocket socket_;
  const SessionOptions options_;
  beast::flat_buffer buffer_;
  asio::steady_timer idle_limit_;
  bool closing_ = false;                         // after the running call
  std::shared_ptr<SocketSession> conversation_;  // once the socket belongs to a WebSocket

  // The running call.
  std::uint64_t call_ = 0;
  bool in_call_ = false;
  bool keep_alive_ = true;
  bool gone_ = false;
  std::function<void()> on_gone_;
  bool streaming_ = false;
  bool writing_ = false;
  bool head_written_ = false;
  std::deque<std::string> queue_;
  std::size_t queued_bytes_ = 0;
  asio::steady_timer written_;  // rings when the writer has ended
};

asio::awaitable<void> HttpSession::Run() {
  const auto self = shared_from_this();
  while (!closing_ && !gone_) {
    StringRequest request;
    const bool got = co_await ReadRequest(request);
    if (!got) break;
    co_await Serve(std::move(request));
    if (!keep_alive_) break;
  }
  Close();
}

asio::awaitable<bool> HttpSession::ReadRequest(StringRequest& request) {
  http::request_parser<http::string_body> parser;
  parser.body_limit(kMaxBodyBytes);
  parser.header_limit(kMaxHeaderBytes);
  idle_limit_.expires_after(kIdleLimit);
  idle_limit_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && !self->in_call_) self->Close();
  });
  boost::system::error_code error;
  co_await http::async_read(socket_, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
  idle_limit_.cancel();
  if (!error) {
    request = parser.release();
    co_return true;
  }
  const bool too_large = error == http::error::body_limit || error == http::error::header_limit;
  if (error.category() == http::make_error_code(http::error::end_of_stream).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    Error refused;
    refused.code = too_large ? ErrorCode::kTooLarge : ErrorCode::kInvalidArgument;
    refused.message = too_large ? "the request is too large (16 MiB at most)"
                                : fmt::format("this is not an HTTP request: {}", error.message());
    keep_alive_ = false;
    co_await WriteAnswer(control::ErrorAnswer(refused));
  }
  co_return false;
}

// Whoever may talk to us may read a document: the token is for the API.
std::optional<Page> HttpSession::FindPage(const StringRequest& request) const {
  if (!options_.guard || IsHandshake(request)) return std::nullopt;
  if (request.method() != http::verb::get && request.method() != http::verb::head) return std::nullopt;
  LoopbackGuard open = *options_.guard;
  open.token.reset();
  if (!CheckLoopbackAccess(open, HeadersOf(request))) return std::nullopt;
  const auto target = request.target();
  const std::string_view text(target.data(), target.size());
  return server::FindPage(options_.served.documents, options_.served.folder, text.substr(0, text.find('?')));
}

Result<control::Request> HttpSession::Understand(const StringRequest& request) const {
  const auto method = request.method_string();
  const auto target = request.target();
  auto parsed = control::ParseTarget(std::string_view(method.data(), method.size()),
                                     std::string_view(target.data(), target.size()));
  if (options_.guard) {
    AccessHeaders headers = HeadersOf(request);
    const std::string token = parsed && IsHandshake(request) ? control::QueryValue(*parsed, "token") : "";
    headers.socket_token = token;
    VIGIL_TRY(CheckLoopbackAccess(*options_.guard, headers));
  }
  VIGIL_ASSIGN(control::Request call, std::move(parsed));
  VIGIL_ASSIGN(call.body, control::ParseBody(request.body()));
  return call;
}

asio::awaitable<void> HttpSession::Serve(StringRequest request) {
  ++call_;
  in_call_ = true;
  streaming_ = head_written_ = false;
  keep_alive_ = request.keep_alive();
  if (const auto page = FindPage(request)) {
    co_await WritePage(*page, request.method() == http::verb::head);
    in_call_ = false;
    co_return;
  }
  auto call = Understand(request);
  if (!call) {
    co_await WriteAnswer(control::ErrorAnswer(call.error()));
  } else if (IsHandshake(request) && options_.served.sockets != nullptr) {
    co_await Converse(std::move(request), std::move(*call));
  } else {
    WatchForHangUp();
    control::Answer answer = co_await options_.served.router->Handle(std::move(*call), *this);
    on_gone_ = nullptr;
    if (streaming_) {
      co_await WriteStreamEnd(std::move(answer));
    } else {
      co_await WriteAnswer(std::move(answer));
    }
    boost::system::error_code ignored;
    socket_.cancel(ignored);  // the watch
  }
  in_call_ = false;
}

asio::awaitable<void> HttpSession::Converse(StringRequest handshake, control::Request request) {
  auto conversation = MakeSocketSession(socket_, options_.sockets);
  auto handler = options_.served.sockets->Open(std::move(request), conversation);
  if (!handler) {
    co_await WriteAnswer(control::ErrorAnswer(handler.error()));
    co_return;
  }
  conversation->SetHandler(std::move(*handler));
  keep_alive_ = false;
  conversation_ = conversation;
  // The peer may not speak before it has our answer (RFC 6455 section 4.1).
  if (buffer_.size() == 0 && !closing_) co_await conversation->Run(std::move(handshake));
}

asio::awaitable<void> HttpSession::WritePage(const Page& page, bool head_only) {
  http::response<http::string_body> response;
  response.version(11);
  response.result(200u);
  response.set(http::field::content_type, page.content_type);
  response.set(http::field::cache_control, "no-cache");
  response.set("Referrer-Policy", "no-referrer");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("Content-Security-Policy", page.policy);
  response.set("Cross-Origin-Opener-Policy", "same-origin");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.keep_alive(keep_alive_);
  response.content_length(page.body().size());
  if (!head_only) response.body() = page.body();
  boost::system::error_code error;
  co_await http::async_write(socket_, response, asio::redirect_error(asio::use_awaitable, error));
  if (error) MarkGone();
}

asio::awaitable<void> HttpSession::WriteAnswer(control::Answer answer) {
  if (gone_) co_return;
  if (closing_) keep_alive_ = false;
  http::response<http::string_body> response;
  response.version(11);
  response.result(static_cast<unsigned>(answer.status));
  response.set(http::field::content_type, answer.raw ? answer.raw->content_type : "application/json");
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  if (answer.raw) {
    for (const auto& [name, value] : answer.raw->headers) response.set(name, value);
  }
  response.keep_alive(keep_alive_);
  response.body() = answer.raw ? std::move(answer.raw->bytes) : ToUtf8(json::serialize(answer.body)) + "\n";
  response.prepare_payload();
  boost::system::error_code error;
  co_await http::async_write(socket_, response, asio::redirect_error(asio::use_awaitable, error));
  if (error) MarkGone();
}

asio::awaitable<void> HttpSession::WriteStreamEnd(control::Answer answer) {
  json::object line = answer.body.is_object() ? std::move(answer.body.as_object()) : json::object();
  line["type"] = answer.status == 200 ? "result" : "error";
  Send(std::move(line));
  boost::system::error_code error;
  while (writing_ && !gone_) co_await written_.async_wait(asio::redirect_error(asio::use_awaitable, error));
  if (gone_) co_return;
  error.clear();
  const auto last = http::make_chunk_last();
  co_await asio::async_write(socket_, last, asio::redirect_error(asio::use_awaitable, error));
  if (error) MarkGone();
}

void HttpSession::Send(json::object line) {
  if (gone_) return;
  streaming_ = true;
  // What a damaged file holds need not be UTF-8; JSON must be.
  std::string text = ToUtf8(json::serialize(line)) + "\n";
  queued_bytes_ += text.size();
  if (queued_bytes_ > kMaxQueuedBytes) {
    MarkGone();
    return;
  }
  queue_.push_back(std::move(text));
  if (writing_) return;
  writing_ = true;
  asio::co_spawn(
      socket_.get_executor(), [self = shared_from_this()] { return self->WriteQueued(); }, asio::detached);
}

asio::awaitable<void> HttpSession::WriteQueued() {
  boost::system::error_code error;
  if (!head_written_) {
    head_written_ = true;
    http::response<http::empty_body> head;
    head.version(11);
    head.result(200u);
    head.set(http::field::content_type, "application/x-ndjson");
    head.set(http::field::cache_control, "no-store");
    head.keep_alive(keep_alive_);
    head.chunked(true);
    http::response_serializer<http::empty_body> serializer(head);
    co_await http::async_write_header(socket_, serializer, asio::redirect_error(asio::use_awaitable, error));
  }
  while (!error && !gone_ && !queue_.empty()) {
    // Everything that is waiting goes out as one chunk.
    std::string text;
    for (std::string& line : queue_) text += line;
    queue_.clear();
    queued_bytes_ = 0;
    const auto chunk = http::make_chunk(asio::buffer(text));
    co_await asio::async_write(socket_, chunk, asio::redirect_error(asio::use_awaitable, error));
  }
  writing_ = false;
  if (error) MarkGone();
  written_.cancel();
}

void HttpSession::OnGone(std::function<void()> fn) {
  if (gone_ || closing_) {
    fn();
    return;
  }
  on_gone_ = std::move(fn);
}

// A caller that hangs up shows as a readable socket with nothing to read.
void HttpSession::WatchForHangUp() {
  socket_.async_wait(AnySocket::wait_read, [self = shared_from_this(),
                                            call = call_](const boost::system::error_code& error) {
    if (error || call != self->call_ || !self->in_call_) return;
    char byte = 0;
    const auto got = ::recv(self->socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool nothing_yet = got < 0 && (errno == EAGAIN || errno == EINTR);
    // A byte is the next request, sent early: it stays in the socket until this call has ended.
    if (got > 0) return;
    if (nothing_yet) {
      self->WatchForHangUp();
    } else {
      self->MarkGone();
    }
  });
}

void HttpSession::MarkGone() {
  if (gone_) return;
  gone_ = true;
  queue_.clear();
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  written_.cancel();
  if (auto fn = std::move(on_gone_)) {
    on_gone_ = nullptr;
    fn();
  }
}

void HttpSession::Interrupt() {
  closing_ = true;
  if (!in_call_) {
    Close();
    return;
  }
  if (conversation_) {
    // Going away (RFC 6455 section 7.4.1).
    conversation_->Close(1001, "Vigil is stopping");
    return;
  }
  if (auto fn = std::move(on_gone_)) {
    on_gone_ = nullptr;
    fn();
  }
}

void HttpSession::Close() {
  closing_ = true;
  idle_limit_.cancel();
  if (conversation_) conversation_->Abort();
  boost::system::error_code ignored;
  socket_.shutdown(AnySocket::shutdown_both, ignored);
  socket_.close(ignored);
  MarkGone();
}

}  // namespace

std::shared_ptr<Session> MakeSession(AnySocket socket, SessionOptions options) {
  return std::make_shared<HttpSession>(std::move(socket), std::move(options));
}

}  // namespace vigil::server
