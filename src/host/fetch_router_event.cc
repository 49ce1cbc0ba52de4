// FetchRouter's way to a service worker: its static routes, then the fetch event ("Handle Fetch" of the
// Service Workers specification).
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "host/fetch_client.h"
#include "host/fetch_router.h"
#include "host/navigation_preload.h"
#include "host/registry.h"
#include "host/runner.h"
#include "host/script_storage.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {

FetchRouter::Answer Fallback() {
  FetchRouter::Answer answer;
  answer.kind = FetchRouter::Kind::kFallback;
  return answer;
}

std::shared_ptr<FetchRouter::Answer> AnswerOf(ipc::FetchResponse message, const Version& version) {
  auto answer = std::make_shared<FetchRouter::Answer>();
  if (message.kind() == ipc::FetchResponse::FALLBACK) {
    answer->kind = FetchRouter::Kind::kFallback;
    return answer;
  }
  if (message.kind() != ipc::FetchResponse::RESPONSE) {
    answer->error = message.response().error();
    return answer;
  }
  answer->kind = FetchRouter::Kind::kResponse;
  answer->response = std::move(*message.mutable_response());
  if (answer->response.type() == ipc::HttpResponse::ERROR) {
    answer->kind = FetchRouter::Kind::kNetworkError;
    answer->error = answer->response.error();
  }
  if (answer->response.body().has_stream()) {
    if (version.process) {
      answer->body = ProcessBody::Open(*version.process, answer->response.body().stream());
    }
    answer->response.clear_body();
  }
  answer->response.set_from_service_worker(true);
  return answer;
}

// What a fetch handler could not answer this request with, a cache cannot either.
bool MayAnswer(const ipc::HttpResponse& response, const ipc::HttpRequest& request) {
  using R = ipc::HttpResponse;
  if (response.type() == R::OPAQUE && request.mode() != "no-cors") return false;
  if (response.type() == R::OPAQUE_REDIRECT && request.redirect() != "manual") return false;
  if (response.type() == R::CORS && request.mode() == "same-origin") return false;
  return response.url_list_size() <= 1 || request.redirect() == "follow";
}
}  // namespace

asio::awaitable<FetchRouter::Answer> FetchRouter::Ask(std::shared_ptr<Version> version,
                                                      ipc::HttpRequest request, FetchIds ids) {
  if (version->state == VersionState::kActivating) {
    Waiter<bool> activated(context_.executor);
    version->awaiting_activation.push_back(activated);
    bool active = co_await activated.Get();
    if (!active) co_return Fallback();
  }
  const bool running = version->process && version->process->running();
  const auto route = version->routes.Match(request, running);
  const auto source = route ? route->source : StaticRoutes::Source::kFetchEvent;
  if (source == StaticRoutes::Source::kNetwork) co_return Fallback();
  if (source == StaticRoutes::Source::kCache)
    co_return co_await AskCache(version->origin, std::move(request), route->cache_name);
  if (source == StaticRoutes::Source::kRace)
    co_return co_await Race(std::move(version), std::move(request), std::move(ids));
  co_return co_await AskEvent(std::move(version), std::move(request), std::move(ids));
}

asio::awaitable<FetchRouter::Answer> FetchRouter::AskEvent(std::shared_ptr<Version> version,
                                                           ipc::HttpRequest request, FetchIds ids) {
  if (!version->Handles("fetch")) co_return Fallback();
  auto preload = ids.navigation ? Preload(*version, request) : nullptr;
  Waiter<std::shared_ptr<Answer>> answered(context_.executor);
  ipc::Event event;
  auto* fetch = event.mutable_fetch();
  *fetch->mutable_request() = std::move(request);
  AddUserAgent(context_.options.user_agent, *fetch->mutable_request());
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
    answered.Set(AnswerOf(std::move(message), *version));
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

// Where navigation preload begins. Null: it is not wanted.
std::shared_ptr<NavigationPreload> FetchRouter::Preload(const Version& version,
                                                        const ipc::HttpRequest& request) {
  auto registration = context_.registry->ById(version.registration_id);
  if (!registration || !registration->preload.enabled || request.method() != "GET") return nullptr;
  return NavigationPreload::Start(context_, request, registration->preload.header_value);
}

// The source "cache": without an entry the network is asked.
asio::awaitable<FetchRouter::Answer> FetchRouter::AskCache(std::string origin, ipc::HttpRequest request,
                                                           std::optional<std::string> cache_name) {
  auto found = co_await context_.storage->MatchCache(std::move(origin), request, std::move(cache_name));
  if (!found) co_return Fallback();
  Answer answer;
  if (!MayAnswer(found->response, request)) {
    answer.error = "a static route led to a cached response that may not answer this request";
    if (found->body) found->body->Cancel();
    co_return answer;
  }
  answer.kind = Kind::kResponse;
  answer.response = std::move(found->response);
  answer.body = std::move(found->body);
  answer.response.set_from_service_worker(true);
  co_return answer;
}

// The source "race-network-and-fetch-handler": the network wins with a status of success, the handler with a
// response. What neither decides, the other one does.
asio::awaitable<FetchRouter::Answer> FetchRouter::Race(std::shared_ptr<Version> version,
                                                       ipc::HttpRequest request, FetchIds ids) {
  using Answered = Waiter<std::shared_ptr<Answer>>;
  Answered first(context_.executor), network(context_.executor);
  net::FetchClient client = ids.client;
  ipc::HttpRequest outgoing = request;
  TameMode(client, outgoing);
  auto on_head = [first, network](ipc::HttpResponse head, std::shared_ptr<FetchBody> body) {
    auto answer = std::make_shared<Answer>();
    const bool failed = head.type() == ipc::HttpResponse::ERROR;
    answer->kind = failed ? Kind::kNetworkError : Kind::kResponse;
    answer->error = head.error();
    answer->response = std::move(head);
    answer->body = std::move(body);
    const auto status = answer->response.status();
    if (!failed && status >= 200 && status <= 299) first.Set(answer);
    network.Set(std::move(answer));
  };
  auto fetching = FetchBody::Fetch(context_.deps.fetcher, client, std::move(outgoing), std::move(on_head));
  auto run = [](FetchRouter* self, std::shared_ptr<Version> target, ipc::HttpRequest asked, FetchIds with,
                Answered winner, Answered other) -> asio::awaitable<void> {
    auto answer = co_await self->AskEvent(std::move(target), std::move(asked), std::move(with));
    const auto body = answer.body;
    const bool decided = answer.kind != Kind::kFallback;
    if (decided && !winner.Set(std::make_shared<Answer>(std::move(answer))) && body) body->Cancel();
    if (decided) co_return;
    auto rest = co_await other.Get();
    winner.Set(std::move(rest));
  };
  context_.Spawn(run(this, std::move(version), std::move(request), std::move(ids), first, network));
  auto answer = co_await first.Get();
  if (answer->body != fetching) fetching->Cancel();
  co_return *answer;
}

}  // namespace vigil::host
