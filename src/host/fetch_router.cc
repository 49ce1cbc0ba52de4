#include "host/fetch_router.h"

#include <fmt/format.h>

#include <utility>

#include "host/clear_site_data.h"
#include "host/fetch_client.h"
#include "host/script_update.h"
#include "host/worker_answer.h"
#include "net/fetch_headers.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
// Of navigations that workers passed on and then did not answer with.
constexpr std::size_t kMaxRedirectsKept = 1000;

tl::unexpected<ScriptError> RefuseModule(std::string why) {
  return tl::unexpected<ScriptError>(ScriptError{"TypeError", std::move(why)});
}

// HTML "fetch a single module script", where the response is looked at.
ScriptResult<std::shared_ptr<const ScriptResource>> ModuleOf(const ipc::ImportScript& wanted,
                                                             net::FetchedResponse response) {
  if (response.head.status() < 200 || response.head.status() > 299) {
    return RefuseModule(fmt::format("the server answers {}", response.head.status()));
  }
  const std::string type = net::CombinedHeader(response.head, "content-type").value_or("");
  if (!IsModuleMimeType(wanted.type(), type)) return RefuseModule(fmt::format("its MIME type is '{}'", type));
  const int hops = response.head.url_list_size();
  return std::make_shared<const ScriptResource>(ScriptResource{
      wanted.url(), hops > 0 ? response.head.url_list(hops - 1) : wanted.url(), std::move(response.body)});
}

ipc::HttpResponse OpaqueRedirect() {
  ipc::HttpResponse response;
  response.set_type(ipc::HttpResponse::OPAQUE_REDIRECT);
  response.set_from_service_worker(true);
  return response;
}
}  // namespace

asio::awaitable<ScriptResult<std::shared_ptr<const ScriptResource>>> FetchRouter::FetchModule(
    std::shared_ptr<Page> page, ipc::ImportScript wanted) {
  ipc::HttpRequest request;
  request.set_method("GET");
  request.set_url(wanted.url());
  request.set_mode("cors");
  request.set_credentials("same-origin");
  request.set_redirect("follow");
  request.set_destination(wanted.type().empty() ? "script" : wanted.type());
  // The daemon does not know which modules of other origins the page has.
  const auto importer = net::Url::Parse(wanted.referrer());
  const bool own = importer && importer->Origin() == page->origin;
  request.set_referrer(own ? wanted.referrer() : "about:client");
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
      co_return RefuseModule("the service worker answers with a network error");
    if (answer.kind == Kind::kResponse) {
      answered = true;
      response.body = answer.response.body().inline_();
      if (answer.body) {
        auto bytes = co_await Collect(answer.body, kMaxScriptBytes, context_.executor);
        if (!bytes) co_return RefuseModule(bytes.error().message);
        response.body = std::move(*bytes);
      }
      response.head = std::move(answer.response);
    }
  }
  if (!answered) {
    auto fetched = co_await context_.deps.fetcher.FetchAll(client, request, kMaxScriptBytes);
    if (!fetched) co_return RefuseModule(fetched.error().message);
    response = std::move(*fetched);
  }
  co_return ModuleOf(wanted, std::move(response));
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

// All of a body, before anybody is asked: for a controller within the request, for the network as an upload.
asio::awaitable<Result<std::shared_ptr<net::UploadBody>>> FetchRouter::HoldBody(
    std::shared_ptr<BodySource> source, bool controlled, ipc::HttpRequest& request) {
  if (controlled) {
    auto bytes = co_await Collect(source, kMaxRequestBody, context_.executor);
    if (!bytes) co_return Fail(bytes.error());
    request.mutable_body()->set_inline_(std::move(*bytes));
    co_return std::shared_ptr<net::UploadBody>();
  }
  auto spool = co_await Spool::Fill(source, context_.options.storage_directory, spooled_, context_.executor);
  if (!spool) co_return Fail(spool.error());
  co_return (*spool)->AsUpload();
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
    auto held = co_await HoldBody(std::move(source), controlled, request);
    if (!held) {
      ReplyError(*process, request_id, "the request's body: " + held.error().message);
      co_return;
    }
    upload = std::move(*held);
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
      // Fetch "main fetch": a response that has URLs keeps them, whatever redirects led the request to the
      // worker.
      if (answer.response.url_list_size() > 0) running->second.redirected_from.clear();
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
  DropUserAgent(context_.options.user_agent, request);
  const bool keepalive = request.keepalive();
  std::weak_ptr<WorkerProcess> weak = process;
  auto on_head = [this, weak, request_id](ipc::HttpResponse head, std::shared_ptr<FetchBody> body) {
    auto target = weak.lock();
    if (!target) return;
    ClearSiteData(context_, target->origin(), head);
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
