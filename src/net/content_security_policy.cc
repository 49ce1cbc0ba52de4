#include "net/content_security_policy.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "net/fetch_headers.h"

namespace vigil::net {
namespace {

constexpr std::string_view kBlanks = " \t\n\f\r";

std::string_view Trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// The part up to a separator, which is taken off.
std::string_view TakeUntil(std::string_view& text, std::string_view separators) {
  const std::size_t end = std::min(text.find_first_of(separators), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool IsDefaultPort(std::string_view scheme, std::string_view port) {
  return (port == "80" && (scheme == "http" || scheme == "ws")) ||
         (port == "443" && (scheme == "https" || scheme == "wss"));
}

// §6.7.2.9, "scheme-part matches": a secure scheme is as good as its insecure one.
bool SchemeMatches(std::string_view expected, std::string_view scheme) {
  if (expected == scheme) return true;
  if (expected == "http") return scheme == "https";
  if (expected == "ws") return scheme == "wss" || scheme == "http" || scheme == "https";
  return expected == "wss" && scheme == "https";
}

// §6.7.2.10
bool HostMatches(std::string_view pattern, const Url& url) {
  const std::string host = LowerCase(url.host());
  if (pattern.starts_with("*.")) return host.ends_with(pattern.substr(1)) && host.size() > pattern.size() - 1;
  return host == pattern;
}

// §6.7.2.11
bool PortMatches(std::string_view expected, std::string_view scheme, const Url& url) {
  if (expected == "*") return true;
  const std::string port = std::to_string(url.EffectivePort());
  if (expected.empty()) return url.port() == 0;
  if (expected == port) return true;
  // The insecure scheme's port stands for the secure one's, too.
  return IsDefaultPort(scheme, expected) && IsDefaultPort(url.scheme(), port) &&
         SchemeMatches(scheme, url.scheme());
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0;
    if (escape) {
      decoded += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

// §6.7.2.12
bool PathMatches(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return true;
  if (pattern == "/" && path.empty()) return true;
  const std::string expected = PercentDecoded(pattern);
  const std::string actual = PercentDecoded(path);
  return expected.ends_with('/') ? actual.starts_with(expected) : actual == expected;
}

// §5.4, "strip URL for use in reports".
std::string ForReports(const Url& url) {
  if (!url.IsSpecial()) return url.scheme();
  Url stripped = url;
  stripped.ClearCredentials();
  return stripped.HrefWithoutFragment();
}

bool HasKeyword(const std::vector<std::string>& sources, std::string_view keyword) {
  return std::any_of(sources.begin(), sources.end(),
                     [&](const std::string& source) { return SameName(source, keyword); });
}

}  // namespace

ContentSecurityPolicies::ContentSecurityPolicies(std::string_view enforced, std::string_view report_only,
                                                 const Url& self)
    : self_(self) {
  ParseList(enforced, false);
  ParseList(report_only, true);
}

// §2.2.1 and §2.2.2
void ContentSecurityPolicies::ParseList(std::string_view header, bool report_only) {
  while (!header.empty()) {
    Policy policy = ParsePolicy(Trim(TakeUntil(header, ",")));
    policy.report_only = report_only;
    if (!policy.directives.empty()) policies_.push_back(std::move(policy));
  }
}

ContentSecurityPolicies::Policy ContentSecurityPolicies::ParsePolicy(std::string_view text) {
  Policy policy;
  policy.text = text;
  while (!text.empty()) {
    const std::string_view token = Trim(TakeUntil(text, ";"));
    if (token.empty() || !IsAscii(token)) continue;
    std::string_view rest = token;
    Directive directive;
    directive.name = LowerCase(TakeUntil(rest, kBlanks));
    directive.text = token;
    if (policy.Find(directive.name) != nullptr) continue;  // the first one counts
    while (!rest.empty()) {
      const std::string_view source = TakeUntil(rest, kBlanks);
      if (!source.empty()) directive.sources.emplace_back(source);
    }
    policy.directives.push_back(std::move(directive));
  }
  return policy;
}

const ContentSecurityPolicies::Directive* ContentSecurityPolicies::Policy::Find(std::string_view name) const {
  for (const Directive& directive : directives) {
    if (directive.name == name) return &directive;
  }
  return nullptr;
}
const ContentSecurityPolicies::Directive* ContentSecurityPolicies::Policy::FirstOf(
    std::initializer_list<std::string_view> names) const {
  for (const std::string_view name : names) {
    if (const Directive* directive = Find(name)) return directive;
  }
  return nullptr;
}

// §6.8.1 and §6.8.3: the effective directive and what stands in for it.
std::vector<CspViolation> ContentSecurityPolicies::CheckRequest(std::string_view destination, const Url& url,
                                                                const Url& first_url, bool redirected) const {
  const bool is_script = destination == "script";
  std::vector<CspViolation> violations;
  for (const Policy& policy : policies_) {
    const Directive* directive = is_script ? policy.FirstOf({"script-src-elem", "script-src", "default-src"})
                                           : policy.FirstOf({"connect-src", "default-src"});
    if (directive == nullptr || Allows(*directive, url, redirected)) continue;
    // What a script imports is not the parser's doing.
    if (is_script && HasKeyword(directive->sources, "'strict-dynamic'")) continue;
    violations.push_back(CspViolation{ForReports(first_url), is_script ? "script-src-elem" : "connect-src",
                                      policy.text, directive->text, policy.report_only});
  }
  return violations;
}

std::vector<CspViolation> ContentSecurityPolicies::CheckCode(Code code) const {
  const bool is_wasm = code == Code::kWasm;
  std::vector<CspViolation> violations;
  for (const Policy& policy : policies_) {
    const Directive* directive = policy.FirstOf({"script-src", "default-src"});
    if (directive == nullptr || HasKeyword(directive->sources, "'unsafe-eval'")) continue;
    if (is_wasm && HasKeyword(directive->sources, "'wasm-unsafe-eval'")) continue;
    violations.push_back(CspViolation{is_wasm ? "wasm-eval" : "eval", "script-src", policy.text,
                                      directive->text, policy.report_only});
  }
  return violations;
}

// §6.7.2.7. 'none' matches nothing, like a nonce or a hash, which no request here has.
bool ContentSecurityPolicies::Allows(const Directive& directive, const Url& url, bool redirected) const {
  return std::any_of(directive.sources.begin(), directive.sources.end(),
                     [&](const std::string& source) { return Matches(source, url, redirected); });
}

// §6.7.2.8
bool ContentSecurityPolicies::Matches(std::string_view expression, const Url& url, bool redirected) const {
  if (expression == "*") return url.IsSpecial() || SchemeMatches(self_.scheme(), url.scheme());
  if (SameName(expression, "'self'")) return MatchesSelf(url);
  if (expression.starts_with('\'')) return false;
  const bool is_scheme = expression.ends_with(':') && expression.find('/') == expression.npos;
  if (is_scheme) return SchemeMatches(LowerCase(expression.substr(0, expression.size() - 1)), url.scheme());
  return MatchesHostSource(expression, url, redirected);
}

bool ContentSecurityPolicies::MatchesHostSource(std::string_view expression, const Url& url,
                                                bool redirected) const {
  if (!url.IsSpecial()) return false;
  std::string scheme;
  if (const std::size_t end = expression.find("://"); end != expression.npos) {
    scheme = LowerCase(expression.substr(0, end));
    expression.remove_prefix(end + 3);
  }
  if (!SchemeMatches(scheme.empty() ? self_.scheme() : scheme, url.scheme())) return false;
  const std::size_t slash = std::min(expression.find('/'), expression.size());
  const std::string_view path = expression.substr(slash);
  std::string_view authority = expression.substr(0, slash);
  std::string_view port;
  if (const std::size_t colon = authority.rfind(':'); colon != authority.npos && !authority.ends_with(']')) {
    port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  const std::string host = LowerCase(authority);
  if (host.empty() || (host != "*" && !HostMatches(host, url))) return false;
  if (!PortMatches(port, scheme.empty() ? self_.scheme() : scheme, url)) return false;
  return redirected || PathMatches(path, url.path());
}

bool ContentSecurityPolicies::MatchesSelf(const Url& url) const {
  if (url.Origin() == self_.Origin()) return true;
  const bool same_port =
      url.EffectivePort() == self_.EffectivePort() || (url.port() == 0 && self_.port() == 0);
  if (url.host() != self_.host() || !same_port) return false;
  return url.scheme() == "https" || url.scheme() == "wss" ||
         (self_.scheme() == "http" && url.scheme() == "ws");
}

bool IsBlocked(const std::vector<CspViolation>& violations) {
  return std::any_of(violations.begin(), violations.end(),
                     [](const CspViolation& violation) { return !violation.report_only; });
}

}  // namespace vigil::net
