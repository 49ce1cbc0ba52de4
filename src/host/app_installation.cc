#include "host/app_installation.h"

#include <fmt/format.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "host/jobs.h"
#include "host/lifecycle.h"
#include "host/manifest.h"
#include "host/navigation.h"
#include "host/pages.h"
#include "host/registry.h"
#include "net/fetcher.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
// Real time. A page that has nothing under way for this long will register no service worker.
constexpr auto kCalmLimit = std::chrono::seconds(5);
constexpr auto kInstallLimit = std::chrono::minutes(5);
constexpr auto kLookInterval = std::chrono::milliseconds(10);
}  // namespace

asio::awaitable<Result<store::StoredApp>> AppInstallation::Prepare(std::string url, ConsoleSink console) {
  auto target = co_await Identify(url);
  if (!target) co_return Fail(target.error());
  origin_ = net::Url::Parse(target->page_url)->Origin();
  for (const auto& registration : context_.registry->OfOrigin(origin_)) before_.insert(registration->id);
  context_.jobs->TakeFailure(origin_);
  PageOptions how;
  auto page = co_await context_.pages->OpenClient(target->page_url, std::move(how), std::move(console));
  if (!page) co_return Fail(page.error());
  page_ = *page;
  if (target->manifest_url.empty()) {
    target->manifest_url = page_->manifest_url;
    if (target->manifest_url.empty()) {
      co_return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("{} links no web app manifest (<link rel=\"manifest\" href=…>)", page_->url));
    }
    auto fetched = co_await FetchManifest(page_->origin, page_->url, target->manifest_url);
    if (!fetched) co_return Fail(fetched.error());
    target->manifest_json = std::move(*fetched);
  }
  auto manifest = ParseManifest(target->manifest_json, target->manifest_url, page_->url);
  if (!manifest) co_return Fail(manifest.error());
  auto ready = co_await WaitForWorker(page_);
  if (!ready) co_return Fail(ready.error());
  store::StoredApp stored;
  stored.id = manifest->id;
  stored.origin = page_->origin;
  stored.name = manifest->name;
  stored.start_url = manifest->start_url;
  stored.scope = manifest->scope;
  stored.manifest_url = target->manifest_url;
  stored.manifest_json = target->manifest_json;
  stored.install_url = std::move(url);
  stored.installed_at = context_.deps.clock.now().wall;
  co_return stored;
}

// Is it a page or a manifest?
asio::awaitable<Result<AppInstallation::Target>> AppInstallation::Identify(std::string url) {
  auto parsed = net::Url::Parse(url);
  if (!parsed) co_return Fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not a URL", url));
  if (auto why = net::WhyNotAllowed(*parsed)) co_return Fail(ErrorCode::kInvalidArgument, *why);
  ipc::HttpRequest request;
  request.set_method("GET");
  request.set_url(parsed->Href());
  request.set_mode("same-origin");
  request.set_credentials("include");
  request.set_redirect("follow");
  net::FetchClient client;
  client.origin = parsed->Origin();
  client.trusted = true;
  auto fetched = co_await context_.deps.fetcher.FetchAll(client, std::move(request),
                                                         DocumentNavigation::kMaxDocumentBytes);
  if (!fetched) {
    co_return Fail(fetched.error().code,
                   fmt::format("{} cannot be installed: {}", url, fetched.error().message));
  }
  if (fetched->head.status() < 200 || fetched->head.status() > 299) {
    co_return Fail(ErrorCode::kNotFound,
                   fmt::format("{} cannot be installed: the server answers {}", url, fetched->head.status()));
  }
  Target target;
  target.page_url = parsed->Href();
  std::string type = net::HeaderValue(fetched->head, "content-type");
  if (type.starts_with("text/html") || type.starts_with("application/xhtml+xml")) co_return target;
  bool json = type.find("json") != std::string::npos || parsed->path().ends_with(".webmanifest") ||
              parsed->path().ends_with(".json");
  if (!json) {
    co_return Fail(ErrorCode::kInvalidArgument,
                   fmt::format("{} is neither a page nor a web app manifest: its type is '{}'", url, type));
  }
  auto manifest = ParseManifest(fetched->body, parsed->Href(), {});
  if (!manifest) co_return Fail(manifest.error());
  target.page_url = manifest->start_url;
  target.manifest_url = parsed->Href();
  target.manifest_json = std::move(fetched->body);
  co_return target;
}

