#include "net/url_pattern.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace vigil::net {
namespace {

struct Case {
  std::string_view pattern;
  std::string_view path;
  bool matches;
  bool ignore_case = false;
};
void Check(std::initializer_list<Case> cases) {
  for (const auto& [pattern, path, matches, ignore_case] : cases) {
    const auto parsed = ComponentPattern::Parse(pattern, {'/', '/', ignore_case});
    ASSERT_TRUE(parsed) << pattern << ": " << parsed.error().message;
    MatchBudget budget = 1'000'000;
    EXPECT_EQ(parsed->Matches(path, budget), matches) << pattern << " and " << path;
  }
}

TEST(ComponentPattern, FixedTextMatchesWhole) {
  Check({
      {"/a/b.js", "/a/b.js", true},
      {"/a/b.js", "/a/b.jsx", false},
      {"/a/b.js", "/a/b.j", false},
      {"/\\*\\:x\\{", "/*:x{", true},
      {"", "", true},
      {"", "/", false},
  });
}

TEST(ComponentPattern, WildcardsTakeAnythingAndNamesOneSegment) {
  Check({
      {"/a/*", "/a/", true},
      {"/a/*", "/a/b/c", true},
      {"/a/*", "/a", false},
      {"*.js", "/x/y.js", true},
      {"/(.*)", "/x", true},
      {"/:id", "/7", true},
      {"/:id", "/", false},
      {"/:id", "/7/8", false},
      {"/:id(.*)", "/7/8", true},
      {"/{:id}.json", "/7.json", true},
  });
}

TEST(ComponentPattern, ModifiersRepeatWithTheirPrefix) {
  Check({
      {"/a/:id?", "/a", true},
      {"/a/:id?", "/a/1", true},
      {"/a/:id?", "/a/", false},
      {"/a/:id*", "/a/1/2/3", true},
      {"/a/:id*", "/a", true},
      {"/a/:id+", "/a", false},
      {"/a/:id+", "/a/1/2", true},
      {"/x{/old}?/y", "/x/y", true},
      {"/x{/old}?/y", "/x/old/y", true},
      {"{ab}+", "abab", true},
      {"{ab}+", "aba", false},
      {"/{-:n-}+", "/-1--2-", true},
  });
}

TEST(ComponentPattern, AnEscapedSlashIsNobodysPrefix) {
  Check({
      {"/a\\/:id?", "/a", false},
      {"/a{/}:id?", "/a/", true},
  });
}

TEST(ComponentPattern, CaseCountsUnlessItIsIgnored) {
  Check({
      {"/Shop/*", "/shop/1", false},
      {"/Shop/*", "/shop/1", true, true},
      {"/shop/*", "/SHOP/1", true, true},
  });
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
  const std::pair<const char*, bool> cases[] = {
      {"https://shop.example/a/b?q=1#x", true},     {"http://shop.example/a/b?q=", true},
      {"https://shop.example:8443/a/b?q=1", false}, {"https://shop.other/a/b?q=1", false},
      {"https://shop.example/a?q=1", false},        {"https://shop.example/a/b?r=1", false},
  };
  for (const auto& [url, matches] : cases) {
    MatchBudget budget = 100'000;
    EXPECT_EQ(pattern->Matches(*Url::Parse(url), budget), matches) << url;
  }
}

}  // namespace
}  // namespace vigil::net
