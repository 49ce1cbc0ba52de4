// Comma-separated values as RFC 4180 has them, for spreadsheets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vigil::cli {

// A cell that a spreadsheet would take for a formula begins with an apostrophe: what apps say is text.
std::string CsvCell(std::string_view value);
// With its line break.
std::string CsvRow(const std::vector<std::string>& cells);

}  // namespace vigil::cli
