// Fetching a service worker's scripts, and finding out whether they changed (the fetching part of "Update" in
// the Service Workers specification). Event-loop thread only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "host/context.h"
#include "host/model.h"
#include "host/ports.h"

namespace vigil::host {

constexpr std::size_t kMaxScriptBytes = std::size_t{32} << 20;

struct FetchedScript {
  std::shared_ptr<const ScriptResource> resource;
  std::string referrer_policy;
  std::string csp, csp_report_only;  // all headers of a name, combined with commas
};
struct ScriptFetch {
  std::string origin;
  std::string referrer;  // URL of the document or script that wants it
  std::string url;
  std::string type;  // of a module, as import attributes name it; empty: JavaScript
  std::string referrer_policy;
  bool module = false;  // modules are fetched without credentials, and by CORS from other origins
  bool bypass_cache = false;
  bool update = false;                // for update(), not for register()
  std::shared_ptr<Version> importer;  // whose policies must allow it; null: nobody's
};
// The main script: same-origin, no redirects, JavaScript MIME type, allowed for the scope.
boost::asio::awaitable<ScriptResult<FetchedScript>> FetchMainScript(HostContext& context, ScriptFetch call,
                                                                    std::string scope);
// What a script of this version imports. importer: response URL of the module that does; of none of the
// version's: its main script does.
ScriptFetch ImportOf(const Version& version, const std::string& url, const std::string& type,
                     const std::string& importer);
// For importScripts() and import: any origin, redirects followed.
boost::asio::awaitable<ScriptResult<std::shared_ptr<const ScriptResource>>> FetchImportedScript(
    HostContext& context, ScriptFetch call);
// An imported script of the version reads differently now. One that cannot be fetched counts as unchanged.
boost::asio::awaitable<bool> ImportsChanged(HostContext& context, std::shared_ptr<Version> version,
                                            bool bypass_cache);

// "JavaScript MIME type" of the MIME Sniffing standard, in the combined values of a Content-Type header;
// parameters are ignored.
bool IsJavaScriptMimeType(std::string_view content_type);
// JavaScript ("") and what import attributes may name.
bool IsModuleType(std::string_view type);
// HTML "fetch a single module script", where the MIME type is looked at.
bool IsModuleMimeType(std::string_view module_type, std::string_view content_type);
// Why the scope is not allowed for a script at this URL; empty when it is. service_worker_allowed: the
// header's value; an empty one names the script itself.
std::string WhyScopeNotAllowed(std::string_view scope_url, std::string_view script_url,
                               const std::optional<std::string>& service_worker_allowed);

}  // namespace vigil::host
