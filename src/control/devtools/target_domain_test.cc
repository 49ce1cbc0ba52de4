#include "control/devtools/target_domain.h"

#include <gtest/gtest.h>

#include <string>

namespace vigil::control::devtools {
namespace {

Target Of(Target::Type type) {
  Target target;
  target.type = type;
  return target;
}

TEST(DevToolsTargetFilter, ByDefaultBrowsersAndTabsAreLeftOut) {
  const TargetFilter filter = TargetFilter::Default();
  EXPECT_FALSE(filter.Admits(Of(Target::Type::kBrowser)));
  EXPECT_FALSE(filter.Admits(Of(Target::Type::kTab)));
  EXPECT_TRUE(filter.Admits(Of(Target::Type::kApp)));
  EXPECT_TRUE(filter.Admits(Of(Target::Type::kPage)));
  EXPECT_TRUE(filter.Admits(Of(Target::Type::kServiceWorker)));
}

TEST(DevToolsTargetFilter, TheFirstEntryThatFitsCounts) {
  const TargetFilter workers{{{"service_worker", false}, {"service_worker", true}, {"", true}}};
  EXPECT_TRUE(workers.Admits(Of(Target::Type::kServiceWorker)));
  EXPECT_FALSE(workers.Admits(Of(Target::Type::kApp)));
  const TargetFilter no_pages{{{"page", true}, {"", false}}};
  EXPECT_FALSE(no_pages.Admits(Of(Target::Type::kApp)));
  EXPECT_TRUE(no_pages.Admits(Of(Target::Type::kTab)));
}

TEST(DevToolsTargetFilter, WhatNoEntryFitsIsNotAskedFor) {
  EXPECT_FALSE(TargetFilter{}.Admits(Of(Target::Type::kApp)));
  EXPECT_FALSE((TargetFilter{{{"worker", false}}}.Admits(Of(Target::Type::kServiceWorker))));
}

TEST(DevToolsTargets, AnAppKeepsItsIdAndAnotherAppHasAnother) {
  const Target app = Targets::App("https://shop.example");
  EXPECT_EQ(app, Targets::App("https://shop.example"));
  EXPECT_NE(app.id, Targets::App("https://other.example").id);
  EXPECT_NE(app.id, Targets::Tab(app).id);
  EXPECT_EQ(app.id.size(), 32U);
  EXPECT_EQ(app.url, "https://shop.example/");
  EXPECT_EQ(Targets::Tab(app).url, app.url);
}

TEST(DevToolsTargets, AnOpenPageIsFoundByItsClientsId) {
  EXPECT_EQ(Targets::PageId("0a1b2c3d-0000-4000-8000-00000000abcd"), "0A1B2C3D00004000800000000000ABCD");
}

TEST(DevToolsTargets, AnAppLooksLikeAPageToATool) {
  const auto info = TargetInfo(Targets::App("https://shop.example"), true);
  EXPECT_EQ(info.at("type"), "page");
  EXPECT_EQ(info.at("attached"), true);
  EXPECT_EQ(info.at("targetId").as_string().size(), 32U);
}

}  // namespace
}  // namespace vigil::control::devtools
