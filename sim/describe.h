// Words for traces and violations.
#pragma once

#include <string>
#include <vector>

#include "sim/scenario.h"
#include "vigil/engine.h"

namespace vigil::sim {

std::string Name(const RegistrationKey& key);  // sync "a" of worker 1
std::string Names(const std::vector<std::string>& tags);
std::string Describe(const RegistrationRecord& record);
std::string Describe(const effect::Record& line);
std::string Describe(const Effect& effect);
std::string Describe(const Input& input);
std::string Describe(Now now);
std::string Describe(const Decision& decision);
std::string DescribeBatch(const effect::Persist& persist);
// The parameters that are not the default, NAME=VALUE, one a line.
std::string Describe(const Parameters& parameters);

}  // namespace vigil::sim
