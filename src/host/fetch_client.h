// Who asks for something, and what becomes of a request before anybody is asked: the daemon's part of Fetch
// that depends on its client. No state; event-loop thread, as the pages and versions it looks at.
#pragma once

#include <string>

#include "host/processes.h"
#include "net/fetcher.h"

namespace vigil::host {

// On whose behalf that process makes requests.
net::FetchClient ClientOf(const ProcessOwner& owner);
// On whose behalf a user goes to a page.
net::FetchClient NavigationClient(const std::string& url);
// A request of mode "navigate" that comes from a script becomes one that scripts can make.
void TameMode(const net::FetchClient& client, ipc::HttpRequest& request);
// Chromium's fetch events show the header that the network would add. It is not the script's when that passes
// the request on: no reason for a preflight.
void AddUserAgent(const std::string& user_agent, ipc::HttpRequest& request);
void DropUserAgent(const std::string& user_agent, ipc::HttpRequest& request);
// The request of a page as its controller is shown it.
ipc::HttpRequest AsWorkerSeesIt(const Page& page, ipc::HttpRequest request);

}  // namespace vigil::host
