#include "net/curl_options.h"

#include <fmt/format.h>

#include <string>

namespace vigil::net {
namespace {

// Returns the addresses that the host has for this handle.
curl_slist* ChooseRoute(CURL* easy, const Url& url, const HttpClientOptions& options) {
  std::string address = options.hosts.Lookup(url.Hostname(), url.EffectivePort());
  std::string bypass = options.proxies.bypass;
  if (!address.empty()) bypass += "," + url.Hostname();
  if (address.empty() && url.host().ends_with(".localhost")) address = "127.0.0.1,::1";
  curl_easy_setopt(easy, CURLOPT_PROXY, options.proxies.For(url).c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, bypass.c_str());
  if (address.empty()) return nullptr;
  curl_slist* addresses =
      curl_slist_append(nullptr, fmt::format("{}:{}:{}", url.host(), url.EffectivePort(), address).c_str());
  curl_easy_setopt(easy, CURLOPT_RESOLVE, addresses);
  return addresses;
}

// libcurl reads a folder of certificates by need, but a file of them as a whole: the system's file is kept in
// memory between connections, which it only does when no folder is set. Beside a file of the operator's, the
// system's folder is the cheaper one.
void ChooseTrustRoots(CURL* easy, const HttpClientOptions& options) {
  const curl_version_info_data* built = curl_version_info(CURLVERSION_NOW);
  if (!options.ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  } else if (built->cainfo != nullptr) {
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
}

}  // namespace

curl_slist* SetConnectionOptions(CURL* easy, const Url& url, const HttpClientOptions& options) {
  curl_easy_setopt(easy, CURLOPT_URL, url.HrefWithoutFragment().c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  ChooseTrustRoots(easy, options);
  return ChooseRoute(easy, url, options);
}

}  // namespace vigil::net
