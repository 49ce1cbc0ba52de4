#include "net/url.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace vigil::net {
namespace {

std::string Href(std::string_view input) {
  const Result<Url> url = Url::Parse(input);
  return url ? url->Href() : "failure";
}

std::string Resolve(std::string_view input, std::string_view base) {
  const Result<Url> url = Url::Parse(input, Url::Parse(base).value());
  return url ? url->Href() : "failure";
}

TEST(Url, NormalisesAsTheStandardSays) {
  const std::tuple<const char*, const char*> cases[] = {
      {"HTTPS://Shop.Example", "https://shop.example/"},
      {"  https://a.example/x y\t\n ", "https://a.example/x%20y"},
      {"https://a.example:443/", "https://a.example/"},
      {"http://a.example:080/", "http://a.example/"},
      {"http://a.example:8080", "http://a.example:8080/"},
      {"https:a.example", "https://a.example/"},
      {"https:\\\\a.example\\b", "https://a.example/b"},
      {"https://a.example/a/./b/../c/%2e%2E/d/.", "https://a.example/a/d/"},
      {"https://a.example/..", "https://a.example/"},
      {"https://a.example?q='a b'#f`g", "https://a.example/?q=%27a%20b%27#f%60g"},
      {"https://user:pa:ss@a.example/", "https://user:pa%3Ass@a.example/"},
      {"https://us@er@a.example/", "https://us%40er@a.example/"},
      {"https://b\xC3\xBC"
       "cher.example/\xC3\xA4",
       "https://xn--bcher-kva.example/%C3%A4"},
      {"https://ex%41mple.com", "https://example.com/"},
      {"http://0x7f.1/", "http://127.0.0.1/"},
      {"http://017700000001/", "http://127.0.0.1/"},
      {"http://[::1]:80/", "http://[::1]/"},
      {"http://[2001:DB8:0:0:1:0:0:1]/", "http://[2001:db8::1:0:0:1]/"},
      {"data:text/plain,hi there#x", "data:text/plain,hi there#x"},
      {"wss://a.example:443", "wss://a.example/"},
  };
  for (const auto& [input, expected] : cases) EXPECT_EQ(Href(input), expected) << input;
}

TEST(Url, RefusesWhatTheStandardRefuses) {
  for (const char* input :
       {"", "shop.example", "/path", "https://", "https:///", "https://a b/", "https://a.example:x/",
        "https://a.example:65536/", "https://[::1", "https://[::g]/", "http://1.2.3.4.5/",
        "http://256.1.1.1/", "https://a%00b/", "https://a<b/", "https://@/"}) {
    EXPECT_EQ(Href(input), "failure") << input;
  }
}

TEST(Url, ResolvesRelativeReferences) {
  const char* base = "https://a.example/dir/page?q#f";
  const std::tuple<const char*, const char*> cases[] = {
      {"", "https://a.example/dir/page?q"},
      {"#g", "https://a.example/dir/page?q#g"},
      {"?r", "https://a.example/dir/page?r"},
      {"sw.js", "https://a.example/dir/sw.js"},
      {"./sw.js?x#y", "https://a.example/dir/sw.js?x#y"},
      {"../sw.js", "https://a.example/sw.js"},
      {"../../../sw.js", "https://a.example/sw.js"},
      {"/root", "https://a.example/root"},
      {"\\root", "https://a.example/root"},
      {"//b.example/x", "https://b.example/x"},
      {"http://c.example", "http://c.example/"},
      {"https:other", "https://a.example/dir/other"},
      {".", "https://a.example/dir/"},
  };
  for (const auto& [input, expected] : cases) EXPECT_EQ(Resolve(input, base), expected) << input;
}

TEST(Url, TellsItsParts) {
  const Url url = Url::Parse("https://u:p@Shop.example:8443/a/b?c=d#e").value();
  EXPECT_EQ(url.Origin(), "https://shop.example:8443");
  EXPECT_EQ(url.EffectivePort(), 8443);
  EXPECT_EQ(url.Target(), "/a/b?c=d");
  EXPECT_EQ(url.HrefWithoutFragment(), "https://u:p@shop.example:8443/a/b?c=d");
  EXPECT_EQ(Url::Parse("blob:x").value().Origin(), "null");
  EXPECT_EQ(Url::Parse("https://a.example/?").value().Href(), "https://a.example/?");
  EXPECT_EQ(Url::Parse("http://[::1]/").value().Hostname(), "::1");
}

TEST(Url, AllowsHttpsAndThisMachineOnly) {
  for (const char* good : {"https://a.example/", "http://localhost:1/", "http://127.9.9.9/", "http://[::1]/",
                           "http://x.localhost/"}) {
    EXPECT_EQ(WhyNotAllowed(Url::Parse(good).value()), std::nullopt) << good;
  }
  for (const char* bad : {"http://a.example/", "http://128.0.0.1/", "http://localhost.example/",
                          "ftp://a.example/", "data:,"}) {
    EXPECT_NE(WhyNotAllowed(Url::Parse(bad).value()), std::nullopt) << bad;
  }
}

TEST(Url, KnowsSites) {
  EXPECT_EQ(RegistrableDomain("a.b.example.co.uk"), "example.co.uk");
  EXPECT_EQ(RegistrableDomain("localhost"), "localhost");
  EXPECT_EQ(RegistrableDomain("10.0.0.1"), "10.0.0.1");
  EXPECT_TRUE(IsPublicSuffix("co.uk"));
  EXPECT_TRUE(IsPublicSuffix("github.io"));
  EXPECT_FALSE(IsPublicSuffix("example.com"));
  const auto same = [](const char* a, const char* b) {
    return SameSite(Url::Parse(a).value(), Url::Parse(b).value());
  };
  EXPECT_TRUE(same("https://a.example.com/", "https://b.example.com:99/"));
  EXPECT_FALSE(same("https://a.example.com/", "http://a.example.com/"));
  EXPECT_FALSE(same("https://a.github.io/", "https://b.github.io/"));
}

}  // namespace
}  // namespace vigil::net
