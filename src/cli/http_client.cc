#include "cli/http_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

namespace vigil::cli {
namespace json = boost::json;
namespace {

class Connection {
 public:
  Connection() = default;
  ~Connection() {
    if (socket_ >= 0) ::close(socket_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // false: nobody listens there.
  bool Connect(const std::filesystem::path& path) {
    std::string text = path.string();
    int directory = -1;
    // A socket's path may have 107 bytes; a longer one is reached through a descriptor of its directory.
    if (text.size() >= sizeof(sockaddr_un::sun_path)) {
      directory = ::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
      text = fmt::format("/proc/self/fd/{}/{}", directory, path.filename().string());
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    text.copy(address.sun_path, sizeof address.sun_path - 1);
    socket_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool connected =
        socket_ >= 0 && ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    if (directory >= 0) ::close(directory);
    return connected;
  }

  bool Write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // Up to and without CRLF.
  std::optional<std::string> ReadLine() {
    for (;;) {
      const std::size_t end = buffer_.find("\r\n");
      if (end != std::string::npos) return Take(end, 2);
      if (!Fill()) return std::nullopt;
    }
  }

  std::optional<std::string> ReadExactly(std::size_t size) {
    while (buffer_.size() < size) {
      if (!Fill()) return std::nullopt;
    }
    return Take(size, 0);
  }

 private:
  std::string Take(std::size_t size, std::size_t skip) {
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size + skip);
    return taken;
  }
  bool Fill() {
    char bytes[16384];
    for (;;) {
      const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      buffer_.append(bytes, static_cast<std::size_t>(got));
      return true;
    }
  }

  int socket_ = -1;
  std::string buffer_;
};

struct Head {
  int status = 0;
  bool chunked = false;
  std::size_t length = 0;
};

template <class Number>
bool ParseNumber(std::string_view text, Number& number, int base) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return parsed.ec == std::errc();
}

std::optional<Head> ReadHead(Connection& connection) {
  const auto status_line = connection.ReadLine();
  Head head;
  if (!status_line || status_line->size() < 12 ||
      !ParseNumber(std::string_view(*status_line).substr(9, 3), head.status, 10))
    return std::nullopt;
  for (;;) {
    auto line = connection.ReadLine();
    if (!line) return std::nullopt;
    if (line->empty()) return head;
    const std::size_t colon = line->find(':');
    if (colon == std::string::npos) return std::nullopt;
    std::string name = line->substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string_view value = std::string_view(*line).substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (name == "transfer-encoding") head.chunked = value == "chunked";
    if (name == "content-length" && !ParseNumber(value, head.length, 10)) return std::nullopt;
  }
}

Error ErrorFrom(const json::object& body) {
  static constexpr std::array kCodes = {
      ErrorCode::kInvalidArgument,  ErrorCode::kNotFound,    ErrorCode::kAlreadyExists,
      ErrorCode::kPermissionDenied, ErrorCode::kUnavailable, ErrorCode::kIo,
      ErrorCode::kCorrupt,          ErrorCode::kTooLarge,    ErrorCode::kTimeout,
      ErrorCode::kAborted,          ErrorCode::kInternal};
  Error error;
  error.message = "the daemon failed without saying why";
  const json::value* inner = body.if_contains("error");
  if (inner == nullptr || !inner->is_object()) return error;
  if (const json::value* text = inner->as_object().if_contains("message");
      text != nullptr && text->is_string())
    error.message = std::string(text->as_string());
  if (const json::value* name = inner->as_object().if_contains("code");
      name != nullptr && name->is_string()) {
    for (const ErrorCode code : kCodes) {
      if (name->as_string() == json::string_view(ErrorCodeName(code))) error.code = code;
    }
  }
  return error;
}

tl::unexpected<Error> WentAway() {
  return Fail(ErrorCode::kIo,
              "the daemon went away during the call; see its own messages, and start it again with "
              "`vigil serve`");
}

// Lines of a stream; the last one, which says how the call ended, is kept back.
class LineReader {
 public:
  explicit LineReader(const std::function<void(const json::object&)>& on_line) : on_line_(on_line) {}

  bool Feed(std::string_view text) {
    rest_ += text;
    for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      boost::system::error_code error;
      json::value line = json::parse(json::string_view(rest_.data(), end), error);
      rest_.erase(0, end + 1);
      if (error || !line.is_object()) return false;
      const json::value* type = line.as_object().if_contains("type");
      if (type != nullptr && (*type == "result" || *type == "error")) {
        last_ = std::move(line.as_object());
      } else if (on_line_) {
        on_line_(line.as_object());
      }
    }
    return true;
  }
  std::optional<json::object>& last() { return last_; }

 private:
  const std::function<void(const json::object&)>& on_line_;
  std::string rest_;
  std::optional<json::object> last_;
};

Result<json::value> ReadStream(Connection& connection, const HttpCall& call) {
  LineReader lines(call.on_line);
  for (;;) {
    const auto size_line = connection.ReadLine();
    std::size_t size = 0;
    if (!size_line || !ParseNumber(*size_line, size, 16)) return WentAway();
    const auto chunk = connection.ReadExactly(size);
    if (!chunk || !connection.ReadLine()) return WentAway();
    if (size == 0) break;
    if (!lines.Feed(*chunk)) return Fail(ErrorCode::kInternal, "the daemon's answer is not JSON");
  }
  if (!lines.last()) return WentAway();
  if (lines.last()->at("type") == "error") return Fail(ErrorFrom(*lines.last()));
  lines.last()->erase("type");
  return json::value(std::move(*lines.last()));
}

}  // namespace

Result<json::value> Perform(const std::filesystem::path& socket, const HttpCall& call) {
  Connection connection;
  if (!connection.Connect(socket)) {
    return Fail(ErrorCode::kUnavailable,
                fmt::format("no daemon is running on {0}; start one with `vigil serve --data {0}`",
                            socket.parent_path().string()));
  }
  const std::string request = fmt::format(
      "{} {} HTTP/1.1\r\nHost: vigil\r\nConnection: close\r\nContent-Type: "
      "application/json\r\nContent-Length: {}\r\n\r\n{}",
      call.method, call.target, call.body.size(), call.body);
  if (!connection.Write(request)) return WentAway();
  const auto head = ReadHead(connection);
  if (!head) return WentAway();
  if (head->chunked) return ReadStream(connection, call);
  const auto text = connection.ReadExactly(head->length);
  if (!text) return WentAway();
  boost::system::error_code error;
  json::value body = json::parse(*text, error);
  if (error) return Fail(ErrorCode::kInternal, "the daemon's answer is not JSON");
  if (head->status != 200) return Fail(ErrorFrom(body.is_object() ? body.as_object() : json::object()));
  return body;
}

std::string Encode(std::string_view text) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace vigil::cli
