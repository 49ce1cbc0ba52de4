#include "cli/csv.h"

namespace vigil::cli {

std::string CsvCell(std::string_view value) {
  const std::size_t first = value.find_first_not_of(std::string_view(" \f\v\n\0", 5));
  const bool formula = first != std::string_view::npos &&
                       std::string_view("=+-@\t\r").find(value[first]) != std::string_view::npos;
  std::string safe = (formula ? "'" : "") + std::string(value);
  if (safe.find_first_of("\",\r\n") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string CsvRow(const std::vector<std::string>& cells) {
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) row += (i == 0 ? "" : ",") + CsvCell(cells[i]);
  return row + "\r\n";
}

}  // namespace vigil::cli
