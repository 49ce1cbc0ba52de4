// Parameters by name, for configuration files and command lines. Names are the names of the fields.
//
// Pure functions, safe from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vigil/export.h"
#include "vigil/parameters.h"

namespace vigil {

// Durations as "250ms", "30s", "5min", "12h", "2d" or "1h30min", switches as "true" or "false", numbers as
// they are. nullopt: done. Else nothing is changed, and the one line says why: there is no such name (it
// lists the known ones), or the value does not parse or is out of range.
[[nodiscard]] VIGIL_API std::optional<std::string> TrySetParameter(Parameters& parameters,
                                                                   std::string_view name,
                                                                   std::string_view value);

struct NamedParameter {
  std::string name;
  std::string value;  // as TrySetParameter takes it
};
// All of them, in the order of their declaration.
VIGIL_API std::vector<NamedParameter> ListParameters(const Parameters& parameters);

}  // namespace vigil
