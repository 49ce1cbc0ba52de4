// Patterns of paths: "/v1/pages/{id}" matches one segment, "/files/{path*}" all that follow (at least one).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::control {

std::vector<std::string> SplitPath(std::string_view path);

// The values of the parts in braces; no value: it does not match.
std::optional<std::map<std::string, std::string>> MatchPath(const std::vector<std::string>& pattern,
                                                            const std::vector<std::string>& path);

}  // namespace vigil::control
