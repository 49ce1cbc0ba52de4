#include "host/fetch_router.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/lifecycle.h"
#include "host/local_storage.h"
#include "host/registry.h"
#include "host/script_storage.h"
#include "host/script_update.h"
#include "host/worker_answer.h"
#include "host/worker_policies.h"
#include "net/fetch_headers.h"
#include "net/referrer.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
// Of navigations that workers passed on and then did not answer with.
constexpr std::size_t kMaxRedirectsKept = 1000;

// Fetch, "fetch" step 13 and "main fetch", where Accept, the referrer policy and the referrer are determined:
// before the worker sees the request.
ipc::HttpRequest AsWorkerSeesIt(const Page& page, ipc::HttpRequest request) {
  if (request.referrer_policy().empty())
    request.set_referrer_policy(std::string(net::kDefaultReferrerPolicy));
  const auto source = net::Url::Parse(request.referrer() == "about:client" ? page.url : request.referrer());
  const auto target = net::Url::Parse(request.url());
  if (source && target) {
    request.set_referrer(net::ReferrerFor(request.referrer_policy(), *source, *target));
  }
  const auto names_accept = [](const ipc::HttpHeader& header) {
    return net::SameName(header.name(), "accept");
  };
  if (std::none_of(request.headers().begin(), request.headers().end(), names_accept)) {
    auto* accept = request.add_headers();
    accept->set_name("accept");
    accept->set_value(std::string(net::DefaultAccept(request.destination())));
  }
  return request;
}

ipc::HttpResponse OpaqueRedirect() {
  ipc::HttpResponse response;
  response.set_type(ipc::HttpResponse::OPAQUE_REDIRECT);
  response.set_from_service_worker(true);
  return response;
}
}  // namespace

// Only documents navigate; a worker may pass a navigation of its own pages on ("fetch(event.request)").
void TameMode(const net::FetchClient& client, ipc::HttpRequest& request) {
  // Fetched by the daemon itself, and servers take its word for it (Sec-Fetch-Dest).
  if (request.destination() == "serviceworker") request.clear_destination();
  if (request.mode() != "navigate" || client.trusted) return;
  auto url = net::Url::Parse(request.url());
  request.set_mode(url && url->Origin() == client.origin ? "same-origin" : "cors");
  if (request.redirect().empty()) request.set_redirect("manual");
}

net::FetchClient ClientOf(const ProcessOwner& owner) {
  net::FetchClient client;
  if (owner.page) {
    client.origin = owner.page->origin;
    client.url = owner.page->url;
  } else {
    client.origin = owner.version->origin;
    client.url = owner.version->script_url;
    client.referrer_policy = owner.version->referrer_policy;
    ApplyPolicies(owner.version, client);
  }
  return client;
}

net::FetchClient NavigationClient(const std::string& url) {
  net::FetchClient client;
  if (const auto parsed = net::Url::Parse(url)) client.origin = parsed->Origin();
  client.trusted = true;
  return client;
}

asio::awaitable<ScriptResult<std::shared_ptr<const ScriptResource>>> FetchRouter::FetchModule(
    std::shared_ptr<Page> page, std::string url) {
  auto refuse = [](std::string why) {
    return tl::unexpected<ScriptError>(ScriptError{"TypeError", std::move(why)});
  };
  ipc::HttpRequest request;
  request.set_method("GET");
  request.set_url(url);
  request.set_mode("cors");
  request.set_credentials("same-origin");
  request.set_redirect("follow");
  request.set_destination("script");
  request.set_referrer("about:client");
  ProcessOwner owner;
  owner.page = page;
  const net::FetchClient client = ClientOf(owner);
  net::FetchedResponse response;
  bool answered = false;
  if (page->controller) {
    FetchIds ids;
    ids.client_id = page->id;
    ids.client = client;
    auto answer = co_await Ask(page->controller, AsWorkerSeesIt(*page, request), std::move(ids));
    if (answer.kind == Kind::kNetworkError)
      co_return refuse("the service worker answers with a network error");
    if (answer.kind == Kind::kResponse) {
      answered = true;
      response.body = answer.response.body().inline_();
      if (answer.body) {
        auto bytes = co_await Collect(answer.body, kMaxScriptBytes, context_.executor);
        if (!bytes) co_return refuse(bytes.error().message);
        response.body = std::move(*bytes);
      }
      response.head = std::move(answer.response);
    }
  }
  if (!answered) {
    auto fetched = co_await context_.deps.fetcher.FetchAll(client, request, kMaxScriptBytes);
    if (!fetched) co_return refuse(fetched.error().message);
    response = std::move(*fetched);
  }
  if (response.head.status() < 200 || response.head.status() > 299) {
    co_return refuse(fmt::format("the server answers {}", response.head.status()));
  }
  std::string type = net::HeaderValue(response.head, "content-type");
  if (!IsJavaScriptMimeType(type)) co_return refuse(fmt::format("its MIME type is '{}'", type));
  int hops = response.head.url_list_size();
  co_return std::make_shared<const ScriptResource>(
      ScriptResource{url, hops > 0 ? response.head.url_list(hops - 1) : url, std::move(response.body)});
}

