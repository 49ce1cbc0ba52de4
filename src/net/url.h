// URLs as the URL standard reads them, for the schemes Vigil talks (http, https, ws, wss). Any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigil::net {

// A parsed, normalised URL. Other schemes (data:, blob:, about: …) are kept whole: scheme() and path() only.
class Url {
 public:
  // kInvalidArgument when the standard's parser fails.
  static Result<Url> Parse(std::string_view input);
  // Relative to `base` as a link in a document at `base` would be.
  static Result<Url> Parse(std::string_view input, const Url& base);

  const std::string& scheme() const { return scheme_; }      // "https"
  const std::string& username() const { return username_; }  // percent-encoded
  const std::string& password() const { return password_; }
  const std::string& host() const { return host_; }  // lower case, punycode, IPv6 in brackets
  // 0: the scheme's default.
  std::uint16_t port() const { return port_; }
  std::uint16_t EffectivePort() const;
  const std::string& path() const {
    return path_;
  }  // starts with '/'; for other schemes all that follows ':'
  const std::optional<std::string>& query() const { return query_; }        // without '?'
  const std::optional<std::string>& fragment() const { return fragment_; }  // without '#'

  // http, https, ws or wss.
  bool IsSpecial() const;
  bool IsHttp() const { return scheme_ == "http" || scheme_ == "https"; }
  // The whole URL.
  std::string Href() const;
  std::string HrefWithoutFragment() const;
  // "https://shop.example", "http://localhost:8080"; "null" for other schemes.
  std::string Origin() const;
  // Path and query, as in an HTTP request line.
  std::string Target() const;
  // Host without the brackets of an IPv6 address.
  std::string Hostname() const;

  void ClearCredentials();
  void ClearFragment() { fragment_.reset(); }
  void SetFragment(std::optional<std::string> fragment) { fragment_ = std::move(fragment); }

  friend bool operator==(const Url&, const Url&) = default;

 private:
  friend class UrlParser;
  Url() = default;

  std::string scheme_;
  std::string username_;
  std::string password_;
  std::string host_;
  std::uint16_t port_ = 0;
  std::string path_;
  std::optional<std::string> query_;
  std::optional<std::string> fragment_;
};

// 127.0.0.0/8, ::1, localhost and *.localhost.
bool IsLoopbackHost(std::string_view host);
// The only URLs that apps may live at and talk to: https, or http on loopback.
bool IsPotentiallyTrustworthy(const Url& url);
// Says in one line why Vigil does not take this URL, or nothing when it does.
std::optional<std::string> WhyNotAllowed(const Url& url);

// The site's registrable domain ("shop.example.co.uk" → "example.co.uk") by the public suffix list; the host
// itself for addresses, single labels and public suffixes.
std::string RegistrableDomain(const std::string& host);
bool IsPublicSuffix(const std::string& host);
// Schemeful: same scheme and same registrable domain.
bool SameSite(const Url& a, const Url& b);

}  // namespace vigil::net
