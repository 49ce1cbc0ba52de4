#include "server/access.h"

#include <gtest/gtest.h>

namespace vigil::server {
namespace {

const LoopbackGuard kGuard{"0123456789abcdef", 7411};

AccessHeaders Good() { return {"127.0.0.1:7411", "", "Bearer 0123456789abcdef"}; }

TEST(LoopbackAccess, IsGivenToWhoeverKnowsTheToken) {
  EXPECT_TRUE(CheckLoopbackAccess(kGuard, Good()));
  AccessHeaders headers = Good();
  headers.host = "LOCALHOST:7411";
  headers.origin = "http://localhost:7411";
  headers.authorization = "bearer 0123456789abcdef";
  EXPECT_TRUE(CheckLoopbackAccess(kGuard, headers));
  headers.host = "[::1]:7411";
  EXPECT_TRUE(CheckLoopbackAccess(kGuard, headers));
}

TEST(LoopbackAccess, IsRefusedUnderAForeignName) {
  for (const char* host :
       {"", "evil.example:7411", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.example:7411"}) {
    AccessHeaders headers = Good();
    headers.host = host;
    EXPECT_FALSE(CheckLoopbackAccess(kGuard, headers)) << host;
  }
}

TEST(LoopbackAccess, IsRefusedToForeignPages) {
  for (const char* origin :
       {"null", "https://evil.example", "http://127.0.0.1:80", "https://127.0.0.1:7411", "http://"}) {
    AccessHeaders headers = Good();
    headers.origin = origin;
    EXPECT_FALSE(CheckLoopbackAccess(kGuard, headers)) << origin;
  }
}

TEST(LoopbackAccess, IsRefusedWhenABrowserSaysThatAForeignSiteAsks) {
  AccessHeaders headers = Good();
  for (const char* site : {"cross-site", "same-site", "other"}) {
    headers.fetch_site = site;
    EXPECT_FALSE(CheckLoopbackAccess(kGuard, headers)) << site;
  }
  for (const char* site : {"", "none", "same-origin"}) {
    headers.fetch_site = site;
    EXPECT_TRUE(CheckLoopbackAccess(kGuard, headers)) << site;
  }
  const LoopbackGuard tools{std::nullopt, 7411, true};
  headers.fetch_site = "cross-site";
  EXPECT_FALSE(CheckLoopbackAccess(tools, headers));
  headers.origin = "devtools://devtools";
  EXPECT_TRUE(CheckLoopbackAccess(tools, headers)) << "Chrome's own front end";
}

TEST(LoopbackAccess, IsRefusedWithoutTheToken) {
  for (const char* value : {"", "Bearer", "Bearer ", "Bearer 0123456789abcdeF", "Bearer 0123456789abcdef0",
                            "Bearer 0123456789abcde", "Basic 0123456789abcdef"}) {
    AccessHeaders headers = Good();
    headers.authorization = value;
    EXPECT_FALSE(CheckLoopbackAccess(kGuard, headers)) << value;
  }
  const LoopbackGuard empty{"", 7411};
  AccessHeaders headers = Good();
  headers.authorization = "Bearer ";
  EXPECT_FALSE(CheckLoopbackAccess(empty, headers)) << "a missing token file never opens the door";
}

TEST(LoopbackAccess, TakesTheTokenOfAWebSocketFromItsAddress) {
  AccessHeaders headers = Good();
  headers.authorization = "";
  headers.socket_token = "0123456789abcdef";
  EXPECT_TRUE(CheckLoopbackAccess(kGuard, headers));
  headers.socket_token = "0123456789abcdeF";
  EXPECT_FALSE(CheckLoopbackAccess(kGuard, headers));
}

TEST(LoopbackAccess, WithoutATokenIsGivenToToolsAndToNoForeignPage) {
  const LoopbackGuard tools{std::nullopt, 9229, true};
  AccessHeaders headers;
  headers.host = "localhost:9229";
  EXPECT_TRUE(CheckLoopbackAccess(tools, headers)) << "a program, not a web page";
  for (const char* origin : {"devtools://devtools", "http://127.0.0.1:9229"}) {
    headers.origin = origin;
    EXPECT_TRUE(CheckLoopbackAccess(tools, headers)) << origin;
  }
  for (const char* origin :
       {"null", "http://127.0.0.1:9230", "https://evil.example", "file://",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop", "devtools://devtools.x", "devtools://other"}) {
    headers.origin = origin;
    EXPECT_FALSE(CheckLoopbackAccess(tools, headers)) << origin;
  }
  headers.origin = "";
  headers.host = "rebound.example:9229";
  EXPECT_FALSE(CheckLoopbackAccess(tools, headers));
  headers = Good();
  headers.origin = "devtools://devtools";
  EXPECT_FALSE(CheckLoopbackAccess(kGuard, headers)) << "the local API is not for it";
}

TEST(MakeToken, IsLongAndNeverTheSame) {
  EXPECT_EQ(MakeToken().value().size(), 64u);
  EXPECT_NE(MakeToken().value(), MakeToken().value());
}

}  // namespace
}  // namespace vigil::server
