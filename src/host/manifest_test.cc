#include "host/manifest.h"

#include <gtest/gtest.h>

namespace vigil::host {
namespace {

constexpr char kManifest[] = "https://shop.example/app/m.json";
constexpr char kPage[] = "https://shop.example/app/index.html";

TEST(ManifestTest, ResolvesItsMembersAgainstItsOwnAddress) {
  auto manifest = ParseManifest(
      R"({"name":" Shop ","start_url":"start?x","scope":"./","display":"standalone"})", kManifest, kPage);
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->name, "Shop");
  EXPECT_EQ(manifest->start_url, "https://shop.example/app/start?x");
  EXPECT_EQ(manifest->id, "https://shop.example/app/start?x");
  EXPECT_EQ(manifest->scope, "https://shop.example/app/");
  EXPECT_EQ(manifest->display, "standalone");
}

TEST(ManifestTest, TakesThePageWhenThereIsNoStartUrl) {
  auto manifest = ParseManifest(R"({"short_name":"S"})", kManifest, kPage);
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->name, "S");
  EXPECT_EQ(manifest->start_url, kPage);
  EXPECT_FALSE(ParseManifest(R"({"short_name":"S"})", kManifest, ""));
}

TEST(ManifestTest, AScopeThatDoesNotHoldTheStartIsIgnored) {
  auto manifest = ParseManifest(R"({"name":"S","start_url":"/app/","scope":"/other/"})", kManifest, kPage);
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->scope, "https://shop.example/app/");
}

TEST(ManifestTest, SaysWhyItIsNone) {
  auto why = [](const char* text) { return ParseManifest(text, kManifest, kPage).error().message; };
  EXPECT_NE(why("<html>").find("not JSON"), std::string::npos);
  EXPECT_NE(why("[1]").find("not an object"), std::string::npos);
  EXPECT_NE(why("{}").find("neither name nor short_name"), std::string::npos);
  EXPECT_NE(why(R"({"name":"x","start_url":"https://evil.example/"})").find("another origin"),
            std::string::npos);
}

}  // namespace
}  // namespace vigil::host
