#include "net/websocket.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <map>
#include <utility>

#include "net/bad_port.h"
#include "net/fetch_headers.h"
#include "net/url.h"
#include "net/websocket_connection.h"

namespace vigil::net {
namespace {

class Handle : public WebSocket {
 public:
  explicit Handle(std::shared_ptr<WebSocketConnection> connection) : connection_(std::move(connection)) {}
  ~Handle() override { connection_->Abandon(); }
  void Send(bool text, std::string data) override { connection_->Send(text, std::move(data)); }
  void Close(std::uint16_t code, std::string reason) override { connection_->Close(code, std::move(reason)); }
  void Grant(std::size_t bytes) override { connection_->Grant(bytes); }

 private:
  std::shared_ptr<WebSocketConnection> connection_;
};

// Policy, cookies and same-site rules know http and https: a WebSocket is made by a request of those (Fetch,
// section 4.9.1).
Result<Url> HttpForm(const std::string& url) {
  VIGIL_ASSIGN(const Url given, Url::Parse(url));
  if (given.scheme() != "ws" && given.scheme() != "wss")
    return Fail(ErrorCode::kInvalidArgument, fmt::format("{} is no ws or wss URL", url));
  return Url::Parse("http" + given.HrefWithoutFragment().substr(2));
}

}  // namespace

class WebSockets::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::any_io_executor executor, Fetcher& fetcher, ConnectivityObserver& connectivity,
       WebSocketOptions options)
      : executor_(std::move(executor)),
        fetcher_(fetcher),
        connectivity_(connectivity),
        options_(std::move(options)) {
    subscription_ = connectivity.OnChange([this](const NetworkState& state) {
      if (!state.online) BreakOff();
    });
  }

  std::unique_ptr<WebSocket> Open(const FetchClient& client, const std::string& address,
                                  std::vector<std::string> protocols, WebSocketHandlers handlers) {
    const Result<Url> url = HttpForm(address);
    const std::string refusal = url ? WhyNot(client, *url) : url.error().message;
    const Url target = url ? *url : *Url::Parse("http://localhost/");
    Headers headers = refusal.empty() ? HeadersFor(client, target) : Headers();
    TellWhenSettled(handlers);
    auto connection = std::make_shared<WebSocketConnection>(
        executor_, WebSocketConnection::Target{target, std::move(protocols), std::move(headers)},
        std::move(handlers), StoreCookies(client, target));
    connections_[client.origin].push_back(connection);
    boost::asio::post(executor_, [connection, refusal, http = options_.http] {
      if (refusal.empty()) return connection->Connect(http);
      connection->Fail(refusal);
    });
    return std::make_unique<Handle>(connection);
  }

  int Connecting() {
    int count = 0;
    for (auto& [origin, list] : connections_) {
      std::erase_if(list, IsGone);
      for (const auto& weak : list) {
        const auto connection = weak.lock();
        count += connection && connection->connecting() ? 1 : 0;
      }
    }
    return count;
  }

  void Close() { fetcher_gone_ = true; }
  void OnSettled(std::function<void()> settled) { settled_ = std::move(settled); }

 private:
  using List = std::vector<std::weak_ptr<WebSocketConnection>>;

  static bool IsGone(const std::weak_ptr<WebSocketConnection>& weak) {
    const auto connection = weak.lock();
    return !connection || connection->ended();
  }

  void TellWhenSettled(WebSocketHandlers& handlers) {
    const auto tell = [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self && self->settled_) self->settled_();
    };
    handlers.on_open = [next = std::move(handlers.on_open), tell](std::string protocol,
                                                                  std::string extensions) {
      next(std::move(protocol), std::move(extensions));
      tell();
    };
    handlers.on_end = [next = std::move(handlers.on_end), tell](WebSocketEnd end) {
      next(std::move(end));
      tell();
    };
  }

  std::string WhyNot(const FetchClient& client, const Url& url) {
    List& list = connections_[client.origin];
    std::erase_if(list, IsGone);
    if (list.size() >= kMaxPerOrigin) return "too many WebSockets of this origin are open";
    if (!connectivity_.current().online) return "the network is offline";
    if (const auto why = WhyNotAllowed(url)) return *why;
    if (IsBlockedByPolicy(client, "", url, url, false))
      return "it violates the script's Content Security Policy";
    if (IsBadPort(url.EffectivePort()))
      return fmt::format("port {} is reserved for another protocol", url.EffectivePort());
    return "";
  }

  bool IsSameSite(const FetchClient& client, const Url& url) const {
    const Result<Url> own = Url::Parse(client.origin);
    return own && own->IsHttp() && SameSite(*own, url);
  }

  // The handshake's request has credentials always.
  Headers HeadersFor(const FetchClient& client, const Url& url) {
    Headers headers;
    headers.emplace_back("Origin", client.origin);
    headers.emplace_back("User-Agent", options_.http.user_agent);
    headers.emplace_back("Accept-Language", options_.accept_language);
    const std::string cookies =
        fetcher_.JarOf(client.origin).HeaderFor(url, IsSameSite(client, url), options_.wall_now());
    if (!cookies.empty()) headers.emplace_back("Cookie", cookies);
    return headers;
  }

  std::function<void(const Headers&)> StoreCookies(const FetchClient& client, const Url& url) {
    return [weak = weak_from_this(), origin = client.origin, url,
            same_site = IsSameSite(client, url)](const Headers& headers) {
      const auto self = weak.lock();
      if (!self || self->fetcher_gone_) return;
      for (const auto& [name, value] : headers) {
        if (!SameName(name, "set-cookie")) continue;
        self->fetcher_.JarOf(origin).Set(url, value, same_site, self->options_.wall_now());
      }
    };
  }

  void BreakOff() {
    const auto self = shared_from_this();
    for (const auto& [origin, list] : std::map<std::string, List>(connections_)) {
      for (const auto& weak : list) {
        if (const auto connection = weak.lock()) connection->Fail("the network went away");
      }
    }
  }

  boost::asio::any_io_executor executor_;
  Fetcher& fetcher_;
  ConnectivityObserver& connectivity_;
  WebSocketOptions options_;
  bool fetcher_gone_ = false;
  std::function<void()> settled_;
  std::map<std::string, List> connections_;
  ConnectivityObserver::Subscription subscription_;
};

WebSockets::WebSockets(boost::asio::any_io_executor executor, Fetcher& fetcher,
                       ConnectivityObserver& connectivity, WebSocketOptions options)
    : impl_(std::make_shared<Impl>(std::move(executor), fetcher, connectivity, std::move(options))) {}

WebSockets::~WebSockets() { impl_->Close(); }

std::unique_ptr<WebSocket> WebSockets::Open(const FetchClient& client, const std::string& url,
                                            std::vector<std::string> protocols, WebSocketHandlers handlers) {
  return impl_->Open(client, url, std::move(protocols), std::move(handlers));
}

int WebSockets::Connecting() const { return impl_->Connecting(); }

void WebSockets::OnSettled(std::function<void()> settled) { impl_->OnSettled(std::move(settled)); }

}  // namespace vigil::net