void FetchRouter::OnFetch(WorkerProcess& process, const ProcessOwner& owner, std::uint64_t request_id,
                          ipc::HttpRequest request) {
  Key key(process.id(), request_id);
  const auto verdict = process.BeginFetch(request_id);
  if (verdict == WorkerProcess::FetchVerdict::kKilled) return;
  running_[key] = Running();
  bool streams = request.body().has_stream();
  if (verdict == WorkerProcess::FetchVerdict::kRefused) {
    // As a browser does (net::ERR_INSUFFICIENT_RESOURCES).
    if (streams) process.RefuseBody(request.body().stream());
    return ReplyError(process, request_id,
                      fmt::format("more than {} fetches are under way", context_.options.caps.fetches));
  }
  bool controlled = owner.page && owner.page->controller && owner.page->controller->TakesFetches();
  auto shared = process.shared_from_this();
  if (!streams && !controlled) return FromNetwork(shared, owner, request_id, std::move(request));
  if (!controlled && !request.body().has_size()) {
    auto source = ProcessBody::Open(process, request.body().stream());
    if (!source) return;
    return FromNetwork(shared, owner, request_id, std::move(request), StreamUpload(std::move(source)));
  }
  context_.Spawn(Route(shared, owner, request_id, std::move(request)));
}

asio::awaitable<void> FetchRouter::Route(std::shared_ptr<WorkerProcess> process, ProcessOwner owner,
                                         std::uint64_t request_id, ipc::HttpRequest request) {
  Key key(process->id(), request_id);
  auto controller = owner.page ? owner.page->controller : nullptr;
  bool controlled = controller && controller->TakesFetches();
  std::shared_ptr<net::UploadBody> upload;
  if (request.body().has_stream()) {
    auto source = ProcessBody::Open(*process, request.body().stream());
    if (!source) co_return;
    Error problem;
    if (controlled) {
      auto bytes = co_await Collect(source, kMaxRequestBody, context_.executor);
      if (bytes) request.mutable_body()->set_inline_(std::move(*bytes));
      if (!bytes) problem = bytes.error();
    } else {
      auto spool =
          co_await Spool::Fill(source, context_.options.storage_directory, spooled_, context_.executor);
      if (spool) upload = (*spool)->AsUpload();
      if (!spool) problem = spool.error();
    }
    if (!problem.message.empty()) {
      ReplyError(*process, request_id, "the request's body: " + problem.message);
      co_return;
    }
  }
  if (!running_.contains(key)) co_return;
  while (controlled) {
    FetchIds ids;
    ids.client_id = owner.page->id;
    ids.client = ClientOf(owner);
    auto answer = co_await Ask(controller, AsWorkerSeesIt(*owner.page, request), std::move(ids));
    auto running = running_.find(key);
    if (running == running_.end()) {
      if (answer.body) answer.body->Cancel();
      co_return;
    }
    if (answer.kind == Kind::kFallback) break;
    auto target = RedirectTarget(request, answer.response);
    const bool follows = target && request.redirect() == "follow";
    if (target && answer.body) std::exchange(answer.body, nullptr)->Cancel();
    if (answer.kind == Kind::kNetworkError || (target && request.redirect() == "error") ||
        running->second.redirected_from.size() >= kMaxWorkerRedirects) {
      ReplyError(*process, request_id,
                 answer.error.empty() ? "the service worker answered with a network error" : answer.error);
      co_return;
    }
    if (!follows) {
      if (target) answer.response = OpaqueRedirect();
      FilterWorkerAnswer(request, answer.response);
      Reply(*process, request_id, std::move(answer.response), std::move(answer.body));
      co_return;
    }
    running->second.redirected_from.push_back(request.url());
    FollowTo(*target, answer.response, request);
  }
  FromNetwork(process, owner, request_id, std::move(request), std::move(upload));
}

void FetchRouter::FromNetwork(const std::shared_ptr<WorkerProcess>& process, const ProcessOwner& owner,
                              std::uint64_t request_id, ipc::HttpRequest request,
                              std::shared_ptr<net::UploadBody> upload) {
  Key key(process->id(), request_id);
  net::FetchClient client = ClientOf(owner);
  client.passes_navigation_on = request.mode() == "navigate";
  TameMode(client, request);
  const bool keepalive = request.keepalive();
  std::weak_ptr<WorkerProcess> weak = process;
  auto on_head = [this, weak, request_id](ipc::HttpResponse head, std::shared_ptr<FetchBody> body) {
    auto target = weak.lock();
    if (!target) return;
    ClearSiteData(target->origin(), head);
    Reply(*target, request_id, std::move(head), std::move(body));
  };
  FetchBody::RedirectHandler on_redirect;
  if (client.passes_navigation_on && owner.version) {
    on_redirect = [this, from = std::pair(owner.version->id, request.url())](std::string location) {
      if (redirects_.size() >= kMaxRedirectsKept) redirects_.clear();
      redirects_[from] = std::move(location);
    };
  }
  running_[key].keepalive = keepalive;
  running_[key].body = FetchBody::Fetch(context_.deps.fetcher, client, std::move(request), std::move(on_head),
                                        std::move(upload), std::move(on_redirect));
}

