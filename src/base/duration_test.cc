#include "base/duration.h"

#include <gtest/gtest.h>

namespace vigil {
namespace {

using namespace std::chrono_literals;

TEST(ParseDuration, ReadsNumbersWithUnits) {
  EXPECT_EQ(ParseDuration("250ms").value(), 250ms);
  EXPECT_EQ(ParseDuration("90s").value(), 90s);
  EXPECT_EQ(ParseDuration("5min").value(), 5min);
  EXPECT_EQ(ParseDuration("5m").value(), 5min);
  EXPECT_EQ(ParseDuration("12h").value(), 12h);
  EXPECT_EQ(ParseDuration("3d").value(), 72h);
  EXPECT_EQ(ParseDuration("1h30min").value(), 90min);
  EXPECT_EQ(ParseDuration("0.5s").value(), 500ms);
  EXPECT_EQ(ParseDuration("0").value(), 0us);
}

TEST(ParseDuration, RefusesWhatIsNotOneAndShowsExamples) {
  for (const char* text : {"", "5", "min", "5 min", "-5min", "5mon", "1e3s", ".s", "1..2s", "inf", "5min3"}) {
    const auto result = ParseDuration(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(result.error().message.find("1h30min"), std::string::npos) << result.error().message;
  }
}

TEST(ParseDuration, RefusesWhatDoesNotFit) {
  EXPECT_FALSE(ParseDuration("99999999999999999999h"));
  EXPECT_FALSE(ParseDuration("1001000d"));
}

TEST(FormatDuration, ShowsTheTwoLargestUnits) {
  EXPECT_EQ(FormatDuration(0us), "0 s");
  EXPECT_EQ(FormatDuration(12us), "12 us");
  EXPECT_EQ(FormatDuration(250ms), "250 ms");
  EXPECT_EQ(FormatDuration(1500ms), "1.5 s");
  EXPECT_EQ(FormatDuration(45s), "45 s");
  EXPECT_EQ(FormatDuration(200s), "3 min 20 s");
  EXPECT_EQ(FormatDuration(5min), "5 min");
  EXPECT_EQ(FormatDuration(26h + 5s), "1 d 2 h");
  EXPECT_EQ(FormatDuration(-5min), "-5 min");
}

TEST(FormatTime, IsRfc3339ForMachines) {
  EXPECT_EQ(FormatUtc(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatUtc(1'700'000'000'250'000), "2023-11-14T22:13:20.250Z");
  EXPECT_EQ(FormatUtc(-1), "1969-12-31T23:59:59.999Z");
}

}  // namespace
}  // namespace vigil
