// Clients, Client, WindowClient and postMessage in both directions.
#include <fmt/format.h>

#include <utility>

#include "host/pages.h"
#include "host/registry.h"
#include "host/requests.h"
#include "host/runner.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {
void ReplyClients(WorkerProcess& process, std::uint64_t id, const std::vector<ipc::ClientInfo>& clients) {
  ipc::Reply reply;
  reply.set_id(id);
  auto* list = reply.mutable_clients();
  for (const auto& client : clients) *list->add_clients() = client;
  process.Reply(std::move(reply));
}

void FillWorkerInfo(const Version& version, ipc::WorkerInfo* info) {
  info->set_version_id(version.id);
  info->set_script_url(version.script_url);
  info->set_state(VersionStateName(version.state));
}
}  // namespace

void Requests::OnClientRequest(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request) {
  using R = ipc::Request;
  std::uint64_t id = request.id();
  if (request.body_case() == R::kPostMessage) return PostMessage(process, owner, request);
  if (request.body_case() == R::kClientNavigate && owner.page) {
    return context_.Spawn(
        NavigateSelf(process.shared_from_this(), owner.page, id, request.client_navigate().url()));
  }
  auto version = owner.version;
  if (!version) return ReplyFailure(process, id, "InvalidStateError", "Only a service worker has clients.");
  switch (request.body_case()) {
    case R::kClientsMatchAll:
      return MatchAll(process, version, id, request.clients_match_all());
    case R::kClientsGet: {
      auto page = context_.pages->ById(request.clients_get().value());
      if (!page || page->origin != process.origin()) return ReplyClients(process, id, {});
      return ReplyClients(process, id, {context_.pages->ClientInfo(*page)});
    }
    case R::kClientsClaim: {
      auto registration = context_.registry->ById(version->registration_id);
      if (!registration || registration->active != version) {
        return ReplyFailure(process, id, "InvalidStateError", "Only the active worker can claim clients.");
      }
      context_.pages->Claim(version, *registration);
      return ReplyOk(process, id);
    }
    case R::kClientsOpenWindow:
      return context_.Spawn(
          OpenWindow(process.shared_from_this(), version, id, request.clients_open_window().value()));
    case R::kClientFocus: {
      auto page = context_.pages->ById(request.client_focus().value());
      if (!page || page->origin != process.origin()) {
        return ReplyFailure(process, id, "TypeError", "The client was not found.");
      }
      if (!WindowAllowed(version->id)) {
        return ReplyFailure(process, id, "InvalidAccessError", "Not allowed to focus a window.");
      }
      auto info = context_.pages->ClientInfo(*page);
      info.set_focused(true);
      return ReplyClients(process, id, {info});
    }
    default:
      return context_.Spawn(
          Navigate(process.shared_from_this(), version, id, std::move(*request.mutable_client_navigate())));
  }
}

void Requests::MatchAll(WorkerProcess& process, const std::shared_ptr<Version>& version, std::uint64_t id,
                        const ipc::ClientQuery& query) {
  std::vector<ipc::ClientInfo> clients;
  bool windows = query.type().empty() || query.type() == "window" || query.type() == "all";
  for (const auto& page : context_.pages->OfOrigin(process.origin())) {
    if (!windows) break;
    if (!query.include_uncontrolled() && page->controller != version) continue;
    clients.push_back(context_.pages->ClientInfo(*page));
  }
  ReplyClients(process, id, clients);
}