// Clear Site Data section 4: what an origin's own response orders for it. The workers go before the response
// arrives; files are deleted in their turn.
void FetchRouter::ClearSiteData(const std::string& origin, const ipc::HttpResponse& head) {
  if (head.type() != ipc::HttpResponse::BASIC) return;
  const std::string order = net::HeaderValue(head, "clear-site-data");
  if (order.empty()) return;
  const auto orders = [&](std::string_view what) {
    return order.find(what) != std::string::npos || order.find("\"*\"") != std::string::npos;
  };
  if (orders("\"storage\"")) {
    for (const auto& registration : context_.registry->OfOrigin(origin)) {
      context_.lifecycle->Unregister(registration, true);
    }
    context_.Spawn([](HostContext& context, std::string of) -> asio::awaitable<void> {
      auto local = co_await context.local_storage->Clear(of);
      auto scripts = co_await context.storage->Clear(of);
      if (!local || !scripts)
        context.Report(of, 0, "its storage could not be cleared as Clear-Site-Data orders");
    }(context_, origin));
  }
  // A fetch is under way in there.
  if (orders("\"cookies\"")) {
    asio::post(context_.executor,
               [context = &context_, origin] { context->deps.fetcher.ClearOrigin(origin); });
  }
}

void FetchRouter::Reply(WorkerProcess& process, std::uint64_t request_id, ipc::HttpResponse response,
                        std::shared_ptr<BodySource> body) {
  auto found = running_.find(Key(process.id(), request_id));
  if (found == running_.end()) {
    if (body && !orphans_.contains(Key(process.id(), request_id))) body->Cancel();
    return;
  }
  auto keep = std::move(found->second.body);
  auto redirected_from = std::move(found->second.redirected_from);
  running_.erase(found);
  if (!redirected_from.empty() && response.url_list_size() > 0) {
    redirected_from.insert(redirected_from.end(), response.url_list().begin(), response.url_list().end());
    response.mutable_url_list()->Assign(redirected_from.begin(), redirected_from.end());
  }
  ipc::Reply reply;
  reply.set_id(request_id);
  if (body) response.mutable_body()->set_stream(PumpTo(process, std::move(body), context_.executor));
  *reply.mutable_response() = std::move(response);
  process.Reply(std::move(reply));
  // A response without a body needs its fetch no longer, but this may be a call from inside the fetch.
  if (keep) asio::post(context_.executor, [keep] {});
}

std::string FetchRouter::TakeRedirect(const Version& version, const std::string& url) {
  auto found = redirects_.extract(std::pair(version.id, url));
  return found ? std::move(found.mapped()) : std::string();
}

void FetchRouter::ReplyError(WorkerProcess& process, std::uint64_t request_id, const std::string& why) {
  ipc::HttpResponse response;
  response.set_type(ipc::HttpResponse::ERROR);
  response.set_error(why);
  Reply(process, request_id, std::move(response), nullptr);
}

void FetchRouter::OnCancel(WorkerProcess& process, std::uint64_t request_id) {
  auto found = running_.find(Key(process.id(), request_id));
  if (found == running_.end()) return;
  auto body = std::move(found->second.body);
  running_.erase(found);
  process.EndRequest(request_id);
  if (body) body->Cancel();
}

void FetchRouter::OnProcessEnded(std::uint64_t process_id) {
  auto from = running_.lower_bound(Key(process_id, 0));
  auto to = running_.lower_bound(Key(process_id + 1, 0));
  std::map<Key, Running> left(from, to);
  running_.erase(from, to);
  for (auto& [key, running] : left) {
    if (!running.body) continue;
    if (running.keepalive) {
      LetFinish(key, std::move(running.body));
    } else {
      running.body->Cancel();
    }
  }
}

// A keepalive request outlives who made it; nobody looks at what comes back.
void FetchRouter::LetFinish(Key key, std::shared_ptr<FetchBody> body) {
  orphans_[key] = body;
  std::weak_ptr<BodySource> weak = body;
  body->Start(
      [weak](std::string_view data) {
        if (auto self = weak.lock()) self->Grant(static_cast<std::uint32_t>(data.size()));
      },
      [this, key](const std::string&) {
        auto found = orphans_.find(key);
        auto keep = std::move(found->second);
        orphans_.erase(found);
        asio::post(context_.executor, [keep] {});
      });
}

}  // namespace vigil::host
