#include "net/url_pattern.h"

#include <gtest/gtest.h>

namespace vigil::net {
namespace {

bool PathMatches(std::string_view pattern, std::string_view path, bool ignore_case = false) {
  const auto parsed = ComponentPattern::Parse(pattern, {'/', '/', ignore_case});
  EXPECT_TRUE(parsed) << pattern << ": " << (parsed ? "" : parsed.error().message);
  MatchBudget budget = 1'000'000;
  return parsed && parsed->Matches(path, budget);
}

TEST(ComponentPattern, FixedTextMatchesWhole) {
  EXPECT_TRUE(PathMatches("/a/b.js", "/a/b.js"));
  EXPECT_FALSE(PathMatches("/a/b.js", "/a/b.jsx"));
  EXPECT_FALSE(PathMatches("/a/b.js", "/a/b.j"));
  EXPECT_TRUE(PathMatches("/\\*\\:x\\{", "/*:x{"));
  EXPECT_TRUE(PathMatches("", ""));
  EXPECT_FALSE(PathMatches("", "/"));
}

TEST(ComponentPattern, WildcardsTakeAnythingAndNamesOneSegment) {
  EXPECT_TRUE(PathMatches("/a/*", "/a/"));
  EXPECT_TRUE(PathMatches("/a/*", "/a/b/c"));
  EXPECT_FALSE(PathMatches("/a/*", "/a"));
  EXPECT_TRUE(PathMatches("*.js", "/x/y.js"));
  EXPECT_TRUE(PathMatches("/(.*)", "/x"));
  EXPECT_TRUE(PathMatches("/:id", "/7"));
  EXPECT_FALSE(PathMatches("/:id", "/"));
  EXPECT_FALSE(PathMatches("/:id", "/7/8"));
  EXPECT_TRUE(PathMatches("/:id(.*)", "/7/8"));
  EXPECT_TRUE(PathMatches("/{:id}.json", "/7.json"));
}

TEST(ComponentPattern, ModifiersRepeatWithTheirPrefix) {
  EXPECT_TRUE(PathMatches("/a/:id?", "/a"));
  EXPECT_TRUE(PathMatches("/a/:id?", "/a/1"));
  EXPECT_FALSE(PathMatches("/a/:id?", "/a/"));
  EXPECT_TRUE(PathMatches("/a/:id*", "/a/1/2/3"));
  EXPECT_TRUE(PathMatches("/a/:id*", "/a"));
  EXPECT_FALSE(PathMatches("/a/:id+", "/a"));
  EXPECT_TRUE(PathMatches("/a/:id+", "/a/1/2"));
  EXPECT_TRUE(PathMatches("/x{/old}?/y", "/x/y"));
  EXPECT_TRUE(PathMatches("/x{/old}?/y", "/x/old/y"));
  EXPECT_TRUE(PathMatches("{ab}+", "abab"));
  EXPECT_FALSE(PathMatches("{ab}+", "aba"));
  EXPECT_TRUE(PathMatches("/{-:n-}+", "/-1--2-"));
}

TEST(ComponentPattern, AnEscapedSlashIsNobodysPrefix) {
  EXPECT_FALSE(PathMatches("/a\\/:id?", "/a"));
  EXPECT_TRUE(PathMatches("/a{/}:id?", "/a/"));
}

TEST(ComponentPattern, CaseCountsUnlessItIsIgnored) {
  EXPECT_FALSE(PathMatches("/Shop/*", "/shop/1"));
  EXPECT_TRUE(PathMatches("/Shop/*", "/shop/1", true));
  EXPECT_TRUE(PathMatches("/shop/*", "/SHOP/1", true));
}

TEST(ComponentPattern, WhatIsNoPatternIsRefused) {
  for (const char* text : {"(a|b)", ":id(\\d+)", "{a", "a}", "+", "?", "\\", "{{a}}", "{(x)}"}) {
    EXPECT_FALSE(ComponentPattern::Parse(text, {})) << text;
  }
  EXPECT_FALSE(ComponentPattern::Parse(std::string(ComponentPattern::kMaxText + 1, 'a'), {}));
}

TEST(ComponentPattern, WorkIsBoundedWhateverThePattern) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  const auto parsed = ComponentPattern::Parse(pattern, {});
  ASSERT_TRUE(parsed);
  MatchBudget budget = 100'000;
  EXPECT_FALSE(parsed->Matches(std::string(1'000'000, 'a'), budget));
  EXPECT_LT(budget, 0);
  EXPECT_GT(budget, -20'000);
}

TEST(UrlPattern, ComparesAllComponents) {
  UrlPattern::Texts texts{"http{s}?", "*", "*", "*.example", "", "/:kind/*", "q=*", "*", false};
  const auto pattern = UrlPattern::Parse(texts);
  ASSERT_TRUE(pattern) << pattern.error().message;
  const auto matches = [&](const char* url) {
    MatchBudget budget = 100'000;
    return pattern->Matches(*Url::Parse(url), budget);
  };
  EXPECT_TRUE(matches("https://shop.example/a/b?q=1#x"));
  EXPECT_TRUE(matches("http://shop.example/a/b?q="));
  EXPECT_FALSE(matches("https://shop.example:8443/a/b?q=1"));
  EXPECT_FALSE(matches("https://shop.other/a/b?q=1"));
  EXPECT_FALSE(matches("https://shop.example/a?q=1"));
  EXPECT_FALSE(matches("https://shop.example/a/b?r=1"));
}

}  // namespace
}  // namespace vigil::net
