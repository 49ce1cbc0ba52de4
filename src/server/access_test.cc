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

TEST(MakeToken, IsLongAndNeverTheSame) {
  EXPECT_EQ(MakeToken().value().size(), 64u);
  EXPECT_NE(MakeToken().value(), MakeToken().value());
}

}  // namespace
}  // namespace vigil::server
