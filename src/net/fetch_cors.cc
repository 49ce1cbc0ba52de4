// FetchJob's CORS fetches: preflights and what they have allowed before.
#include <fmt/format.h>

#include <utility>

#include "net/fetch_job.h"

namespace vigil::net {

void FetchJob::CorsFetch() {
  std::vector<std::string> unsafe = CorsUnsafeHeaderNames(headers_);
  if (IsCorsSafelistedMethod(method_) && unsafe.empty()) return NetworkFetch();
  const std::string key = fmt::format("{} {} {}", SerializedOrigin(), url_->HrefWithoutFragment(),
                                      request_.credentials() == "include");
  const auto cached = context_->preflights.find(key);
  if (cached != context_->preflights.end() && context_->Now() < cached->second.until &&
      PreflightProblem(cached->second.result, method_, unsafe).empty()) {
    return NetworkFetch();
  }
  Preflight(std::move(unsafe));
}

// CORS-preflight fetch (section 4.8).
void FetchJob::Preflight(std::vector<std::string> unsafe_headers) {
  HttpClientRequest request;
  request.method = "OPTIONS";
  request.url = url_->HrefWithoutFragment();
  request.headers.emplace_back("Accept", "*/*");
  request.headers.emplace_back("Access-Control-Request-Method", method_);
  if (!unsafe_headers.empty()) {
    request.headers.emplace_back("Access-Control-Request-Headers",
                                 fmt::format("{}", fmt::join(unsafe_headers, ",")));
  }
  request.headers.emplace_back("Origin", SerializedOrigin());
  if (const std::string referrer = Referrer(); !referrer.empty())
    request.headers.emplace_back("Referer", referrer);
  AddFetchMetadata(request.headers);
  Send(std::move(request), CacheMode::kNoStore,
       [this, unsafe_headers = std::move(unsafe_headers)](const HttpClientHead& head) {
         OnPreflightHead(head, unsafe_headers);
       });
}

void FetchJob::OnPreflightHead(const HttpClientHead& head, const std::vector<std::string>& unsafe_headers) {
  const bool with_credentials = request_.credentials() == "include";
  if (const std::string problem = CorsProblem(head.headers, SerializedOrigin(), with_credentials);
      !problem.empty()) {
    return NetworkError(ErrorCode::kPermissionDenied,
                        fmt::format("CORS: {} (preflight of {})", problem, url_->Href()));
  }
  if (head.status < 200 || head.status > 299) {
    return NetworkError(
        ErrorCode::kPermissionDenied,
        fmt::format("CORS: the preflight of {} was answered with status {}", url_->Href(), head.status));
  }
  PreflightResult result = ReadPreflight(head.headers, with_credentials);
  if (const std::string problem = PreflightProblem(result, method_, unsafe_headers); !problem.empty()) {
    return NetworkError(ErrorCode::kPermissionDenied, fmt::format("CORS: {} ({})", problem, url_->Href()));
  }
  context_->StorePreflight(
      fmt::format("{} {} {}", SerializedOrigin(), url_->HrefWithoutFragment(), with_credentials), result);
  DrainThen([this] { NetworkFetch(); });
}

}  // namespace vigil::net
