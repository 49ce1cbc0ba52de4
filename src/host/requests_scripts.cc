// The scripts that workers import and the modules of pages.
#include <fmt/format.h>

#include <utility>

#include "host/fetch_router.h"
#include "host/registry.h"
#include "host/requests.h"
#include "host/script_update.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;

namespace {

void ReplyScript(WorkerProcess& process, std::uint64_t id, const std::string& url,
                 const ScriptResource& script) {
  ipc::Reply reply;
  reply.set_id(id);
  reply.mutable_script()->set_url(url);
  reply.mutable_script()->set_response_url(script.response_url);
  reply.mutable_script()->set_source(script.body);
  process.Reply(std::move(reply));
}

}  // namespace

void Requests::ImportScript(const Process& process, const ProcessOwner& owner, std::uint64_t id,
                            ipc::ImportScript wanted) {
  auto version = owner.version;
  if (!IsModuleType(wanted.type())) {
    return ReplyFailure(*process, id, "TypeError",
                        fmt::format("\"{}\" is not a valid module type.", wanted.type()));
  }
  // Pages ask for what their modules import.
  if (!version) return context_.Spawn(FetchModule(process, owner.page, id, std::move(wanted)));
  // From the script resource map, which is complete once the worker is installed.
  if (const ScriptResource* script = version->FindScript(wanted.url(), wanted.type())) {
    return ReplyScript(*process, id, script->url, *script);
  }
  bool open = version->state == VersionState::kParsed || version->state == VersionState::kInstalling;
  if (!open) {
    return ReplyFailure(
        *process, id, "NetworkError",
        fmt::format("The script at '{}' was not imported when the service worker was installed; "
                    "after that no new script can be.",
                    wanted.url()));
  }
  context_.Spawn(FetchImport(process, version, id, std::move(wanted)));
}

asio::awaitable<void> Requests::FetchImport(Process process, std::shared_ptr<Version> version,
                                            std::uint64_t id, ipc::ImportScript wanted) {
  const std::string& url = wanted.url();
  auto parsed = net::Url::Parse(url);
  if (!parsed || !(parsed->IsHttp() || parsed->scheme() == "data")) {
    ReplyFailure(*process, id, "NetworkError", fmt::format("The URL '{}' cannot be imported.", url));
    co_return;
  }
  auto registration = context_.registry->ById(version->registration_id);
  ScriptFetch call = ImportOf(*version, url, wanted.type(), wanted.referrer());
  // A registration that has no worker yet was never checked for an update: its imports are fetched anew, too.
  const bool first = registration && !registration->waiting && !registration->active;
  call.bypass_cache = registration && (first || registration->update_via_cache == "none");
  call.importer = version;
  auto fetched = co_await FetchImportedScript(context_, std::move(call));
  if (!fetched) {
    ReplyFailure(*process, id, fetched.error().name, fetched.error().message);
    co_return;
  }
  if (version->FindScript(url, wanted.type()) == nullptr) version->scripts.push_back(*fetched);
  ReplyScript(*process, id, url, **fetched);
}

asio::awaitable<void> Requests::FetchModule(Process process, std::shared_ptr<Page> page, std::uint64_t id,
                                            ipc::ImportScript wanted) {
  auto fetched = co_await context_.router->FetchModule(page, wanted);
  if (!fetched) {
    ReplyFailure(*process, id, fetched.error().name, fetched.error().message);
    co_return;
  }
  ReplyScript(*process, id, wanted.url(), **fetched);
}

}  // namespace vigil::host
