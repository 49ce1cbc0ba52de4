#include "net/cookie_jar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/cookie_parser.h"

namespace vigil::net {
namespace {

using std::chrono::seconds;

const WallTime kNow{std::chrono::hours(480'000)};

class CookieJarTest : public ::testing::Test {
 protected:
  bool Set(const char* url, std::string_view cookie, bool same_site = true, WallTime now = kNow) {
    return jar_.Set(Url::Parse(url).value(), cookie, same_site, now);
  }
  std::string Get(const char* url, bool same_site = true, WallTime now = kNow) {
    return jar_.HeaderFor(Url::Parse(url).value(), same_site, now);
  }
  CookieJar jar_;
};

TEST_F(CookieJarTest, SendsToTheHostThatSetIt) {
  EXPECT_TRUE(Set("https://a.example.com/x/y", "n = v w ; Foo"));
  EXPECT_EQ(Get("https://a.example.com/x/"), "n=v w");
  EXPECT_EQ(Get("https://a.example.com/x"), "n=v w");
  EXPECT_EQ(Get("https://a.example.com/xy"), "");
  EXPECT_EQ(Get("https://b.a.example.com/x/"), "");
}

TEST_F(CookieJarTest, DomainCookiesReachSubdomainsButNoSuffixes) {
  EXPECT_TRUE(Set("https://a.example.com/", "n=v; Domain=.Example.com"));
  EXPECT_EQ(Get("https://b.example.com/"), "n=v");
  EXPECT_EQ(Get("https://badexample.com/"), "");
  EXPECT_FALSE(Set("https://a.example.com/", "n=v; Domain=com"));
  EXPECT_FALSE(Set("https://a.example.co.uk/", "n=v; Domain=co.uk"));
  EXPECT_FALSE(Set("https://a.example.com/", "n=v; Domain=other.com"));
  EXPECT_TRUE(Set("https://github.io/", "own=1; Domain=github.io"));
  EXPECT_EQ(Get("https://x.github.io/"), "");
}

TEST_F(CookieJarTest, OrdersByPathThenAge) {
  Set("https://a.example/", "old=1; Path=/");
  Set("https://a.example/", "deep=2; Path=/x");
  Set("https://a.example/", "new=3; Path=/");
  Set("https://a.example/", "old=4; Path=/");  // keeps its place
  EXPECT_EQ(Get("https://a.example/x/y"), "deep=2; old=4; new=3");
}

TEST_F(CookieJarTest, ExpiresByMaxAgeBeforeExpires) {
  EXPECT_TRUE(Set("https://a.example/", "a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
  EXPECT_EQ(Get("https://a.example/", true, kNow + seconds(9)), "a=1");
  EXPECT_EQ(Get("https://a.example/", true, kNow + seconds(10)), "");
  Set("https://a.example/", "b=1");
  Set("https://a.example/", "b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(Get("https://a.example/"), "");
}

TEST_F(CookieJarTest, KeepsSecureAndSameSiteAndPrefixPromises) {
  EXPECT_TRUE(Set("https://a.example/", "s=1; Secure"));
  EXPECT_EQ(Get("http://a.example/"), "");
  EXPECT_FALSE(Set("http://a.example/", "s=1; Secure"));
  EXPECT_TRUE(Set("http://localhost/", "s=1; Secure"));
  EXPECT_EQ(Get("https://a.example/", false), "");
  EXPECT_FALSE(Set("https://a.example/", "x=1", false));
  EXPECT_FALSE(Set("https://a.example/", "x=1; SameSite=None"));
  EXPECT_TRUE(Set("https://a.example/", "x=1; SameSite=None; Secure", false));
  EXPECT_EQ(Get("https://a.example/", false), "x=1");
  EXPECT_FALSE(Set("https://a.example/", "__Host-a=1; Secure"));
  EXPECT_FALSE(Set("https://a.example/", "__Host-a=1; Secure; Path=/; Domain=a.example"));
  EXPECT_FALSE(Set("https://a.example/", "__secure-a=1"));
  EXPECT_TRUE(Set("https://a.example/", "__Host-a=1; Secure; Path=/"));
}

TEST_F(CookieJarTest, IgnoresWhatIsNoCookie) {
  EXPECT_FALSE(Set("https://a.example/", ""));
  EXPECT_FALSE(Set("https://a.example/", "a=b\x01"));
  EXPECT_FALSE(Set("https://a.example/", "a=" + std::string(4096, 'x')));
  EXPECT_TRUE(Set("https://a.example/", "justvalue"));
  EXPECT_EQ(Get("https://a.example/"), "justvalue");
}

TEST_F(CookieJarTest, IsBoundedPerDomain) {
  for (std::size_t i = 0; i < CookieJar::kMaxPerDomain + 20; ++i)
    Set("https://a.example/", std::to_string(i) + "=1");
  EXPECT_EQ(jar_.All().size(), CookieJar::kMaxPerDomain);
  EXPECT_TRUE(Get("https://a.example/").starts_with("20=1; "));
}

TEST_F(CookieJarTest, LastingCookiesSurviveTheStore) {
  std::vector<std::string> lines;
  jar_.OnChange([&](const Cookie& cookie, bool removed) {
    lines.push_back((removed ? "-" : "+") + cookie.Serialize());
  });
  Set("https://a.example/p/", "a=1; Max-Age=100; Secure; HttpOnly; SameSite=Strict; Domain=a.example");
  Set("https://a.example/", "session=1");
  ASSERT_EQ(lines.size(), 1U);
  CookieJar other;
  other.Restore(Cookie::Deserialize(lines[0].substr(1)).value());
  EXPECT_EQ(other.HeaderFor(Url::Parse("https://b.a.example/p/").value(), true, kNow), "a=1");
  EXPECT_EQ(other.All()[0].Serialize(), lines[0].substr(1));
  Set("https://a.example/p/", "a=1; Domain=a.example");  // a session cookie now
  EXPECT_TRUE(lines.back().starts_with("-"));
  EXPECT_EQ(Cookie::Deserialize("rubbish"), std::nullopt);
}

TEST(CookieDate, ReadsEveryCustomaryFormat) {
  const WallTime expected = std::chrono::sys_days(std::chrono::year(2031) / 11 / 9) + std::chrono::hours(8) +
                            std::chrono::minutes(49) + seconds(37);
  for (const char* text :
       {"Sun, 09 Nov 2031 08:49:37 GMT", "Sunday, 09-Nov-31 08:49:37 GMT", "Sun Nov  9 08:49:37 2031"}) {
    EXPECT_EQ(ParseCookieDate(text), expected) << text;
  }
  for (const char* text :
       {"", "Nov 2031", "32 Nov 2031 08:49:37", "9 Nov 2031 24:00:00", "9 Nov 1600 08:00:00"}) {
    EXPECT_EQ(ParseCookieDate(text), std::nullopt) << text;
  }
}

TEST_F(CookieJarTest, ScriptsNeitherSeeNorReplaceWhatIsForServers) {
  const Url url = Url::Parse("https://a.example/").value();
  ASSERT_TRUE(jar_.Set(url, "hidden=1; HttpOnly", true, kNow));
  ASSERT_TRUE(jar_.Set(url, "open=1", true, kNow));
  EXPECT_FALSE(jar_.SetByScript(url, "hidden=2", kNow));
  EXPECT_FALSE(jar_.SetByScript(url, "other=2; HttpOnly", kNow));
  EXPECT_TRUE(jar_.SetByScript(url, "open=2", kNow));
  const auto visible = jar_.ForScripts(url, kNow);
  ASSERT_EQ(visible.size(), 1U);
  EXPECT_EQ(visible[0].value, "2");
}

TEST_F(CookieJarTest, ObserversHearOfEveryChangeButNotOfWhatStaysAsItWas) {
  const Url url = Url::Parse("https://a.example/").value();
  std::vector<std::string> heard;
  jar_.Observe(
      [&](const Cookie& cookie, bool removed) { heard.push_back((removed ? "-" : "+") + cookie.value); });
  jar_.Set(url, "a=1", true, kNow);
  jar_.Set(url, "a=1", true, kNow);
  jar_.Set(url, "a=2", true, kNow);
  jar_.Set(url, "a=; Max-Age=0", true, kNow);
  jar_.Set(url, "a=; Max-Age=0", true, kNow);
  EXPECT_EQ(heard, (std::vector<std::string>{"+1", "+2", "-2"}));
}

}  // namespace
}  // namespace vigil::net
