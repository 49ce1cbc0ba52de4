#include "net/host_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigil::net {
namespace {

TEST(HostMap, GivesTheAddressOfTheFirstEntryThatFits) {
  HostMap map;
  ASSERT_TRUE(map.Add("shop.example:443:127.0.0.1"));
  ASSERT_TRUE(map.Add("Shop.Example:*:127.0.0.2"));
  ASSERT_TRUE(map.Add("shop.example:80:127.0.0.3"));
  EXPECT_EQ(map.Lookup("shop.example", 443), "127.0.0.1");
  EXPECT_EQ(map.Lookup("shop.example", 80), "127.0.0.2");
  EXPECT_EQ(map.Lookup("www.shop.example", 443), "");
}

TEST(HostMap, AnAsteriskStandsForEveryNameBelow) {
  HostMap map;
  ASSERT_TRUE(map.Add("*.example:8443:::1"));
  EXPECT_EQ(map.Lookup("a.example", 8443), "::1");
  EXPECT_EQ(map.Lookup("a.b.example", 8443), "::1");
  EXPECT_EQ(map.Lookup("example", 8443), "");
  EXPECT_EQ(map.Lookup("notexample", 8443), "");
  EXPECT_EQ(map.Lookup("a.example", 443), "");
  ASSERT_TRUE(map.Add("*:*:[::1]"));
  EXPECT_EQ(map.Lookup("anything", 1), "::1");
}

TEST(HostMap, SaysWhatIsWrongWithAnEntry) {
  HostMap map;
  for (const char* entry :
       {"", "host", "host:443", ":443:127.0.0.1", "a b:443:127.0.0.1", "a.*:443:127.0.0.1",
        "host:0:127.0.0.1", "host:65536:127.0.0.1", "host:x:127.0.0.1", "host::127.0.0.1",
        "host:443:", "host:443:other.example", "host:443:127.0.0.1.2"}) {
    const auto added = map.Add(entry);
    ASSERT_FALSE(added) << entry;
    EXPECT_THAT(added.error().message, ::testing::HasSubstr("HOST:PORT:ADDRESS")) << entry;
  }
  EXPECT_EQ(map.Lookup("host", 443), "");
}

}  // namespace
}  // namespace vigil::net
