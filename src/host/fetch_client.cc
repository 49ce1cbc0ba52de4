#include "host/fetch_client.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "host/worker_policies.h"
#include "net/fetch_headers.h"
#include "net/referrer.h"
#include "net/url.h"

namespace vigil::host {
namespace {

void AddIfAbsent(std::string_view name, std::string value, ipc::HttpRequest& request) {
  const auto same = [&](const ipc::HttpHeader& header) { return net::SameName(header.name(), name); };
  if (std::any_of(request.headers().begin(), request.headers().end(), same)) return;
  auto* header = request.add_headers();
  header->set_name(std::string(name));
  header->set_value(std::move(value));
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

// Only documents navigate; a worker may pass a navigation of its own pages on ("fetch(event.request)").
void TameMode(const net::FetchClient& client, ipc::HttpRequest& request) {
  // Fetched by the daemon itself, and servers take its word for it (Sec-Fetch-Dest).
  if (request.destination() == "serviceworker") request.clear_destination();
  if (request.mode() != "navigate" || client.trusted) return;
  auto url = net::Url::Parse(request.url());
  request.set_mode(url && url->Origin() == client.origin ? "same-origin" : "cors");
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
  AddIfAbsent("accept", std::string(net::DefaultAccept(request.destination())), request);
  return request;
}

void AddUserAgent(const std::string& user_agent, ipc::HttpRequest& request) {
  AddIfAbsent("user-agent", user_agent, request);
}

void DropUserAgent(const std::string& user_agent, ipc::HttpRequest& request) {
  auto& headers = *request.mutable_headers();
  const auto shown = [&](const ipc::HttpHeader& header) {
    return net::SameName(header.name(), "user-agent") && header.value() == user_agent;
  };
  headers.erase(std::remove_if(headers.begin(), headers.end(), shown), headers.end());
}

}  // namespace vigil::host
