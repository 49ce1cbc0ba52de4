// Cookies as RFC 6265bis treats them: one jar per client origin, so that what one app makes a third party
// store is invisible to another app. Event-loop thread; no I/O (store::CookieStore keeps the lasting ones).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/url.h"
#include "vigil/time.h"

namespace vigil::net {

struct Cookie {
  enum class SameSite : std::uint8_t { kUnspecified, kNone, kLax, kStrict };

  std::string name;
  std::string value;
  std::string domain;  // without leading dot
  std::string path = "/";
  bool host_only = true;
  bool secure = false;
  bool http_only = false;
  SameSite same_site = SameSite::kUnspecified;
  std::optional<WallTime> expires;  // absent: a session cookie
  WallTime created{};
  std::uint64_t sequence = 0;  // order of creation

  // Domain, path and name: what makes two cookies the same.
  std::string Key() const;
  // One line for the store, and back.
  std::string Serialize() const;
  static std::optional<Cookie> Deserialize(std::string_view line);
};

class CookieJar {
 public:
  static constexpr std::size_t kMaxPerDomain = 180;
  static constexpr std::size_t kMaxCookies = 3000;

  // A cookie was stored, or (removed) deleted or expired. Session cookies are not reported.
  using Changed = std::function<void(const Cookie& cookie, bool removed)>;
  void OnChange(Changed changed) { changed_ = std::move(changed); }

  // Every cookie that a script could see changing: any kind, but not one that is set again as it was.
  void Observe(Changed observer) { observer_ = std::move(observer); }

  // Value of a Set-Cookie header of a response from `url`. same_site_context: the request was same-site with
  // the client that made it, or a navigation. Returns whether it was accepted.
  bool Set(const Url& url, std::string_view set_cookie, bool same_site_context, WallTime now);
  // The same, from a script: it can neither make nor replace cookies that are for servers only.
  bool SetByScript(const Url& url, std::string_view set_cookie, WallTime now);
  // The Cookie header for a request to `url`; empty: none.
  std::string HeaderFor(const Url& url, bool same_site_context, WallTime now);

  // The cookies that a script at `url` may read, in the order of the header.
  std::vector<Cookie> ForScripts(const Url& url, WallTime now);
  // Whether the cookie's domain and path cover the URL.
  static bool Reaches(const Cookie& cookie, const Url& url);

  // From the store, at start. Does not call OnChange.
  void Restore(Cookie cookie);
  void Clear();  // does not call OnChange
  std::vector<Cookie> All() const;

 private:
  bool Store(const Url& url, std::string_view set_cookie, bool same_site_context, bool by_script,
             WallTime now);
  std::vector<const Cookie*> Matching(const Url& url, bool same_site_context, WallTime now);
  void Insert(Cookie cookie, WallTime now);
  void Remove(std::map<std::string, Cookie>::iterator it);
  void Evict(const std::string& domain, WallTime now);

  std::map<std::string, Cookie> cookies_;
  std::uint64_t next_sequence_ = 1;
  Changed changed_;
  Changed observer_;
};

}  // namespace vigil::net