void Requests::PostMessage(WorkerProcess& process, const ProcessOwner& owner, ipc::Request& request) {
  std::uint64_t id = request.id();
  auto& call = *request.mutable_post_message();
  ipc::Message message;
  message.set_data(std::move(*call.mutable_data()));
  message.set_origin(process.origin());
  if (owner.page) {
    *message.mutable_source_client() = context_.pages->ClientInfo(*owner.page);
  } else {
    FillWorkerInfo(*owner.version, message.mutable_source_worker());
  }
  // A target that is gone, or another origin's, swallows the message: the sender learns nothing.
  if (call.target_case() == ipc::PostMessage::kClientId) {
    auto page = context_.pages->ById(call.client_id());
    if (page && page->origin == process.origin() && page->process && owner.version) {
      if (!process.MaySendTo(*page->process)) return;
      ipc::ToWorker forward;
      *forward.mutable_message() = std::move(message);
      page->process->Send(std::move(forward));
    }
    return ReplyOk(process, id);
  }
  std::shared_ptr<Version> target = context_.registry->VersionById(call.version_id());
  if (!target && owner.page && owner.page->controller && owner.page->controller->id == call.version_id()) {
    target = owner.page->controller;
  }
  // A worker that is being evaluated is in no slot of its registration yet.
  if (!target && owner.version && owner.version->id == call.version_id()) target = owner.version;
  if (target && target->origin == process.origin()) {
    const std::size_t bytes = message.data().size();
    if (!process.BeginMessage(bytes)) return;
    ipc::Event event;
    *event.mutable_message() = std::move(message);
    context_.Spawn(Deliver(process.shared_from_this(), target, std::move(event), bytes));
  }
  ReplyOk(process, id);
}

asio::awaitable<void> Requests::Deliver(Process sender, std::shared_ptr<Version> target, ipc::Event event,
                                        std::size_t bytes) {
  Runner::DispatchOptions options;
  co_await context_.runner->Dispatch(target, std::move(event), std::move(options));
  sender->EndMessage(bytes);
}

// Only while a notification's click is handled: nothing else here is an act of the user.
asio::awaitable<void> Requests::OpenWindow(Process process, std::shared_ptr<Version> version,
                                           std::uint64_t id, std::string url) {
  auto base = net::Url::Parse(version->script_url);
  auto target = net::Url::Parse(url, *base);
  if (!target) {
    ReplyFailure(*process, id, "TypeError", fmt::format("'{}' is not a valid URL.", url));
    co_return;
  }
  if (!WindowAllowed(version->id)) {
    context_.Report(version->origin, version->registration_id,
                    fmt::format("clients.openWindow({}) was refused: it needs a click on a notification",
                                target->Href()));
    ReplyFailure(*process, id, "InvalidAccessError", "Not allowed to open a window.");
    co_return;
  }
  ConsoleSink unheard;
  PageOptions how;
  auto opened = co_await context_.pages->OpenClient(target->Href(), std::move(how), std::move(unheard));
  if (!opened) {
    ReplyFailure(*process, id, "TypeError",
                 fmt::format("The window cannot be opened: {}", opened.error().message));
    co_return;
  }
  auto page = *opened;
  std::vector<ipc::ClientInfo> clients;
  if (page->origin == version->origin) clients.push_back(context_.pages->ClientInfo(*page));
  ReplyClients(*process, id, clients);
}

// A page's own script navigates: location, a form. Its process is gone when that succeeds.
asio::awaitable<void> Requests::NavigateSelf(Process process, std::shared_ptr<Page> page, std::uint64_t id,
                                             std::string url) {
  auto opened = co_await context_.pages->Navigate(page, std::move(url));
  if (!opened) ReplyFailure(*process, id, "TypeError", opened.error().message);
}

// A navigated page is a new page: a new client in a new process.
asio::awaitable<void> Requests::Navigate(Process process, std::shared_ptr<Version> version, std::uint64_t id,
                                         ipc::ClientNavigate call) {
  auto page = context_.pages->ById(call.client_id());
  if (!page || page->controller != version) {
    ReplyFailure(*process, id, "TypeError", "This service worker is not the client's active service worker.");
    co_return;
  }
  auto base = net::Url::Parse(version->script_url);
  auto target = net::Url::Parse(call.url(), *base);
  if (!target || !target->IsHttp()) {
    ReplyFailure(*process, id, "TypeError", fmt::format("Cannot navigate to URL: {}", call.url()));
    co_return;
  }
  auto opened = co_await context_.pages->Navigate(page, target->Href());
  if (!opened) {
    ReplyFailure(*process, id, "TypeError",
                 fmt::format("Cannot navigate to URL: {}", opened.error().message));
    co_return;
  }
  auto next = *opened;
  std::vector<ipc::ClientInfo> clients;
  if (next->origin == version->origin) clients.push_back(context_.pages->ClientInfo(*next));
  ReplyClients(*process, id, clients);
}

}  // namespace vigil::host
