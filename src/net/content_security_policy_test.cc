#include "net/content_security_policy.h"

#include <gtest/gtest.h>

namespace vigil::net {
namespace {

Url At(const char* url) { return *Url::Parse(url); }
ContentSecurityPolicies Of(const char* policy) {
  return ContentSecurityPolicies(policy, "", At("https://shop.example/app/sw.js"));
}
bool Connects(const char* policy, const char* url, bool redirected = false) {
  return !IsBlocked(Of(policy).CheckRequest("", At(url), At(url), redirected));
}

TEST(ContentSecurityPolicy, SourcesOfConnections) {
  EXPECT_TRUE(Connects("connect-src 'self'", "https://shop.example/x"));
  EXPECT_TRUE(Connects("connect-src 'self'", "wss://shop.example/x"));
  EXPECT_FALSE(Connects("connect-src 'self'", "https://other.example/x"));
  EXPECT_FALSE(Connects("connect-src 'self'", "https://shop.example:444/x"));
  EXPECT_FALSE(Connects("connect-src 'none'", "https://shop.example/x"));
  EXPECT_FALSE(Connects("connect-src", "https://shop.example/x"));
  EXPECT_TRUE(Connects("connect-src *", "wss://other.example/"));
  EXPECT_FALSE(Connects("connect-src *", "data:,x"));
  EXPECT_TRUE(Connects("connect-src data:", "data:,x"));
  EXPECT_TRUE(Connects("connect-src https:", "https://other.example/"));
  EXPECT_FALSE(Connects("connect-src https:", "http://other.example/"));
  EXPECT_TRUE(Connects("connect-src http:", "https://other.example/"));
}

TEST(ContentSecurityPolicy, HostsPortsAndPaths) {
  EXPECT_TRUE(Connects("connect-src api.example", "https://api.example/x"));
  EXPECT_TRUE(Connects("connect-src API.example", "https://api.example/x"));
  EXPECT_FALSE(Connects("connect-src api.example", "http://api.example/x"));
  EXPECT_FALSE(Connects("connect-src api.example", "https://x.api.example/x"));
  EXPECT_TRUE(Connects("connect-src *.example", "https://x.api.example/x"));
  EXPECT_FALSE(Connects("connect-src *.api.example", "https://api.example/x"));
  EXPECT_FALSE(Connects("connect-src api.example", "https://api.example:8443/x"));
  EXPECT_TRUE(Connects("connect-src api.example:8443", "https://api.example:8443/x"));
  EXPECT_TRUE(Connects("connect-src api.example:*", "https://api.example:8443/x"));
  EXPECT_TRUE(Connects("connect-src http://api.example:80", "https://api.example/x"));
  EXPECT_TRUE(Connects("connect-src api.example/v1/", "https://api.example/v1/a"));
  EXPECT_FALSE(Connects("connect-src api.example/v1/", "https://api.example/v2/a"));
  EXPECT_TRUE(Connects("connect-src api.example/v%31/a", "https://api.example/v1/a"));
  EXPECT_FALSE(Connects("connect-src api.example/v1/a", "https://api.example/v1/ab"));
  // A redirect must not tell paths of other sites.
  EXPECT_TRUE(Connects("connect-src api.example/v1/", "https://api.example/v2/a", true));
}

TEST(ContentSecurityPolicy, DirectivesFallBackAndTheFirstOfANameCounts) {
  EXPECT_FALSE(Connects("default-src 'self'", "https://other.example/"));
  EXPECT_TRUE(Connects("default-src 'none'; CONNECT-SRC *", "https://other.example/"));
  EXPECT_FALSE(Connects("connect-src 'none'; connect-src *", "https://other.example/"));
  EXPECT_TRUE(Connects("script-src 'none'", "https://other.example/"));
  EXPECT_FALSE(Connects("connect-src *, connect-src 'self'", "https://other.example/"));
  const auto script = [](const char* policy) {
    const Url url = At("https://cdn.example/lib.js");
    return !IsBlocked(Of(policy).CheckRequest("script", url, url, false));
  };
  EXPECT_FALSE(script("script-src 'self'"));
  EXPECT_TRUE(script("script-src-elem cdn.example; script-src 'none'"));
  EXPECT_FALSE(script("default-src 'self'"));
  EXPECT_TRUE(script("connect-src 'none'"));
  EXPECT_TRUE(script("script-src 'nonce-x' 'strict-dynamic'"));
}

TEST(ContentSecurityPolicy, CodeOfStringsAndOfWebAssembly) {
  using Code = ContentSecurityPolicies::Code;
  EXPECT_TRUE(IsBlocked(Of("script-src 'self'").CheckCode(Code::kString)));
  EXPECT_TRUE(IsBlocked(Of("default-src 'self'").CheckCode(Code::kString)));
  EXPECT_FALSE(IsBlocked(Of("script-src 'unsafe-eval'").CheckCode(Code::kString)));
  EXPECT_FALSE(IsBlocked(Of("connect-src 'self'").CheckCode(Code::kString)));
  EXPECT_TRUE(IsBlocked(Of("script-src 'wasm-unsafe-eval'").CheckCode(Code::kString)));
  EXPECT_FALSE(IsBlocked(Of("script-src 'wasm-unsafe-eval'").CheckCode(Code::kWasm)));
  EXPECT_FALSE(IsBlocked(Of("script-src 'unsafe-eval'").CheckCode(Code::kWasm)));
  EXPECT_TRUE(IsBlocked(Of("script-src 'none'").CheckCode(Code::kWasm)));
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
