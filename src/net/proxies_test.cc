#include "net/proxies.h"

#include <gtest/gtest.h>

#include <map>

namespace vigil::net {
namespace {

Proxies From(const std::map<std::string, std::string>& environment) {
  return Proxies::FromEnvironment([&](const char* name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  });
}

TEST(Proxies, OneForEachScheme) {
  const Proxies proxies = From({{"http_proxy", "http://a:1"}, {"HTTPS_PROXY", "http://b:2"}});
  EXPECT_EQ(proxies.For(*Url::Parse("http://shop.example/")), "http://a:1");
  EXPECT_EQ(proxies.For(*Url::Parse("https://shop.example/")), "http://b:2");
}

TEST(Proxies, AllProxyFillsInAndSmallLettersComeFirst) {
  const Proxies proxies = From(
      {{"ALL_PROXY", "socks5h://c:3"}, {"http_proxy", "http://small"}, {"HTTP_PROXY", "http://capital"}});
  EXPECT_EQ(proxies.http, "http://small");
  EXPECT_EQ(proxies.https, "socks5h://c:3");
}

TEST(Proxies, LoopbackIsAlwaysReachedDirectly) {
  EXPECT_EQ(From({}).bypass, "localhost,127.0.0.0/8,::1");
  EXPECT_EQ(From({{"NO_PROXY", "intern.example"}}).bypass, "intern.example,localhost,127.0.0.0/8,::1");
  EXPECT_EQ(From({}).http, "");
}

}  // namespace
}  // namespace vigil::net
