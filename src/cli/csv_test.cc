#include "cli/csv.h"

#include <gtest/gtest.h>

namespace vigil::cli {
namespace {

TEST(Csv, QuotesWhatWouldEndACell) {
  EXPECT_EQ(CsvCell("plain"), "plain");
  EXPECT_EQ(CsvCell(""), "");
  EXPECT_EQ(CsvCell("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvCell("say \"so\""), "\"say \"\"so\"\"\"");
  EXPECT_EQ(CsvCell("two\nlines"), "\"two\nlines\"");
}

TEST(Csv, LeavesNoFormulaToASpreadsheet) {
  for (const char* formula : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "\n=1"})
    EXPECT_NE(CsvCell(formula).find('\''), std::string::npos) << formula;
  EXPECT_EQ(CsvCell("=1"), "'=1");
  EXPECT_EQ(CsvCell("a=1"), "a=1");
}

TEST(Csv, EndsARowAsRfc4180Does) { EXPECT_EQ(CsvRow({"", "a", "b,c"}), ",a,\"b,c\"\r\n"); }

}  // namespace
}  // namespace vigil::cli
