// Parameters by name, for `vigil serve --set NAME=VALUE`. The public form is vigil/parameter_names.h.
#pragma once

#include <string_view>

#include "base/result.h"
#include "vigil/parameter_names.h"

namespace vigil {

// Durations as ParseDuration takes them ("5min", "12h"), switches as true or false, numbers as they are.
// Fails with kInvalidArgument: an unknown name (the message lists the known ones), a value that does not
// parse or is out of range. On failure nothing is changed.
Result<> SetParameter(Parameters& parameters, std::string_view name, std::string_view value);
// "NAME=VALUE".
Result<> SetParameter(Parameters& parameters, std::string_view assignment);

// What an embedder may have set directly, brought into the range in which no sum of times overflows:
// durations from zero to a hundred years, no negative count, no infinite or undefined number.
Parameters WithinReason(Parameters parameters);

}  // namespace vigil
