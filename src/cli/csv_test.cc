#include "cli/csv.h"

#include <gtest/gtest.h>

namespace vigil::cli {
namespace {

TEST(Csv, LeavesPlainCells) {
  EXPECT_EQ(CsvRow({"2026-11-23T14:05:07Z", "event", "größer", ""}), "2026-11-23T14:05:07Z,event,größer,");
  EXPECT_EQ(CsvRow({"", "a"}), ",a");
  EXPECT_EQ(CsvCell("a-b=c"), "a-b=c");
}

TEST(Csv, QuotesWhatWouldEndACell) {
  EXPECT_EQ(CsvCell("a \"b\", c"), "\"a \"\"b\"\", c\"");
  EXPECT_EQ(CsvCell("\""), "\"\"\"\"");
}

TEST(Csv, MakesFormulasText) {
  for (const std::string_view formula :
       {"=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\xC2\xA0=1", "\xE3\x80\x80@x", "\xE2\x80\x83-1"})
    EXPECT_EQ(CsvCell(formula), "'" + std::string(formula));
  EXPECT_EQ(CsvCell("=HYPERLINK(\"http://x\",1)"), "\"'=HYPERLINK(\"\"http://x\"\",1)\"");
}

TEST(Csv, KeepsToOneLineAndOffTheTerminal) {
  EXPECT_EQ(CsvCell("\t=1"), "\\t=1");
  EXPECT_EQ(CsvCell("a\r\n=cmd()"), "a\\r\\n=cmd()");
  EXPECT_EQ(CsvCell("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(CsvCell("\xFF,"), "\"\\xff,\"");
}

}  // namespace
}  // namespace vigil::cli
