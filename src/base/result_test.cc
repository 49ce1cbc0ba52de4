#include "base/result.h"

#include <gtest/gtest.h>

namespace vigil {
namespace {

Result<int> Half(int n) {
  if (n % 2 != 0) return Fail(ErrorCode::kInvalidArgument, "odd");
  return n / 2;
}

Result<int> Quarter(int n) {
  VIGIL_ASSIGN(const int half, Half(n));
  VIGIL_TRY(Half(half));
  return half / 2;
}

TEST(Result, PassesValuesThrough) { EXPECT_EQ(Quarter(8).value(), 2); }

TEST(Result, LeavesWithTheFirstError) {
  const Error odd{ErrorCode::kInvalidArgument, "odd"};
  EXPECT_EQ(Quarter(7).error(), odd);
  EXPECT_EQ(Quarter(6).error(), odd);
}

TEST(Result, NamesEveryCode) { EXPECT_STREQ(ErrorCodeName(ErrorCode::kTooLarge), "too-large"); }

}  // namespace
}  // namespace vigil
