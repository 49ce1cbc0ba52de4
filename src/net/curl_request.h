// What libcurl is told of one HTTP request, and what its answers mean. Any thread; an easy handle belongs to
// whoever calls.
#pragma once

#include <curl/curl.h>

#include <string>

#include "base/result.h"
#include "net/http_client.h"

namespace vigil::net {

// Of a request without upload. Its body must outlive the transfer.
void SetMethodAndBody(CURL* easy, const HttpClientRequest& request);
// The request's headers, and none that libcurl would add by itself. The list is the caller's to free after
// the transfer. kInvalidArgument: the method or a header cannot be sent.
Result<curl_slist*> SetRequestHeaders(CURL* easy, const HttpClientRequest& request,
                                      const HttpClientOptions& options);
// Of a connection that is made: whether TLS agreed on it.
bool SpeaksHttp2(CURL* easy);
// In words for the user. where: the origin; detail: libcurl's own text.
Error DescribeCurlError(int code, const std::string& where, const std::string& detail);

}  // namespace vigil::net
