// The Fetch standard for Vigil's clients: workers, pages, and the host's own loading of pages, scripts and
// manifests. same-origin, cors with preflight, no-cors; redirects; credentials with a cookie jar per client
// origin; referrer; mixed content refused. Event-loop thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ipc/storage.pb.h"
#include "net/connectivity.h"
#include "net/content_security_policy.h"
#include "net/cookie_jar.h"
#include "net/http_cache_store.h"
#include "net/http_client.h"
#include "vigil/time.h"

namespace vigil::net {

// On whose behalf a fetch is made.
struct FetchClient {
  std::string origin;  // serialized; decides same-origin, CORS, cookies. Navigations: the target's own origin
  std::string url;     // of the script or document; for the Referer header
  std::string referrer_policy;  // empty: strict-origin-when-cross-origin
  // Vigil itself asks (page, script, manifest): headers are taken as they are, and opaque responses are not
  // filtered. Never for what a script asked: nothing that its origin may not read leaves the Fetcher then, so
  // that an opaque response has neither status nor headers nor body.
  bool trusted = false;
  // Of a navigation: the document whose script navigates; empty: the user does.
  std::string navigated_from;
  // A worker fetches the navigation request that it got: servers are told so, and it counts as what its mode
  // says.
  bool passes_navigation_on = false;
  std::shared_ptr<const ContentSecurityPolicies> policies;  // what the client's script came with; null: none
  std::function<void(const CspViolation&)> on_violation;    // also of what is only reported
};
// "Should request be blocked by Content Security Policy?" Tells of every violation.
bool IsBlockedByPolicy(const FetchClient& client, std::string_view destination, const Url& url,
                       const Url& first_url, bool redirected);

struct FetchHandlers {
  // The response without body. A network error has type ERROR, status 0 and the reason in `error`; on_done
  // follows. has_body is false for a null body (204, HEAD …).
  std::function<void(ipc::HttpResponse head, bool has_body)> on_head;
  std::function<void(std::string_view)> on_data;  // valid during the call
  // Before the head of an opaque redirect: where it leads to, which is nothing for scripts. May be empty.
  std::function<void(std::string location)> on_redirect = {};
  // Once and last. An error after a good head means that the body broke off; after a head of type ERROR it is
  // the same reason again, with its code.
  std::function<void(Result<>)> on_done;
};

// A running fetch. Destroying it cancels; no handler is called afterwards.
class Fetch {
 public:
  virtual ~Fetch() = default;
  virtual void Pause() = 0;
  virtual void Resume() = 0;
};

// A whole response; see FetchAll.
struct FetchedResponse {
  ipc::HttpResponse head;
  std::string body;
};

struct FetcherOptions {
  int max_redirects = 20;
  std::string accept_language = "en";
  // The present for cookies and preflight ages; the daemon's Clock.
  std::function<WallTime()> wall_now;
  std::shared_ptr<HttpCacheStore> cache;  // null: nothing is cached
};

class Fetcher {
 public:
  Fetcher(boost::asio::any_io_executor executor, HttpClient& http, ConnectivityObserver& connectivity,
          FetcherOptions options);
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // The body is `upload`, or request.body, which is absent or inline then. Handlers are never called before
  // Start returns, and may destroy the Fetch. Offline, the fetch fails at once, whatever it asks for; going
  // offline breaks off what runs.
  std::unique_ptr<Fetch> Start(const FetchClient& client, ipc::HttpRequest request, FetchHandlers handlers,
                               std::shared_ptr<UploadBody> upload = nullptr);

  // For the host's own loading. An error for network errors (kUnavailable; kPermissionDenied when policy
  // refuses), and for bodies over max_bytes (kTooLarge). Any HTTP status is a success. Cancelling the
  // coroutine cancels the fetch.
  boost::asio::awaitable<Result<FetchedResponse>> FetchAll(FetchClient client, ipc::HttpRequest request,
                                                           std::size_t max_bytes);

  // Fetches that have not ended and are not paused (those wait for whoever reads them), for quiescence.
  int Running() const;
  // Called each time Running() becomes 0, from the event loop.
  void OnIdle(std::function<void()> idle);

  // The jar of a client origin; made when it is not there.
  CookieJar& JarOf(const std::string& origin);
  // Called for each lasting cookie that changes in any jar; for store::CookieStore.
  void OnCookieChange(std::function<void(const std::string& jar, const Cookie&, bool removed)> changed);
  // The same for what scripts may hear of (CookieJar::Observe); for the Cookie Store API.
  void ObserveCookies(std::function<void(const std::string& jar, const Cookie&, bool removed)> observer);
  void ClearOrigin(const std::string& origin);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

// First value of a header, by name without case; empty when absent.
std::string HeaderValue(const ipc::HttpResponse& response, std::string_view name);
// All of them, combined with commas; nothing when absent.
std::optional<std::string> CombinedHeader(const ipc::HttpResponse& response, std::string_view name);

}  // namespace vigil::net