asio::awaitable<Result<>> AppInstallation::WaitForWorker(std::shared_ptr<Page> page) {
  using Steady = std::chrono::steady_clock;
  asio::steady_timer pause(context_.executor);
  auto deadline = Steady::now() + kInstallLimit;
  auto calm_since = Steady::now();
  for (;;) {
    // Many pages reload themselves when their worker takes over.
    if (auto now = context_.pages->InWindow(page->window)) page = std::move(now);
    auto registration = context_.registry->Match(page->url);
    if (registration && registration->active && registration->active->state == VersionState::kActivated) {
      co_return Result<>();
    }
    bool waits = registration && (registration->installing || registration->waiting || registration->active);
    if (!waits && !context_.jobs->HasJobs(page->origin)) {
      if (auto failure = context_.jobs->TakeFailure(page->origin)) {
        co_return Fail(ErrorCode::kAborted, fmt::format("{} cannot be installed: {}", page->url, *failure));
      }
    }
    if (!page->process && !page->loading) {
      co_return Fail(ErrorCode::kAborted, fmt::format("{} cannot be installed: its page ended", page->url));
    }
    auto now = Steady::now();
    bool busy = waits || !page->process || page->process->requests_under_way() > 0 ||
                context_.jobs->HasJobs(page->origin);
    if (busy) calm_since = now;
    if (now - calm_since > kCalmLimit) {
      co_return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("{} cannot be installed: the page registers no service worker for itself", page->url));
    }
    if (now > deadline) {
      co_return Fail(
          ErrorCode::kTimeout,
          fmt::format("{} cannot be installed: its service worker does not become active", page->url));
    }
    pause.expires_after(kLookInterval);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<Result<std::string>> AppInstallation::FetchManifest(std::string origin, std::string referrer,
                                                                    std::string url) {
  ipc::HttpRequest request;
  request.set_method("GET");
  request.set_url(url);
  request.set_mode("cors");
  request.set_credentials("same-origin");
  request.set_redirect("follow");
  request.set_destination("manifest");
  net::FetchClient client;
  client.origin = std::move(origin);
  client.url = std::move(referrer);
  client.trusted = true;
  auto fetched = co_await context_.deps.fetcher.FetchAll(client, std::move(request), kMaxManifestBytes);
  if (!fetched) {
    co_return Fail(fetched.error().code, fmt::format("the web app manifest {} cannot be fetched: {}", url,
                                                     fetched.error().message));
  }
  if (fetched->head.status() < 200 || fetched->head.status() > 299) {
    co_return Fail(ErrorCode::kNotFound,
                   fmt::format("the web app manifest {} cannot be fetched: the server answers {}", url,
                               fetched->head.status()));
  }
  co_return std::move(fetched->body);
}

void AppInstallation::ClosePage() {
  if (page_) context_.pages->CloseWindow(*std::exchange(page_, nullptr));
}

asio::awaitable<void> AppInstallation::Undo() {
  ClosePage();
  if (origin_.empty()) co_return;
  asio::steady_timer pause(context_.executor);
  for (int round = 0; round < 1000; ++round) {
    for (const auto& registration : context_.registry->OfOrigin(origin_)) {
      if (!before_.contains(registration->id)) context_.lifecycle->Unregister(registration, true);
    }
    if (!context_.jobs->HasJobs(origin_)) co_return;
    pause.expires_after(kLookInterval);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

}  // namespace vigil::host
