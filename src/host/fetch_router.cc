#include "host/fetch_router.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/lifecycle.h"
#include "host/local_storage.h"
#include "host/navigation_preload.h"
#include "host/registry.h"
#include "host/runner.h"
#include "host/script_storage.h"
#include "host/script_update.h"
#include "host/worker_answer.h"
#include "net/fetch_headers.h"
#include "net/referrer.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
// Of navigations that workers passed on and then did not answer with.
constexpr std::size_t kMaxRedirectsKept = 1000;

// Only documents navigate; a worker may pass a navigation of its own pages on ("fetch(event.request)").
void Tame(const std::string& origin, ipc::HttpRequest& request) {
  // Fetched by the daemon itself, and servers take its word for it (Sec-Fetch-Dest).
  if (request.destination() == "serviceworker") request.clear_destination();
  if (request.mode() != "navigate") return;
  auto url = net::Url::Parse(request.url());
  request.set_mode(url && url->Origin() == origin ? "same-origin" : "cors");
  if (request.redirect().empty()) request.set_redirect("manual");
}

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

net::FetchClient ClientOf(const ProcessOwner& owner) {
  net::FetchClient client;
  if (owner.page) {
    client.origin = owner.page->origin;
    client.url = owner.page->url;
  } else {
    client.origin = owner.version->origin;
    client.url = owner.version->script_url;
    client.referrer_policy = owner.version->referrer_policy;
  }
  return client;
}

net::FetchClient NavigationClient(const std::string& url) {
  net::FetchClient client;
  if (const auto parsed = net::Url::Parse(url)) client.origin = parsed->Origin();
  client.trusted = true;
  return client;
}

asio::awaitable<FetchRouter::Answer> FetchRouter::Ask(std::shared_ptr<Version> version,
                                                      ipc::HttpRequest request, FetchIds ids) {
  Answer none;
  none.kind = Kind::kFallback;
  if (version->state == VersionState::kActivating) {
    Waiter<bool> activated(context_.executor);
    version->awaiting_activation.push_back(activated);
    bool active = co_await activated.Get();
    if (!active) co_return none;
  }
  if (!version->Handles("fetch")) co_return none;
  auto preload = ids.navigation ? Preload(*version, request) : nullptr;
  Waiter<std::shared_ptr<Answer>> answered(context_.executor);
  ipc::Event event;
  auto* fetch = event.mutable_fetch();
  *fetch->mutable_request() = std::move(request);
  fetch->set_client_id(ids.client_id);
  fetch->set_resulting_client_id(ids.resulting_client_id);
  fetch->set_preload(preload != nullptr);
  fetch->set_reload(ids.reload);
  Runner::DispatchOptions options;
  if (preload) {
    options.on_sent = [preload](WorkerProcess& process, std::uint64_t event_id) {
      preload->DeliverTo(process, event_id);
    };
  }
  options.on_response = [version, answered](ipc::FetchResponse message) {
    auto answer = std::make_shared<Answer>();
    if (message.kind() == ipc::FetchResponse::FALLBACK) {
      answer->kind = Kind::kFallback;
    } else if (message.kind() == ipc::FetchResponse::RESPONSE) {
      answer->kind = Kind::kResponse;
      answer->response = std::move(*message.mutable_response());
      if (answer->response.type() == ipc::HttpResponse::ERROR) {
        answer->kind = Kind::kNetworkError;
        answer->error = answer->response.error();
      }
      if (answer->response.body().has_stream() && version->process) {
        answer->body = ProcessBody::Open(*version->process, answer->response.body().stream());
      }
      if (answer->response.body().has_stream()) answer->response.clear_body();
      answer->response.set_from_service_worker(true);
    } else {
      answer->error = message.response().error();
    }
    answered.Set(std::move(answer));
  };
  // The event goes on (waitUntil) after the answer, and its preload with it; what decides is whichever comes
  // first, the answer or the end.
  auto run = [](FetchRouter* self, std::shared_ptr<Version> target, ipc::Event message,
                Runner::DispatchOptions with, Waiter<std::shared_ptr<Answer>> answer,
                std::shared_ptr<NavigationPreload>) -> asio::awaitable<void> {
    auto dispatched = co_await self->context_.runner->Dispatch(target, std::move(message), std::move(with));
    auto failed = std::make_shared<Answer>();
    // A worker that cannot be started does not keep its pages from the network ("Handle Fetch", step 24).
    failed->kind = dispatched.started ? Kind::kNetworkError : Kind::kFallback;
    failed->error = dispatched.result.error;
    answer.Set(std::move(failed));
  };
  context_.Spawn(run(this, version, std::move(event), std::move(options), answered, preload));
  auto answer = co_await answered.Get();
  co_return std::move(*answer);
}

// "Handle Fetch", where navigation preload begins. Null: it is not wanted.
std::shared_ptr<NavigationPreload> FetchRouter::Preload(const Version& version,
                                                        const ipc::HttpRequest& request) {
  auto registration = context_.registry->ById(version.registration_id);
  if (!registration || !registration->preload.enabled || request.method() != "GET") return nullptr;
  return NavigationPreload::Start(context_, request, registration->preload.header_value);
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
  net::FetchedResponse response;
  bool answered = false;
  if (page->controller) {
    FetchIds ids;
    ids.client_id = page->id;
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
    ProcessOwner owner;
    owner.page = page;
    auto fetched = co_await context_.deps.fetcher.FetchAll(ClientOf(owner), request, kMaxScriptBytes);
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
  bool controlled = owner.page && owner.page->controller && !request.skip_service_worker() &&
                    owner.page->controller->Handles("fetch");
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
  bool controlled = controller && !request.skip_service_worker() && controller->Handles("fetch");
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
  Tame(client.origin, request);
  auto body = std::make_shared<FetchBody>();
  std::weak_ptr<WorkerProcess> weak = process;
  std::weak_ptr<FetchBody> weak_body = body;
  net::FetchHandlers handlers;
  handlers.on_head = [this, weak, weak_body, request_id](ipc::HttpResponse head, bool has_body) {
    auto target = weak.lock();
    auto source = weak_body.lock();
    if (!target || !source) return;
    ClearSiteData(target->origin(), head);
    Reply(*target, request_id, std::move(head), has_body ? source : nullptr);
  };
  handlers.on_data = [weak_body](std::string_view data) {
    if (auto source = weak_body.lock()) source->Receive(data);
  };
  handlers.on_done = [weak_body](Result<> result) {
    auto source = weak_body.lock();
    if (!source) return;
    if (result) {
      source->Finish({});
    } else {
      source->Finish(result.error().message);
    }
  };
  if (client.passes_navigation_on && owner.version) {
    handlers.on_redirect = [this, from = std::pair(owner.version->id, request.url())](std::string location) {
      if (redirects_.size() >= kMaxRedirectsKept) redirects_.clear();
      redirects_[from] = std::move(location);
    };
  }
  running_[key].body = body;
  running_[key].keepalive = request.keepalive();
  body->SetFetch(
      context_.deps.fetcher.Start(client, std::move(request), std::move(handlers), std::move(upload)));
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
