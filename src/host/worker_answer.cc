#include "host/worker_answer.h"

#include <algorithm>

#include "net/fetch_headers.h"
#include "net/fetcher.h"

namespace vigil::host {
namespace {
bool IsRedirectStatus(std::uint32_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}
}  // namespace

std::optional<net::Url> RedirectTarget(const ipc::HttpRequest& request, const ipc::HttpResponse& response) {
  if (!IsRedirectStatus(response.status())) return std::nullopt;
  const std::string location = net::HeaderValue(response, "location");
  if (location.empty()) return std::nullopt;
  const auto base = net::Url::Parse(request.url());
  auto target = base ? net::Url::Parse(location, *base) : base;
  if (!target) return std::nullopt;
  return std::move(*target);
}

void FollowTo(const net::Url& target, const ipc::HttpResponse& redirect, ipc::HttpRequest& request) {
  const std::uint32_t status = redirect.status();
  const bool to_get = ((status == 301 || status == 302) && request.method() == "POST") ||
                      (status == 303 && request.method() != "GET" && request.method() != "HEAD");
  if (to_get) {
    request.set_method("GET");
    request.clear_body();
    auto* headers = request.mutable_headers();
    const auto of_body = [](const ipc::HttpHeader& header) {
      return net::LowerCase(header.name()).starts_with("content-");
    };
    headers->erase(std::remove_if(headers->begin(), headers->end(), of_body), headers->end());
  }
  request.set_url(target.Href());
}

void FilterWorkerAnswer(const ipc::HttpRequest& request, ipc::HttpResponse& response) {
  if (response.type() == ipc::HttpResponse::DEFAULT) response.set_type(ipc::HttpResponse::BASIC);
  if (response.url_list_size() == 0) response.add_url_list(request.url());
}

}  // namespace vigil::host
