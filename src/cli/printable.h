// What apps name and say, made fit for a terminal: nobody's tag moves the cursor, forges a line, or turns the
// direction of writing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vigil::cli {

// Characters of a tag that tables and lines show; --json has it whole.
inline constexpr std::size_t kShownTag = 60;

// Control characters, line separators, marks of writing direction and invisible characters become \n, \t,
// \x1b or \u{202e}; bytes that are not UTF-8 become \xff.
std::string Printable(std::string_view text);
// The same for text of several lines: line feeds and tabs stay, and every line after the first begins with
// `indent`.
std::string PrintableLines(std::string_view text, std::string_view indent);
// In double quotes; those inside, and backslashes, are escaped. No more than `most` characters are shown, and
// then how many bytes there are.
std::string Quoted(std::string_view text, std::size_t most);
// No more than `most` characters; what is left out shows as "…".
std::string Shortened(std::string_view text, std::size_t most);
// JSON text in which the same characters are written as \u202e: it means the same.
std::string PrintableJson(std::string_view json);

}  // namespace vigil::cli
