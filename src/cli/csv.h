// Comma-separated values (RFC 4180) that are safe to print and to open: nobody's tag acts on the terminal, or
// is calculated by a spreadsheet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vigil::cli {

// Printable(), so it keeps to one line; quoted where it has to be. One that a spreadsheet would take for a
// formula begins with an apostrophe.
std::string CsvCell(std::string_view text);
// Without the end of the line.
std::string CsvRow(const std::vector<std::string>& cells);

}  // namespace vigil::cli
