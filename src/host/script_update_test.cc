#include "host/script_update.h"

#include <gtest/gtest.h>

namespace vigil::host {
namespace {

TEST(ScriptUpdateTest, KnowsJavaScriptMimeTypes) {
  EXPECT_TRUE(IsJavaScriptMimeType("text/javascript"));
  EXPECT_TRUE(IsJavaScriptMimeType("Application/JavaScript; charset=utf-8"));
  EXPECT_TRUE(IsJavaScriptMimeType("text/plain, text/javascript"));
  EXPECT_FALSE(IsJavaScriptMimeType("text/javascript, text/plain"));
  EXPECT_FALSE(IsJavaScriptMimeType("text/plain"));
  EXPECT_FALSE(IsJavaScriptMimeType("application/json"));
  EXPECT_FALSE(IsJavaScriptMimeType(""));
}

TEST(ScriptUpdateTest, ScopeMustLieUnderTheScriptsDirectory) {
  EXPECT_EQ(WhyScopeNotAllowed("https://a.example/app/", "https://a.example/app/sw.js", ""), "");
  EXPECT_EQ(WhyScopeNotAllowed("https://a.example/app/deep", "https://a.example/app/sw.js", ""), "");
  EXPECT_NE(WhyScopeNotAllowed("https://a.example/", "https://a.example/app/sw.js", ""), "");
  EXPECT_NE(WhyScopeNotAllowed("https://a.example/app", "https://a.example/app/sw.js", ""), "");
}

TEST(ScriptUpdateTest, ServiceWorkerAllowedWidensAndNarrowsTheScope) {
  EXPECT_EQ(WhyScopeNotAllowed("https://a.example/", "https://a.example/app/sw.js", "/"), "");
  EXPECT_NE(WhyScopeNotAllowed("https://a.example/app/", "https://a.example/app/sw.js", "/app/deep/"), "");
  EXPECT_NE(WhyScopeNotAllowed("https://a.example/", "https://a.example/app/sw.js", "https://b.example/"),
            "");
}

}  // namespace
}  // namespace vigil::host
