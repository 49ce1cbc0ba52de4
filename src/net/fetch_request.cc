// The parts of FetchJob that say what goes out with a request and what of a response may come in.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "net/fetch_job.h"
#include "net/referrer.h"

namespace vigil::net {

bool FetchJob::IncludesCredentials() const {
  return request_.credentials() == "include" ||
         (request_.credentials() == "same-origin" && tainting_ == Tainting::kBasic);
}

// A navigation belongs to the place it goes to; everything else to who asked.
std::string FetchJob::JarName() const { return IsNavigation() ? url_->Origin() : client_.origin; }

bool FetchJob::IsSameSite() const {
  if (IsNavigation()) {
    const Result<Url> from = Url::Parse(client_.navigated_from);
    return !from || SameSite(*from, *url_);
  }
  return client_url_ && !was_cross_site_ && SameSite(*client_url_, *url_);
}

std::string FetchJob::SerializedOrigin() const { return origin_is_tainted_ ? "null" : client_.origin; }

// "Determine request's referrer": a script may only name a URL of its own origin.
std::string FetchJob::Referrer() const {
  if (request_.referrer().empty() && !client_.trusted) return "";
  std::string source = request_.referrer() == "about:client" ? client_.url : request_.referrer();
  Result<Url> url = Url::Parse(source);
  if (url && !client_.trusted && url->Origin() != client_.origin) url = Url::Parse(client_.url);
  return url ? ReferrerFor(referrer_policy_, *url, *url_) : "";
}

void FetchJob::AddFetchMetadata(Headers& headers) const {
  const Result<Url> from = Url::Parse(client_.navigated_from);
  const Url* initiator = !IsNavigation() ? (client_url_ ? &*client_url_ : nullptr) : from ? &*from : nullptr;
  const std::string origin = IsNavigation() && initiator ? initiator->Origin() : client_.origin;
  std::string site = "same-origin";
  for (const Url& url : url_list_) {
    if (url.Origin() == origin) continue;
    const bool same_site = initiator && SameSite(*initiator, url);
    site = same_site && site != "cross-site" ? "same-site" : "cross-site";
  }
  AddIfAbsent(headers, "Sec-Fetch-Site", IsNavigation() && !initiator ? "none" : site);
  AddIfAbsent(headers, "Sec-Fetch-Mode", client_.passes_navigation_on ? "navigate" : request_.mode());
  AddIfAbsent(headers, "Sec-Fetch-Dest", request_.destination().empty() ? "empty" : request_.destination());
}

Headers FetchJob::RequestHeaders() {
  Headers headers = headers_;
  if (const std::string referrer = Referrer(); !referrer.empty()) AddIfAbsent(headers, "Referer", referrer);
  // Section 3.2, "append a request Origin header".
  const bool reads_only = method_ == "GET" || method_ == "HEAD";
  if (tainting_ == Tainting::kCors) {
    AddIfAbsent(headers, "Origin", SerializedOrigin());
  } else if (!reads_only && !IsNavigation()) {
    const bool hide = request_.mode() != "cors" &&
                      (referrer_policy_ == "no-referrer" ||
                       (referrer_policy_ == "same-origin" && url_->Origin() != client_.origin));
    AddIfAbsent(headers, "Origin", hide ? "null" : SerializedOrigin());
  }
  AddFetchMetadata(headers);
  AddIfAbsent(headers, "Accept", DefaultAccept(request_.destination()));
  // Section 4.6, step 8.18: a part of an encoded body is of no use.
  if (HasHeader(headers, "range")) AddIfAbsent(headers, "Accept-Encoding", "identity");
  AddIfAbsent(headers, "Accept-Language", context_->options.accept_language);
  if (request_.cache() == "no-cache") AddIfAbsent(headers, "Cache-Control", "max-age=0");
  if (request_.cache() == "no-store" || request_.cache() == "reload") {
    AddIfAbsent(headers, "Pragma", "no-cache");
    AddIfAbsent(headers, "Cache-Control", "no-cache");
  }
  if (IncludesCredentials()) {
    const std::string cookies = context_->JarOf(JarName()).HeaderFor(*url_, IsSameSite(), context_->Now());
    if (!cookies.empty()) AddIfAbsent(headers, "Cookie", cookies);
  }
  return headers;
}

void FetchJob::StoreCookies(const Headers& headers) {
  for (const auto& [name, value] : headers) {
    if (SameName(name, "set-cookie"))
      context_->JarOf(JarName()).Set(*url_, value, IsSameSite(), context_->Now());
  }
}

// Cross-origin resource policy check (section 3.7).
std::string FetchJob::CrossOriginResourceProblem(const Headers& headers) const {
  if (tainting_ != Tainting::kOpaque) return "";
  const std::string policy = CombinedValue(headers, "cross-origin-resource-policy");
  const bool same_site = client_url_ && SameSite(*client_url_, *url_);
  const bool refused =
      (policy == "same-origin" && url_->Origin() != client_.origin) || (policy == "same-site" && !same_site);
  return refused ? fmt::format("the response's Cross-Origin-Resource-Policy is {}", policy) : "";
}

// Filtered responses (section 2.2.6).
ipc::HttpResponse FetchJob::Filtered(HttpClientHead head) const {
  ipc::HttpResponse response;
  const bool opaque = tainting_ == Tainting::kOpaque;
  response.set_type(opaque                         ? ipc::HttpResponse::OPAQUE
                    : tainting_ == Tainting::kCors ? ipc::HttpResponse::CORS
                                                   : ipc::HttpResponse::BASIC);
  if (opaque && !client_.trusted) return response;
  std::vector<std::string> exposed =
      SplitList(LowerCase(CombinedValue(head.headers, "access-control-expose-headers")));
  const bool all_exposed =
      request_.credentials() != "include" && std::find(exposed.begin(), exposed.end(), "*") != exposed.end();
  response.set_status(static_cast<std::uint32_t>(head.status));
  response.set_status_text(IsomorphicToUtf8(head.status_text));
  for (auto& [name, value] : head.headers) {
    if (!client_.trusted && (SameName(name, "set-cookie") || SameName(name, "set-cookie2"))) continue;
    const bool visible = tainting_ != Tainting::kCors || all_exposed ||
                         IsCorsSafelistedResponseHeader(name) ||
                         std::find(exposed.begin(), exposed.end(), LowerCase(name)) != exposed.end();
    if (!visible) continue;
    ipc::HttpHeader* header = response.add_headers();
    header->set_name(LowerCase(name));
    header->set_value(IsomorphicToUtf8(value));
  }
  for (const Url& url : url_list_) response.add_url_list(url.Href());
  return response;
}

}  // namespace vigil::net
