#include "host/navigation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "host/registry.h"
#include "net/fetcher.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {

ipc::HttpRequest NavigationRequest(const std::string& url) {
  ipc::HttpRequest request;
  request.set_method("GET");
  request.set_url(url);
  request.set_mode("navigate");
  request.set_credentials("include");
  request.set_redirect("manual");
  request.set_destination("document");
  auto* accept = request.add_headers();
  accept->set_name("accept");
  accept->set_value("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");
  return request;
}

bool IsRedirect(std::uint32_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string LocationOf(const ipc::HttpResponse& head) {
  return IsRedirect(head.status()) ? net::HeaderValue(head, "location") : std::string();
}

Result<> CheckDocument(const std::string& url, const ipc::HttpResponse& head) {
  if (head.status() < 200 || head.status() > 299) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} cannot be opened: the server answers {}{}{}", url, head.status(),
                            head.status_text().empty() ? "" : " ", head.status_text()));
  }
  std::string type = net::HeaderValue(head, "content-type");
  std::string essence = type.substr(0, type.find(';'));
  essence.erase(essence.find_last_not_of(" \t") + 1);
  std::transform(essence.begin(), essence.end(), essence.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (essence != "text/html" && essence != "application/xhtml+xml") {
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

asio::awaitable<Result<NavigatedDocument>> DocumentNavigation::Go(std::string url) {
  const auto parsed = net::Url::Parse(url);
  if (!parsed) co_return Fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a URL", url));
  if (auto why = net::WhyNotAllowed(*parsed)) co_return Fail(ErrorCode::kInvalidArgument, *why);
  NavigatedDocument document;
  document.url = parsed->Href();
  document.client_id = MakeUuid();
  for (int hops = 0; hops <= kMaxRedirects; ++hops) {
    auto hop = co_await Ask(document.url, document.client_id);
    if (!hop) co_return Fail(hop.error());
    if (hop->location.empty()) {
      auto good = CheckDocument(document.url, hop->head);
      if (!good) co_return Fail(good.error());
      document.html = std::move(hop->body);
      co_return document;
    }
    auto next = NextUrl(document.url, hop->location);
    if (!next) co_return Fail(next.error());
    // A client id names one origin.
    if (net::Url::Parse(*next)->Origin() != net::Url::Parse(document.url)->Origin())
      document.client_id = MakeUuid();
    document.url = std::move(*next);
  }
  co_return Fail(ErrorCode::kUnavailable, fmt::format("{} redirects too often", url));
}

asio::awaitable<Result<DocumentNavigation::Hop>> DocumentNavigation::Ask(std::string url,
                                                                         std::string client_id) {
  auto registration = context_.registry->Match(url);
  if (!registration || !registration->active) co_return co_await AskNetwork(std::move(url));
  FetchRouter::FetchIds ids;
  ids.resulting_client_id = std::move(client_id);
  ids.navigation = true;
  auto answer = co_await context_.router->Ask(registration->active, NavigationRequest(url), std::move(ids));
  if (answer.kind == FetchRouter::Kind::kNetworkError) {
    co_return Fail(ErrorCode::kUnavailable,
                   fmt::format("{} cannot be opened: its service worker answers with a network error{}{}",
                               url, answer.error.empty() ? "" : ": ", answer.error));
  }
  // A worker that passes a redirect on has not seen where it leads: that is asked for again.
  const bool opaque = answer.response.type() == ipc::HttpResponse::OPAQUE_REDIRECT;
  if (answer.kind == FetchRouter::Kind::kFallback || opaque) {
    if (answer.body) answer.body->Cancel();
    co_return co_await AskNetwork(std::move(url));
  }
  co_return co_await Read(std::move(answer));
}

asio::awaitable<Result<DocumentNavigation::Hop>> DocumentNavigation::Read(FetchRouter::Answer answer) {
  Hop hop;
  hop.head = std::move(answer.response);
  hop.location = LocationOf(hop.head);
  const bool wanted = hop.location.empty() && hop.head.status() >= 200 && hop.head.status() <= 299;
  if (!wanted) {
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

asio::awaitable<Result<DocumentNavigation::Hop>> DocumentNavigation::AskNetwork(std::string url) {
  auto fetched = co_await context_.deps.fetcher.FetchAll(NavigationClient(url), NavigationRequest(url),
                                                         kMaxDocumentBytes);
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
