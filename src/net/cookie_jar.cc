#include "net/cookie_jar.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "net/cookie_parser.h"

namespace vigil::net {
namespace {

// Section 5.1.3.
bool DomainMatches(const std::string& host, const std::string& domain) {
  if (host == domain) return true;
  const bool address = host.starts_with('[') || host.find_first_not_of("0123456789.") == std::string::npos;
  return !address && host.size() > domain.size() && host.ends_with(domain) &&
         host[host.size() - domain.size() - 1] == '.';
}

// Section 5.1.4.
std::string DefaultPath(const Url& url) {
  const std::size_t slash = url.path().rfind('/');
  return slash == std::string::npos || slash == 0 ? "/" : url.path().substr(0, slash);
}

bool PathMatches(const std::string& request, const std::string& cookie) {
  if (request == cookie) return true;
  return request.starts_with(cookie) && (cookie.ends_with('/') || request[cookie.size()] == '/');
}

bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
         });
}

// Name prefixes that promise something (section 5.7, steps on "__Secure-" and "__Host-").
bool KeepsItsPrefixesPromise(const ParsedCookie& parsed, bool host_only) {
  const Cookie& cookie = parsed.cookie;
  const std::string& marked = cookie.name.empty() ? cookie.value : cookie.name;
  const bool host_prefix = StartsWithIgnoringCase(marked, "__Host-");
  const bool secure_prefix = StartsWithIgnoringCase(marked, "__Secure-");
  if (!host_prefix && !secure_prefix) return true;
  if (cookie.name.empty() || !cookie.secure) return false;
  return !host_prefix || (host_only && parsed.has_path && cookie.path == "/");
}

}  // namespace

bool CookieJar::Set(const Url& url, std::string_view set_cookie, bool same_site_context, WallTime now) {
  return Store(url, set_cookie, same_site_context, false, now);
}

bool CookieJar::SetByScript(const Url& url, std::string_view set_cookie, WallTime now) {
  return Store(url, set_cookie, true, true, now);
}

// Section 5.7, the storage model.
bool CookieJar::Store(const Url& url, std::string_view set_cookie, bool same_site_context, bool by_script,
                      WallTime now) {
  std::optional<ParsedCookie> parsed = ParseSetCookie(set_cookie, now);
  if (!parsed) return false;
  Cookie& cookie = parsed->cookie;
  const bool secure_url = IsPotentiallyTrustworthy(url);
  if (!cookie.domain.empty() && IsPublicSuffix(cookie.domain)) {
    if (cookie.domain != url.host()) return false;
    cookie.domain.clear();
  }
  cookie.host_only = cookie.domain.empty();
  if (cookie.host_only) {
    cookie.domain = url.host();
  } else if (!DomainMatches(url.host(), cookie.domain)) {
    return false;
  }
  if (!KeepsItsPrefixesPromise(*parsed, cookie.host_only)) return false;
  if (!parsed->has_path) cookie.path = DefaultPath(url);
  if (cookie.secure && !secure_url) return false;
  if (cookie.same_site == Cookie::SameSite::kNone && !cookie.secure) return false;
  if (!same_site_context && cookie.same_site != Cookie::SameSite::kNone) return false;
  if (by_script) {
    const auto old = cookies_.find(cookie.Key());
    if (cookie.http_only || (old != cookies_.end() && old->second.http_only)) return false;
  }
  Insert(std::move(cookie), now);
  return true;
}

void CookieJar::Insert(Cookie cookie, WallTime now) {
  const auto old = cookies_.find(cookie.Key());
  const std::optional<Cookie> before = old != cookies_.end() ? std::optional(old->second) : std::nullopt;
  cookie.created = old != cookies_.end() ? old->second.created : now;
  cookie.sequence = old != cookies_.end() ? old->second.sequence : next_sequence_++;
  if (old != cookies_.end()) {
    const bool was_lasting = old->second.expires.has_value();
    // One that becomes a session cookie must leave the store, too.
    if (was_lasting && (!cookie.expires || *cookie.expires <= now)) {
      Remove(old);
    } else {
      cookies_.erase(old);
    }
  }
  if (cookie.expires && *cookie.expires <= now) {
    if (before && observer_) observer_(*before, true);
    return;
  }
  const bool differs = !before || before->Serialize() != cookie.Serialize();
  const std::string domain = cookie.domain;
  std::string key = cookie.Key();
  const auto stored = cookies_.insert_or_assign(std::move(key), std::move(cookie)).first;
  if (stored->second.expires && changed_) changed_(stored->second, false);
  if (differs && observer_) observer_(stored->second, false);
  Evict(domain, now);
}

