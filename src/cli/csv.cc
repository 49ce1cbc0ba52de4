#include "cli/csv.h"

#include <cstdint>

#include "base/utf8.h"
#include "cli/printable.h"

namespace vigil::cli {
namespace {

// Those that Printable() leaves as they are.
bool IsSpace(std::uint32_t code) {
  return code == ' ' || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

// Spreadsheets look for the sign of a formula behind spaces, too.
bool LooksLikeFormula(std::string_view text) {
  while (!text.empty()) {
    const Utf8Char next = FirstUtf8Char(text);
    if (!IsSpace(next.code)) break;
    text.remove_prefix(next.bytes);
  }
  return !text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos;
}

}  // namespace

std::string CsvCell(std::string_view text) {
  std::string cell = Printable(text);
  if (LooksLikeFormula(cell)) cell.insert(cell.begin(), '\'');
  if (cell.find_first_of(",\"") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string CsvRow(const std::vector<std::string>& cells) {
  std::string row;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) row += ',';
    row += CsvCell(cell);
  }
  return row;
}

}  // namespace vigil::cli
