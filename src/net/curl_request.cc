#include "net/curl_request.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <memory>
#include <string_view>

#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

void Append(HeaderList& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (longer == nullptr) return;
  list.release();
  list.reset(longer);
}

bool BreaksLine(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
}

}  // namespace

void SetMethodAndBody(CURL* easy, const HttpClientRequest& request) {
  const std::string& method = request.method;
  if (method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (request.body || method == "POST" || method == "PUT") {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body ? request.body->size() : 0));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body ? request.body->data() : "");
    if (method != "POST") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  } else if (method != "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

Result<curl_slist*> SetRequestHeaders(CURL* easy, const HttpClientRequest& request,
                                      const HttpClientOptions& options) {
  if (request.method.empty() || request.method.find_first_of(" \t\r\n") != std::string::npos) {
    return Fail(ErrorCode::kInvalidArgument, "the request's method is not one");
  }
  HeaderList list;
  for (const auto& [name, value] : request.headers) {
    if (name.empty() || BreaksLine(name) || name.find(':') != std::string::npos || BreaksLine(value)) {
      return Fail(ErrorCode::kInvalidArgument, fmt::format("the request header \"{}\" cannot be sent", name));
    }
    // libcurl's way of writing a header without a value.
    Append(list, value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  // What libcurl would add by itself.
  Append(list, "Expect:");
  if (!HasHeader(request.headers, "content-type")) Append(list, "Content-Type:");
  if (!HasHeader(request.headers, "accept")) Append(list, "Accept: */*");
  if (!HasHeader(request.headers, "user-agent"))
    curl_easy_setopt(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  if (!HasHeader(request.headers, "accept-encoding"))
    Append(list, "Accept-Encoding: gzip, deflate, br, zstd");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list.get());
  return list.release();
}

bool SpeaksHttp2(CURL* easy) {
  const curl_tlssessioninfo* session = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == nullptr ||
      session->backend != CURLSSLBACKEND_OPENSSL || session->internals == nullptr)
    return false;
  const unsigned char* protocol = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(static_cast<const SSL*>(session->internals), &protocol, &length);
  return std::string_view(reinterpret_cast<const char*>(protocol), length) == "h2";
}

Error DescribeCurlError(int code, const std::string& where, const std::string& detail) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {ErrorCode::kUnavailable,
              fmt::format("the host of {} is not known; check the address and the network", where)};
    case CURLE_COULDNT_CONNECT:
      return {ErrorCode::kUnavailable,
              fmt::format("cannot connect to {}; check that it is running and reachable", where)};
    case CURLE_OPERATION_TIMEDOUT:
      return {ErrorCode::kTimeout, fmt::format("{} does not answer ({})", where, detail)};
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorCode::kUnavailable,
              fmt::format("no secure connection to {} ({}); check its certificate", where, detail)};
    default:
      return {ErrorCode::kUnavailable, fmt::format("the request to {} broke off ({})", where, detail)};
  }
}

}  // namespace vigil::net
