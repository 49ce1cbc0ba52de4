#include "net/content_security_policy.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace vigil::net {
namespace {

Url At(const char* url) { return *Url::Parse(url); }
ContentSecurityPolicies Of(const char* policy) {
  return ContentSecurityPolicies(policy, "", At("https://shop.example/app/sw.js"));
}

// Whether a policy lets a request go to a URL.
struct Case {
  const char* policy;
  const char* url;
  bool goes;
  bool redirected = false;
};
// destination: "" as fetch() has it; "script" imports.
void Check(std::initializer_list<Case> cases, const char* destination = "") {
  for (const auto& [policy, url, goes, redirected] : cases) {
    const auto violations = Of(policy).CheckRequest(destination, At(url), At(url), redirected);
    EXPECT_EQ(!IsBlocked(violations), goes) << policy << " and " << url;
  }
}

TEST(ContentSecurityPolicy, SourcesOfConnections) {
  Check({
      {"connect-src 'self'", "https://shop.example/x", true},
      {"connect-src 'self'", "wss://shop.example/x", true},
      {"connect-src 'self'", "https://other.example/x", false},
      {"connect-src 'self'", "https://shop.example:444/x", false},
      {"connect-src 'none'", "https://shop.example/x", false},
      {"connect-src", "https://shop.example/x", false},
      {"connect-src *", "wss://other.example/", true},
      {"connect-src *", "data:,x", false},
      {"connect-src data:", "data:,x", true},
      {"connect-src https:", "https://other.example/", true},
      {"connect-src https:", "http://other.example/", false},
      {"connect-src http:", "https://other.example/", true},
  });
}

TEST(ContentSecurityPolicy, HostsPortsAndPaths) {
  Check({
      {"connect-src api.example", "https://api.example/x", true},
      {"connect-src API.example", "https://api.example/x", true},
      {"connect-src api.example", "http://api.example/x", false},
      {"connect-src api.example", "https://x.api.example/x", false},
      {"connect-src *.example", "https://x.api.example/x", true},
      {"connect-src *.api.example", "https://api.example/x", false},
      {"connect-src api.example", "https://api.example:8443/x", false},
      {"connect-src api.example:8443", "https://api.example:8443/x", true},
      {"connect-src api.example:*", "https://api.example:8443/x", true},
      {"connect-src http://api.example:80", "https://api.example/x", true},
      {"connect-src api.example/v1/", "https://api.example/v1/a", true},
      {"connect-src api.example/v1/", "https://api.example/v2/a", false},
      {"connect-src api.example/v%31/a", "https://api.example/v1/a", true},
      {"connect-src api.example/v1/a", "https://api.example/v1/ab", false},
      // A redirect must not tell paths of other sites.
      {"connect-src api.example/v1/", "https://api.example/v2/a", true, true},
  });
}

TEST(ContentSecurityPolicy, DirectivesFallBackAndTheFirstOfANameCounts) {
  Check({
      {"default-src 'self'", "https://other.example/", false},
      {"default-src 'none'; CONNECT-SRC *", "https://other.example/", true},
      {"connect-src 'none'; connect-src *", "https://other.example/", false},
      {"script-src 'none'", "https://other.example/", true},
      {"connect-src *, connect-src 'self'", "https://other.example/", false},
  });
  constexpr const char* kLibrary = "https://cdn.example/lib.js";
  Check(
      {
          {"script-src 'self'", kLibrary, false},
          {"script-src-elem cdn.example; script-src 'none'", kLibrary, true},
          {"default-src 'self'", kLibrary, false},
          {"connect-src 'none'", kLibrary, true},
          {"script-src 'nonce-x' 'strict-dynamic'", kLibrary, true},
      },
      "script");
}

TEST(ContentSecurityPolicy, CodeOfStringsAndOfWebAssembly) {
  using Code = ContentSecurityPolicies::Code;
  struct {
    const char* policy;
    Code code;
    bool blocked;
  } const cases[] = {
      {"script-src 'self'", Code::kString, true},
      {"default-src 'self'", Code::kString, true},
      {"script-src 'unsafe-eval'", Code::kString, false},
      {"connect-src 'self'", Code::kString, false},
      {"script-src 'wasm-unsafe-eval'", Code::kString, true},
      {"script-src 'wasm-unsafe-eval'", Code::kWasm, false},
      {"script-src 'unsafe-eval'", Code::kWasm, false},
      {"script-src 'none'", Code::kWasm, true},
  };
  for (const auto& [policy, code, blocked] : cases) {
    EXPECT_EQ(IsBlocked(Of(policy).CheckCode(code)), blocked) << policy;
  }
}

TEST(ContentSecurityPolicy, AViolationSaysWhatWasAskedForAndNotWhereItLed) {
  const ContentSecurityPolicies policies("connect-src 'self'; img-src *", "default-src api.example",
                                         At("https://shop.example/app/sw.js"));
  const auto violations = policies.CheckRequest("", At("https://other.example/secret"),
                                                At("https://user@shop.example/go?to=1#here"), true);
  ASSERT_EQ(violations.size(), 2U);
  EXPECT_EQ(violations[0].blocked_uri, "https://shop.example/go?to=1");
  EXPECT_EQ(violations[0].effective_directive, "connect-src");
  EXPECT_EQ(violations[0].directive, "connect-src 'self'");
  EXPECT_EQ(violations[0].original_policy, "connect-src 'self'; img-src *");
  EXPECT_FALSE(violations[0].report_only);
  EXPECT_TRUE(violations[1].report_only);
  EXPECT_EQ(violations[1].directive, "default-src api.example");
}

TEST(ContentSecurityPolicy, WhatIsNoPolicyForbidsNothing) {
  for (const char* text : {"", ",", ";;", " , ; ", "\xC3\xA4 'none'"}) EXPECT_TRUE(Of(text).empty()) << text;
}

}  // namespace
}  // namespace vigil::net
