#include "control/devtools/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>
#include <random>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/utf8.h"
#include "control/devtools/target_domain.h"
#include "control/devtools/worker_reach.h"

namespace vigil::control::devtools {
namespace json = boost::json;
namespace {

constexpr std::array<std::string_view, 6> kV8Domains = {"Runtime",      "Debugger", "Profiler",
                                                        "HeapProfiler", "Console",  "Schema"};

bool IsV8Domain(std::string_view name) {
  return std::find(kV8Domains.begin(), kV8Domains.end(), name) != kV8Domains.end();
}

std::string RandomId() {
  static std::random_device device;
  return fmt::format("{:08X}{:08X}{:08X}{:08X}", device(), device(), device(), device());
}

}  // namespace

// ----------------------------------------------------------------------------------------------- session
Session::Session(Connection& connection, Target target, std::string id, std::string parent)
    : connection_(connection), target_(std::move(target)), id_(std::move(id)), parent_(std::move(parent)) {
  const std::weak_ptr<Connection> weak = connection.weak_from_this();
  if (target_.type == Target::Type::kApp)
    worker_ = std::make_shared<WorkerReach>(connection.services(), target_.origin);
  SessionView view{connection.services(), connection.targets(), target_, worker_,
                   [weak, id = id_](std::string_view method, json::object params) {
                     const auto self = weak.lock();
                     if (!self) return;
                     json::object message;
                     message["method"] = json::string_view(method.data(), method.size());
                     message["params"] = std::move(params);
                     self->Send(std::move(message), id);
                   }};
  domains_ = MakeDomains(view);
  domains_["Target"] = std::make_unique<TargetDomain>(view, connection, id_);
  connection_.targets().NoteAttached(target_.id, 1);
}

Session::~Session() {
  if (worker_) worker_->Leave();
  connection_.targets().NoteAttached(target_.id, -1);
}

Result<> Session::AttachV8(bool wait_for_debugger) {
  if (target_.process == 0) return {};
  host::InspectorHandlers handlers;
  handlers.message = [this](const std::string& text) { FromV8(text); };
  handlers.detached = [weak = connection_.weak_from_this(), id = id_](const std::string& reason) {
    if (const auto self = weak.lock()) self->OnDetached(id, reason);
  };
  VIGIL_ASSIGN(v8_,
               connection_.services().host.Inspect(target_.process, std::move(handlers), wait_for_debugger));
  return {};
}

// The worker is not trusted: what it says goes to this session alone, and looks like V8's domains.
void Session::FromV8(const std::string& text) {
  auto message = ParseMessage(text);
  v8_->Taken(text.size());
  if (!message) {
    log::Warning("a worker of {} said something to a developer tool that is no message", target_.origin);
    return;
  }
  if (const json::value* method = message->if_contains("method")) {
    const std::string_view name = method->is_string() ? std::string_view(method->get_string()) : "";
    if (!IsV8Domain(name.substr(0, name.find('.')))) return;
  }
  message->erase("sessionId");
  connection_.Send(std::move(*message), id_);
}

Answer Session::AnswerTo(std::int64_t command) const {
  return [weak = connection_.weak_from_this(), id = id_, command](Reply reply) {
    const auto self = weak.lock();
    if (!self) return;
    if (!reply) return self->Send(ErrorMessage(command, reply.error()), id);
    self->Send(json::object{{"id", command}, {"result", std::move(*reply)}}, id);
  };
}

void Session::Handle(Command command) {
  const std::string_view method = command.method;
  const std::size_t dot = method.find('.');
  const std::string domain(method.substr(0, dot));
  const Answer answer = AnswerTo(command.id);
  if (v8_ && IsV8Domain(domain)) {
    json::object message;
    message["id"] = command.id;
    message["method"] = command.method;
    message["params"] = std::move(command.params);
    if (!v8_->Send(json::serialize(message)))
      answer(Refuse("The command is too large, or the worker has ended"));
    return;
  }
  const auto found = domains_.find(domain);
  const bool known = dot != std::string_view::npos && found != domains_.end() &&
                     found->second->Call(method.substr(dot + 1), command.params, answer);
  if (!known) answer(NoSuchMethod(method));
}

// -------------------------------------------------------------------------------------------- connection
Connection::Connection(const Services& services, Targets& targets, std::shared_ptr<Socket> socket)
    : services_(services), targets_(targets), socket_(std::move(socket)) {}

Connection::~Connection() = default;

Result<> Connection::Open(Target root) {
  auto session = std::make_unique<Session>(*this, std::move(root), "", "");
  VIGIL_TRY(session->AttachV8(false));
  sessions_.emplace("", std::move(session));
  return {};
}

void Connection::OnText(const std::string& text) {
  const auto self = shared_from_this();
  auto command = ParseCommand(text);
  if (!command) return Send(std::move(command.error()), "");
  const auto found = sessions_.find(command->session_id);
  if (found == sessions_.end()) {
    return Send(
        ErrorMessage(command->id, {ErrorNumber::kSessionNotFound, "Session with given id not found.", {}}),
        command->session_id);
  }
  found->second->Handle(std::move(*command));
}

void Connection::Leave() {
  socket_.reset();
  sessions_.clear();
}

void Connection::Send(json::object message, const std::string& session) {
  if (!socket_) return;
  if (!session.empty()) message["sessionId"] = session;
  // What a script or a damaged file says need not be UTF-8; JSON must be.
  socket_->Send(ToUtf8(json::serialize(message)));
}

Result<std::string> Connection::Attach(const Target& target, const std::string& parent,
                                       bool wait_for_debugger) {
  if (sessions_.size() >= kMaxSessions)
    return Fail(ErrorCode::kUnavailable, fmt::format("there are {} sessions already", kMaxSessions));
  std::string id = RandomId();
  auto session = std::make_unique<Session>(*this, target, id, parent);
  VIGIL_TRY(session->AttachV8(wait_for_debugger));
  sessions_.emplace(id, std::move(session));
  Send(json::object{{"method", "Target.attachedToTarget"},
                    {"params", json::object{{"sessionId", id},
                                            {"targetInfo", TargetInfo(target, true)},
                                            {"waitingForDebugger", wait_for_debugger}}}},
       parent);
  return id;
}

bool Connection::HasSessionAt(const std::string& target, const std::string& parent) const {
  for (const auto& [id, session] : sessions_) {
    if (!id.empty() && session->target().id == target && session->parent() == parent) return true;
  }
  return false;
}

bool Connection::Detach(const std::string& session) {
  if (session.empty() || sessions_.count(session) == 0) return false;
  End(session);
  return true;
}

void Connection::End(const std::string& session) {
  std::vector<std::string> children;
  for (const auto& [id, child] : sessions_) {
    if (!id.empty() && child->parent() == session) children.push_back(id);
  }
  for (const std::string& child : children) End(child);
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) return;
  const auto ended = std::move(found->second);
  sessions_.erase(found);
  Send(json::object{{"method", "Target.detachedFromTarget"},
                    {"params", json::object{{"sessionId", session}, {"targetId", ended->target().id}}}},
       ended->parent());
}

void Connection::OnDetached(const std::string& session, const std::string& reason) {
  // Not inside a call of the session that ends.
  boost::asio::post(services_.loop, [self = shared_from_this(), session, reason] {
    if (!session.empty()) return self->End(session);
    self->Send(json::object{{"method", "Inspector.detached"}, {"params", json::object{{"reason", reason}}}},
               "");
    if (self->socket_) self->socket_->Close(1000, "the target has ended");
  });
}

}  // namespace vigil::control::devtools
