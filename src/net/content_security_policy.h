// Content Security Policy (CSP3), as far as a service worker can break one: what it fetches and connects to,
// the scripts it imports, and code made of strings or of WebAssembly. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/url.h"

namespace vigil::net {

// What a policy forbids and somebody tried (CSP3 §2.4).
struct CspViolation {
  std::string blocked_uri;
  std::string effective_directive;
  std::string original_policy;
  std::string directive;  // the one that decided, as it was written: for messages
  bool report_only = false;
};

// The policies of one script response. Immutable.
class ContentSecurityPolicies {
 public:
  enum class Code { kString, kWasm };

  // The values of the headers Content-Security-Policy and …-Report-Only, each combined with commas; `self` is
  // the URL of the response.
  ContentSecurityPolicies(std::string_view enforced, std::string_view report_only, const Url& self);

  bool empty() const { return policies_.empty(); }
  // CSP3 §4.1.2 and §4.1.3: of a request with this destination ("" or "script") to this URL. The violations
  // of all policies; one that is not only reported blocks the request.
  std::vector<CspViolation> CheckRequest(std::string_view destination, const Url& url, const Url& first_url,
                                         bool redirected) const;
  // CSP3 §4.4.
  std::vector<CspViolation> CheckCode(Code code) const;

 private:
  struct Directive {
    std::string name;
    std::string text;                  // name and value as written
    std::vector<std::string> sources;  // the value's parts
  };
  struct Policy {
    std::vector<Directive> directives;
    std::string text;
    bool report_only = false;
    const Directive* Find(std::string_view name) const;
    // The first of them that is there.
    const Directive* FirstOf(std::initializer_list<std::string_view> names) const;
  };
  void ParseList(std::string_view header, bool report_only);
  static Policy ParsePolicy(std::string_view text);
  bool Allows(const Directive& directive, const Url& url, bool redirected) const;
  bool Matches(std::string_view expression, const Url& url, bool redirected) const;
  bool MatchesHostSource(std::string_view expression, const Url& url, bool redirected) const;
  bool MatchesSelf(const Url& url) const;

  std::vector<Policy> policies_;
  Url self_;
};

bool IsBlocked(const std::vector<CspViolation>& violations);

}  // namespace vigil::net
