#include "control/devtools/worker_reach.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>
#include <utility>
#include <vector>

#include "host/host.h"

namespace vigil::control::devtools {
namespace asio = boost::asio;
namespace json = boost::json;

asio::awaitable<Result<>> WorkerReach::Attach() {
  if (session_) co_return Result<>();
  const auto self = shared_from_this();
  std::string scope;
  for (const auto& registration : services_.host.Registrations()) {
    if (registration.origin == origin_ && registration.active) scope = registration.scope;
  }
  if (scope.empty())
    co_return Fail(ErrorCode::kUnavailable, fmt::format("{} has no active service worker to ask", origin_));
  const auto started = co_await services_.host.StartWorker(std::move(scope));
  if (!started) co_return Fail(started.error());
  if (left_) co_return Fail(ErrorCode::kUnavailable, "the tool has left");
  if (session_) co_return Result<>();  // another command was faster
  for (const auto& target : services_.host.InspectorTargets()) {
    if (!started->active || target.version_id != started->active->version_id) continue;
    host::InspectorHandlers handlers;
    handlers.message = [this](const std::string& text) { OnMessage(text); };
    handlers.detached = [weak = weak_from_this()](const std::string& reason) {
      if (const auto gone = weak.lock()) gone->End(reason);
    };
    auto session = services_.host.Inspect(target.process, std::move(handlers));
    if (!session) co_return Fail(session.error());
    session_ = std::move(*session);
    co_return Result<>();
  }
  co_return Fail(ErrorCode::kUnavailable, "the service worker has ended right after its start");
}

void WorkerReach::Leave() {
  left_ = true;
  End("the tool has left");
}

void WorkerReach::End(const std::string& reason) {
  auto waiting = std::exchange(waiting_, {});
  // Not inside a call of the session.
  if (session_)
    asio::post(services_.loop, [old = std::shared_ptr<host::InspectorSession>(std::move(session_))] {});
  for (auto& [id, waiter] : waiting) waiter.Set(Refuse("The service worker does not answer: " + reason));
}

// The worker is not trusted: whatever it answers, it is about its own data.
void WorkerReach::OnMessage(const std::string& text) {
  if (session_) session_->Taken(text.size());
  auto message = ParseMessage(text);
  if (!message) return;
  const json::value* id = message->if_contains("id");
  const auto found = id != nullptr && id->is_int64() ? waiting_.find(id->get_int64()) : waiting_.end();
  if (found == waiting_.end()) return;
  auto waiter = found->second;
  waiting_.erase(found);
  json::value* result = message->if_contains("result");
  if (result != nullptr && result->is_object()) {
    waiter.Set(std::move(result->as_object()));
    return;
  }
  // V8's own words for what is wrong with a command.
  const json::value* failed = message->if_contains("error");
  const auto* fields = failed != nullptr ? failed->if_object() : nullptr;
  const json::value* why = fields != nullptr ? fields->if_contains("message") : nullptr;
  if (why != nullptr && why->is_string()) {
    waiter.Set(Refuse(std::string(why->get_string())));
  } else {
    waiter.Set(Refuse("The service worker did not answer"));
  }
}

asio::awaitable<Reply> WorkerReach::Call(std::string method, json::object params) {
  const auto self = shared_from_this();
  const auto attached = co_await Attach();
  if (!attached) co_return Refuse(attached.error().message);
  const std::int64_t id = ++last_;
  host::Waiter<Reply> waiter(services_.loop.get_executor());
  waiting_.emplace(id, waiter);
  json::object message{{"id", id}, {"method", method}, {"params", std::move(params)}};
  if (!session_ || !session_->Send(json::serialize(message))) {
    waiting_.erase(id);
    co_return Refuse("The service worker has ended");
  }
  co_return co_await waiter.Get();
}

asio::awaitable<Reply> WorkerReach::Evaluate(std::string body, json::object arguments, bool by_value) {
  json::object params{
      {"expression", fmt::format("(async (args) => {{{}}})({})", body, json::serialize(arguments))},
      {"awaitPromise", true},
      {"returnByValue", by_value},
      {"silent", true}};
  std::string method = "Runtime.evaluate";
  return Call(std::move(method), std::move(params));
}
asio::awaitable<Reply> WorkerReach::Run(std::string body, json::object arguments) {
  return Evaluate(std::move(body), std::move(arguments), true);
}
asio::awaitable<Reply> WorkerReach::RunForObject(std::string body, json::object arguments) {
  return Evaluate(std::move(body), std::move(arguments), false);
}

tl::expected<json::value, ProtocolError> ValueOf(const Reply& reply) {
  if (!reply) return tl::make_unexpected(reply.error());
  if (const json::value* thrown = reply->if_contains("exceptionDetails")) {
    std::string why = "The service worker could not tell";
    const auto* details = thrown->if_object();
    const json::value* exception = details != nullptr ? details->if_contains("exception") : nullptr;
    const auto* object = exception != nullptr ? exception->if_object() : nullptr;
    const json::value* description = object != nullptr ? object->if_contains("description") : nullptr;
    if (description != nullptr && description->is_string()) why = std::string(description->get_string());
    return Refuse(why.substr(0, why.find('\n')));
  }
  const json::value* result = reply->if_contains("result");
  const auto* object = result != nullptr ? result->if_object() : nullptr;
  const json::value* value = object != nullptr ? object->if_contains("value") : nullptr;
  return value != nullptr ? *value : json::value();
}

}  // namespace vigil::control::devtools
