#include "host/script_update.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "host/worker_policies.h"
#include "net/fetcher.h"
#include "net/mime_type.h"
#include "net/referrer.h"
#include "net/url.h"

namespace vigil::host {
namespace asio = boost::asio;
namespace {

ipc::HttpRequest ScriptRequest(const std::string& url, bool bypass_cache) {
  ipc::HttpRequest request;
  request.set_method("GET");
  request.set_url(url);
  request.set_cache(bypass_cache ? "no-cache" : "default");
  request.set_referrer("about:client");
  return request;
}

tl::unexpected<ScriptError> Refuse(std::string name, std::string message, std::string detail = {}) {
  return tl::unexpected<ScriptError>(ScriptError{std::move(name), std::move(message), std::move(detail)});
}

// What scripts are told of a scope that is too wide; the developer is told more.
ScriptError ScopeError(const std::string& scope_url, const std::string& script_url,
                       const std::optional<std::string>& header, std::string detail) {
  const auto script = net::Url::Parse(script_url);
  const auto scope = net::Url::Parse(scope_url);
  const std::string allowed = header.value_or("");
  const auto widest = script && header ? net::Url::Parse(allowed, *script) : script;
  ScriptError error{"SecurityError", "", std::move(detail)};
  if (!script || !scope || !widest) {
    error.message = fmt::format(
        "An invalid Service-Worker-Allowed header value ('{}') was received when fetching the script.",
        allowed);
  } else if (widest->Origin() != script->Origin()) {
    error.message = fmt::format(
        "A cross-origin Service-Worker-Allowed header value ('{}') was received when fetching the script.",
        allowed);
  } else {
    const std::string path =
        header ? widest->path() : script->path().substr(0, script->path().rfind('/') + 1);
    error.message = fmt::format(
        "The path of the provided scope ('{}') is not under the max scope allowed ({}'{}'). Adjust the "
        "scope, move "
        "the Service Worker script, or use the Service-Worker-Allowed HTTP header to allow the scope.",
        scope->path(), header ? "set by Service-Worker-Allowed: " : "", path);
  }
  return error;
}

std::string ResponseUrl(const ipc::HttpResponse& head, const std::string& requested) {
  return head.url_list_size() > 0 ? head.url_list(head.url_list_size() - 1) : requested;
}
}  // namespace

bool IsJavaScriptMimeType(std::string_view content_type) {
  static constexpr std::array<std::string_view, 16> kTypes{"application/ecmascript",
                                                           "application/javascript",
                                                           "application/x-ecmascript",
                                                           "application/x-javascript",
                                                           "text/ecmascript",
                                                           "text/javascript",
                                                           "text/javascript1.0",
                                                           "text/javascript1.1",
                                                           "text/javascript1.2",
                                                           "text/javascript1.3",
                                                           "text/javascript1.4",
                                                           "text/javascript1.5",
                                                           "text/jscript",
                                                           "text/livescript",
                                                           "text/x-ecmascript",
                                                           "text/x-javascript"};
  const auto mime = net::MimeType::Extract(content_type);
  return mime && std::find(kTypes.begin(), kTypes.end(), mime->Essence()) != kTypes.end();
}

bool IsModuleType(std::string_view type) { return type.empty() || type == "json" || type == "text"; }

bool IsModuleMimeType(std::string_view module_type, std::string_view content_type) {
  if (module_type.empty()) return IsJavaScriptMimeType(content_type);
  if (module_type == "text") return true;
  const auto mime = net::MimeType::Extract(content_type);
  // MIME Sniffing, "JSON MIME type".
  return module_type == "json" && mime &&
         (mime->subtype.ends_with("+json") || mime->Essence() == "application/json" ||
          mime->Essence() == "text/json");
}

std::string WhyScopeNotAllowed(std::string_view scope_url, std::string_view script_url,
                               const std::optional<std::string>& service_worker_allowed) {
  auto script = net::Url::Parse(script_url);
  auto scope = net::Url::Parse(scope_url);
  if (!script || !scope) return "the scope is not a URL";
  std::string max_scope;
  if (!service_worker_allowed) {
    max_scope = script->path().substr(0, script->path().rfind('/') + 1);
  } else {
    auto allowed = net::Url::Parse(*service_worker_allowed, *script);
    if (!allowed)
      return fmt::format("the header Service-Worker-Allowed is not a URL ('{}')", *service_worker_allowed);
    if (allowed->Origin() == script->Origin()) max_scope = allowed->path();
  }
  if (!max_scope.empty() && scope->path().starts_with(max_scope)) return {};
  return fmt::format(
      "the scope '{}' is not under '{}', the widest that the script's place allows: choose a smaller scope, "
      "move the "
      "script, or send the header Service-Worker-Allowed",
      scope->path(), max_scope);
}

asio::awaitable<ScriptResult<FetchedScript>> FetchMainScript(HostContext& context, ScriptFetch call,
                                                             std::string scope) {
  const std::string& script_url = call.url;
  ipc::HttpRequest request = ScriptRequest(script_url, call.bypass_cache);
  request.set_mode("same-origin");
  request.set_credentials(call.module ? "omit" : "same-origin");
  request.set_redirect("manual");
  request.set_destination("serviceworker");
  auto* header = request.add_headers();
  header->set_name("Service-Worker");
  header->set_value("script");
  net::FetchClient client;
  client.origin = call.origin;
  client.url = call.referrer;
  client.trusted = true;
  auto fetched = co_await context.deps.fetcher.FetchAll(client, std::move(request), kMaxScriptBytes);
  if (!fetched) {
    co_return Refuse("TypeError", "An unknown error occurred when fetching the script.",
                     fmt::format("the script {} cannot be fetched: {}", script_url, fetched.error().message));
  }
  const auto& head = fetched->head;
  if (head.type() == ipc::HttpResponse::OPAQUE_REDIRECT) {
    // A network error, which is a TypeError. Chromium's register() says SecurityError, its update() does not.
    co_return Refuse(call.update ? "TypeError" : "SecurityError",
                     "The script resource is behind a redirect, which is disallowed.",
                     fmt::format("the script {} is behind a redirect, which is not allowed", script_url));
  }
  if (head.status() < 200 || head.status() > 299) {
    co_return Refuse(
        "TypeError",
        fmt::format("A bad HTTP response code ({}) was received when fetching the script.", head.status()),
        fmt::format("the script {} cannot be fetched: the server answers {}", script_url, head.status()));
  }
  const std::string type = net::CombinedHeader(head, "content-type").value_or("");
  if (!IsJavaScriptMimeType(type)) {
    const auto mime = net::MimeType::Extract(type);
    co_return Refuse(
        "SecurityError",
        mime ? fmt::format("The script has an unsupported MIME type ('{}').", mime->Essence())
             : "The script does not have a MIME type.",
        fmt::format("the script {} has the MIME type '{}': serve it as text/javascript", script_url, type));
  }
  const auto allowed = net::CombinedHeader(head, "service-worker-allowed");
  std::string why = WhyScopeNotAllowed(scope, script_url, allowed);
  if (!why.empty()) co_return tl::unexpected(ScopeError(scope, script_url, allowed, std::move(why)));
  FetchedScript script;
  script.referrer_policy =
      net::ReferrerPolicyFromHeader(net::CombinedHeader(head, "referrer-policy").value_or(""));
  script.csp = net::CombinedHeader(head, "content-security-policy").value_or("");
  script.csp_report_only = net::CombinedHeader(head, "content-security-policy-report-only").value_or("");
  script.resource = std::make_shared<ScriptResource>(
      ScriptResource{script_url, ResponseUrl(head, script_url), std::move(fetched->body)});
  co_return script;
}

ScriptFetch ImportOf(const Version& version, const std::string& url, const std::string& type,
                     const std::string& importer) {
  ScriptFetch call;
  call.origin = version.origin;
  call.url = url;
  call.type = type;
  call.module = version.module;
  const ScriptResource* module = version.FindModule(importer);
  call.referrer = module ? module->response_url : version.script_url;
  const bool own_policy = module && !module->referrer_policy.empty();
  call.referrer_policy = own_policy ? module->referrer_policy : version.referrer_policy;
  return call;
}

asio::awaitable<ScriptResult<std::shared_ptr<const ScriptResource>>> FetchImportedScript(HostContext& context,
                                                                                         ScriptFetch call) {
  const std::string& url = call.url;
  ipc::HttpRequest request = ScriptRequest(url, call.bypass_cache);
  request.set_mode(call.module ? "cors" : "no-cors");
  request.set_credentials(call.module ? "omit" : "same-origin");
  request.set_redirect("follow");
  if (call.type.empty()) {
    request.set_destination(call.module ? "serviceworker" : "script");
  } else {
    request.set_destination(call.type);
  }
  net::FetchClient client;
  client.origin = call.origin;
  client.url = call.referrer;
  client.referrer_policy = call.referrer_policy;
  client.trusted = true;
  if (call.importer) ApplyPolicies(call.importer, client);
  auto fetched = co_await context.deps.fetcher.FetchAll(client, std::move(request), kMaxScriptBytes);
  if (!fetched) {
    co_return Refuse("NetworkError",
                     fmt::format("The script at '{}' failed to load: {}", url, fetched.error().message));
  }
  const auto& head = fetched->head;
  if (head.status() < 200 || head.status() > 299) {
    co_return Refuse("NetworkError", fmt::format("The script at '{}' failed to load: the server answers {}",
                                                 url, head.status()));
  }
  const std::string type = net::CombinedHeader(head, "content-type").value_or("");
  if (!IsModuleMimeType(call.type, type)) {
    co_return Refuse("NetworkError",
                     fmt::format("The script at '{}' failed to load: {}its MIME type is '{}'", url,
                                 call.type.empty() ? "" : "it was imported as JSON, and ", type));
  }
  ScriptResource script{url, ResponseUrl(head, url), std::move(fetched->body), call.type, call.referrer, {}};
  // What it imports inherits its own fetch options but for what its response says.
  script.referrer_policy =
      net::ReferrerPolicyFromHeader(net::CombinedHeader(head, "referrer-policy").value_or(""));
  if (script.referrer_policy.empty()) script.referrer_policy = call.referrer_policy;
  co_return std::make_shared<const ScriptResource>(std::move(script));
}

asio::awaitable<bool> ImportsChanged(HostContext& context, std::shared_ptr<Version> version,
                                     bool bypass_cache) {
  auto scripts = version->scripts;
  for (std::size_t i = 1; i < scripts.size(); ++i) {
    auto script = scripts[i];
    ScriptFetch call = ImportOf(*version, script->url, script->type, script->importer);
    call.bypass_cache = bypass_cache;
    auto fetched = co_await FetchImportedScript(context, std::move(call));
    if (fetched && (*fetched)->body != script->body) co_return true;
  }
  co_return false;
}

}  // namespace vigil::host
