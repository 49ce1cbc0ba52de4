// How libcurl connects, the same for requests and WebSockets: proxies of the environment but for this
// machine's own addresses, the trust store, time limits, *.localhost.
#pragma once

#include <curl/curl.h>

#include "net/http_client.h"
#include "net/url.h"

namespace vigil::net {

// Also sets the URL. What it returns must live as long as the handle (curl_slist_free_all; may be null).
curl_slist* SetConnectionOptions(CURL* easy, const Url& url, const HttpClientOptions& options);

}  // namespace vigil::net