void CookieJar::Remove(std::map<std::string, Cookie>::iterator it) {
  const Cookie gone = std::move(it->second);
  cookies_.erase(it);
  if (gone.expires && changed_) changed_(gone, true);
}

// Expired ones first, then the oldest.
void CookieJar::Evict(const std::string& domain, WallTime now) {
  const auto oldest = [this](const std::string* of_domain) {
    auto found = cookies_.end();
    for (auto it = cookies_.begin(); it != cookies_.end(); ++it) {
      if (of_domain != nullptr && it->second.domain != *of_domain) continue;
      if (found == cookies_.end() || it->second.sequence < found->second.sequence) found = it;
    }
    return found;
  };
  const auto of_domain = [&] {
    return static_cast<std::size_t>(std::count_if(
        cookies_.begin(), cookies_.end(), [&](const auto& entry) { return entry.second.domain == domain; }));
  };
  if (cookies_.size() <= kMaxCookies && (cookies_.size() <= kMaxPerDomain || of_domain() <= kMaxPerDomain))
    return;
  for (auto it = cookies_.begin(); it != cookies_.end();) {
    const auto next = std::next(it);
    if (it->second.expires && *it->second.expires <= now) Remove(it);
    it = next;
  }
  while (of_domain() > kMaxPerDomain) Remove(oldest(&domain));
  while (cookies_.size() > kMaxCookies) Remove(oldest(nullptr));
}

bool CookieJar::Reaches(const Cookie& cookie, const Url& url) {
  const bool host_fits =
      cookie.host_only ? url.host() == cookie.domain : DomainMatches(url.host(), cookie.domain);
  return host_fits && PathMatches(url.path(), cookie.path) &&
         (!cookie.secure || IsPotentiallyTrustworthy(url));
}

// Section 5.8.3, the retrieval algorithm: longer paths first, then older cookies.
std::vector<const Cookie*> CookieJar::Matching(const Url& url, bool same_site_context, WallTime now) {
  std::vector<const Cookie*> matching;
  for (auto it = cookies_.begin(); it != cookies_.end();) {
    const auto here = it++;
    const Cookie& cookie = here->second;
    if (cookie.expires && *cookie.expires <= now) {
      Remove(here);
      continue;
    }
    if (!Reaches(cookie, url)) continue;
    if (!same_site_context && cookie.same_site != Cookie::SameSite::kNone) continue;
    matching.push_back(&cookie);
  }
  std::sort(matching.begin(), matching.end(), [](const Cookie* a, const Cookie* b) {
    if (a->path.size() != b->path.size()) return a->path.size() > b->path.size();
    return a->sequence < b->sequence;
  });
  return matching;
}

std::vector<Cookie> CookieJar::ForScripts(const Url& url, WallTime now) {
  std::vector<Cookie> visible;
  for (const Cookie* cookie : Matching(url, true, now)) {
    if (!cookie->http_only) visible.push_back(*cookie);
  }
  return visible;
}

std::string CookieJar::HeaderFor(const Url& url, bool same_site_context, WallTime now) {
  std::string header;
  for (const Cookie* cookie : Matching(url, same_site_context, now)) {
    if (!header.empty()) header += "; ";
    if (!cookie->name.empty()) header += cookie->name + "=";
    header += cookie->value;
  }
  return header;
}

void CookieJar::Restore(Cookie cookie) {
  cookie.sequence = next_sequence_++;
  std::string key = cookie.Key();
  cookies_.insert_or_assign(std::move(key), std::move(cookie));
}

void CookieJar::Clear() { cookies_.clear(); }

std::vector<Cookie> CookieJar::All() const {
  std::vector<Cookie> all;
  for (const auto& [key, cookie] : cookies_) all.push_back(cookie);
  return all;
}

}  // namespace vigil::net
