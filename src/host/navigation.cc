#include "host/navigation.h"

#include <fmt/format.h>

#include <utility>

#include "host/fetch_client.h"
#include "host/jobs.h"
#include "host/lifecycle.h"
#include "host/registry.h"
#include "net/fetch_headers.h"
#include "net/fetcher.h"
#include "net/mime_type.h"
#include "net/referrer.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {

ipc::HttpRequest NavigationRequest(const NavigationStart& start) {
  ipc::HttpRequest request;
  request.set_method("GET");
  request.set_url(start.url);
  if (start.reload) request.set_cache("no-cache");
  const auto from = net::Url::Parse(start.from);
  const auto to = net::Url::Parse(start.url);
  if (from && to) request.set_referrer(net::ReferrerFor(net::kDefaultReferrerPolicy, *from, *to));
  request.set_mode("navigate");
  request.set_credentials("include");
  request.set_redirect("manual");
  request.set_destination("document");
  auto* accept = request.add_headers();
  accept->set_name("accept");
  accept->set_value(std::string(net::DefaultAccept("document")));
  return request;
}

bool IsRedirect(std::uint32_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string LocationOf(const ipc::HttpResponse& head) {
  return IsRedirect(head.status()) ? net::HeaderValue(head, "location") : std::string();
}

// HTML "process a navigate response": an HTML document is one whatever its status, such as a worker's page
// for those who are offline; 204 and 205 are no documents.
Result<> CheckDocument(const std::string& url, const ipc::HttpResponse& head) {
  const std::string type = net::CombinedHeader(head, "content-type").value_or("");
  const auto mime = net::MimeType::Extract(type);
  const bool html = mime && (mime->Essence() == "text/html" || mime->Essence() == "application/xhtml+xml");
  const bool ok = head.status() >= 200 && head.status() <= 299;
  if ((!html && !ok) || head.status() == 204 || head.status() == 205) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} cannot be opened: the server answers {}{}{}", url, head.status(),
                            head.status_text().empty() ? "" : " ", head.status_text()));
  }
  if (!html) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is not a page: its type is '{}', not text/html", url, type));
  }
  return {};
}

// HTML "location URL": a redirect keeps the fragment that was asked for.
Result<std::string> NextUrl(const std::string& url, const std::string& location) {
  const auto base = net::Url::Parse(url);
  auto next = net::Url::Parse(location, *base);
  if (!next || !next->IsHttp()) {
    return Fail(ErrorCode::kUnavailable,
                fmt::format("{} redirects to \"{}\", which cannot be followed", url, location));
  }
  if (auto why = net::WhyNotAllowed(*next)) return Fail(ErrorCode::kInvalidArgument, *why);
  if (!next->fragment()) next->SetFragment(base->fragment());
  return next->Href();
}
}  // namespace

asio::awaitable<Result<NavigatedDocument>> DocumentNavigation::Go(NavigationStart start) {
  const std::string url = start.url;
  const auto parsed = net::Url::Parse(url);
  if (!parsed) co_return Fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a URL", url));
  if (auto why = net::WhyNotAllowed(*parsed)) co_return Fail(ErrorCode::kInvalidArgument, *why);
  NavigatedDocument document;
  start.url = parsed->Href();
  document.client_id = MakeUuid();
  for (int hops = 0; hops <= kMaxRedirects; ++hops) {
    auto hop = co_await Ask(start, document.client_id);
    if (!hop) co_return Fail(hop.error());
    if (hop->location.empty()) {
      auto good = CheckDocument(start.url, hop->head);
      if (!good) co_return Fail(good.error());
      document.url = start.url;
      document.html = std::move(hop->body);
      co_return document;
    }
    auto next = NextUrl(start.url, hop->location);
    if (!next) co_return Fail(next.error());
    // A client id names one origin.
    if (net::Url::Parse(*next)->Origin() != net::Url::Parse(start.url)->Origin())
      document.client_id = MakeUuid();
    start.url = std::move(*next);
  }
  co_return Fail(ErrorCode::kUnavailable, fmt::format("{} redirects too often", url));
}

// Developers ask for it: the page is to load with the newest worker, whoever uses the old one.
asio::awaitable<void> DocumentNavigation::ForceUpdate(std::shared_ptr<Registration> registration) {
  co_await context_.jobs->Update(registration, true);
  const auto newest = registration->Newest();
  if (!newest || newest == registration->active) co_return;
  Waiter<bool> activated(context_.executor);
  newest->awaiting_activation.push_back(activated);
  context_.lifecycle->SkipWaiting(newest);
  co_await activated.Get();
}

asio::awaitable<Result<DocumentNavigation::Hop>> DocumentNavigation::Ask(NavigationStart start,
                                                                         std::string client_id) {
  const std::string& url = start.url;
  auto registration = context_.registry->Match(url);
  if (registration && context_.force_update_on_page_load) co_await ForceUpdate(registration);
  if (!registration || !registration->active) co_return co_await AskNetwork(start);
  FetchRouter::FetchIds ids;
  ids.resulting_client_id = std::move(client_id);
  ids.navigation = true;
  ids.reload = start.reload;
  ids.client = NavigationClient(url);
  const auto worker = registration->active;
  auto answer = co_await context_.router->Ask(worker, NavigationRequest(start), std::move(ids));
  if (answer.kind == FetchRouter::Kind::kNetworkError) {
    co_return Fail(ErrorCode::kUnavailable,
                   fmt::format("{} cannot be opened: its service worker answers with a network error{}{}",
                               url, answer.error.empty() ? "" : ": ", answer.error));
  }
  // A worker that passes a redirect on has not seen where it leads. If it is another request's, this one is
  // asked for again.
  const bool opaque = answer.response.type() == ipc::HttpResponse::OPAQUE_REDIRECT;
  if (std::string location = context_.router->TakeRedirect(*worker, url); opaque && !location.empty()) {
    if (answer.body) answer.body->Cancel();
    Hop hop;
    hop.location = std::move(location);
    co_return hop;
  }
  if (answer.kind == FetchRouter::Kind::kFallback || opaque) {
    if (answer.body) answer.body->Cancel();
    co_return co_await AskNetwork(start);
  }
  co_return co_await Read(std::move(answer));
}

asio::awaitable<Result<DocumentNavigation::Hop>> DocumentNavigation::Read(FetchRouter::Answer answer) {
  Hop hop;
  hop.head = std::move(answer.response);
  hop.location = LocationOf(hop.head);
  if (!hop.location.empty()) {
    if (answer.body) answer.body->Cancel();
    co_return hop;
  }
  if (!answer.body) {
    hop.body = hop.head.body().inline_();
    co_return hop;
  }
  auto bytes = co_await Collect(answer.body, kMaxDocumentBytes, context_.executor);
  if (!bytes) co_return Fail(bytes.error());
  hop.body = std::move(*bytes);
  co_return hop;
}

asio::awaitable<Result<DocumentNavigation::Hop>> DocumentNavigation::AskNetwork(
    const NavigationStart& start) {
  const std::string url = start.url;
  net::FetchClient client = NavigationClient(url);
  client.navigated_from = start.from;
  auto fetched = co_await context_.deps.fetcher.FetchAll(client, NavigationRequest(start), kMaxDocumentBytes);
  if (!fetched) {
    co_return Fail(fetched.error().code,
                   fmt::format("{} cannot be opened: {}", url, fetched.error().message));
  }
  Hop hop;
  hop.head = std::move(fetched->head);
  hop.body = std::move(fetched->body);
  hop.location = LocationOf(hop.head);
  co_return hop;
}

}  // namespace vigil::host
