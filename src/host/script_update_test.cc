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

TEST(ScriptUpdateTest, AModuleHasTheMimeTypeOfItsType) {
  EXPECT_TRUE(IsModuleMimeType("", "text/javascript"));
  EXPECT_FALSE(IsModuleMimeType("", "application/json"));
  EXPECT_TRUE(IsModuleMimeType("json", "application/json; charset=utf-8"));
  EXPECT_TRUE(IsModuleMimeType("json", "text/json"));
  EXPECT_TRUE(IsModuleMimeType("json", "text/html, image/svg+JSON"));
  EXPECT_FALSE(IsModuleMimeType("json", "application/json, text/plain"));
  EXPECT_FALSE(IsModuleMimeType("json", "application/jsonp"));
  EXPECT_FALSE(IsModuleMimeType("json", "text/javascript"));
  EXPECT_FALSE(IsModuleMimeType("json", ""));
  EXPECT_TRUE(IsModuleMimeType("text", "text/javascript"));
  EXPECT_TRUE(IsModuleMimeType("text", ""));
}

TEST(ScriptUpdateTest, ScopeMustLieUnderTheScriptsDirectory) {
  EXPECT_EQ(WhyScopeNotAllowed("https://a.example/app/", "https://a.example/app/sw.js", std::nullopt), "");
  EXPECT_EQ(WhyScopeNotAllowed("https://a.example/app/deep", "https://a.example/app/sw.js", std::nullopt),
            "");
  EXPECT_NE(WhyScopeNotAllowed("https://a.example/", "https://a.example/app/sw.js", std::nullopt), "");
  EXPECT_NE(WhyScopeNotAllowed("https://a.example/app", "https://a.example/app/sw.js", std::nullopt), "");
}

TEST(ScriptUpdateTest, ServiceWorkerAllowedWidensAndNarrowsTheScope) {
  EXPECT_EQ(WhyScopeNotAllowed("https://a.example/", "https://a.example/app/sw.js", "/"), "");
  EXPECT_NE(WhyScopeNotAllowed("https://a.example/app/", "https://a.example/app/sw.js", "/app/deep/"), "");
  EXPECT_NE(WhyScopeNotAllowed("https://a.example/app/", "https://a.example/app/sw.js", ""), "");
  EXPECT_EQ(WhyScopeNotAllowed("https://a.example/app/sw.js", "https://a.example/app/sw.js", ""), "");
  EXPECT_NE(WhyScopeNotAllowed("https://a.example/", "https://a.example/app/sw.js", "https://b.example/"),
            "");
}

}  // namespace
}  // namespace vigil::host
