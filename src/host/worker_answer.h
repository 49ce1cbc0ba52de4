// Fetch, "HTTP fetch" (section 4.3): what a service worker's answer means for who asked. Pure functions.
#pragma once

#include <optional>

#include "ipc/storage.pb.h"
#include "net/url.h"

namespace vigil::host {

inline constexpr int kMaxWorkerRedirects = 20;

// Where a redirect that the worker answers with leads to; nullopt: it is no redirect.
std::optional<net::Url> RedirectTarget(const ipc::HttpRequest& request, const ipc::HttpResponse& response);
// "HTTP-redirect fetch" (section 4.4): makes the request the next one.
void FollowTo(const net::Url& target, const ipc::HttpResponse& redirect, ipc::HttpRequest& request);
// The filtered response: what the worker made is a basic response of the URL that was asked for.
void FilterWorkerAnswer(const ipc::HttpRequest& request, ipc::HttpResponse& response);

}  // namespace vigil::host
