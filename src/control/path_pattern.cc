#include "control/path_pattern.h"

namespace vigil::control {
namespace {

bool IsArgument(const std::string& segment) { return segment.size() > 2 && segment.front() == '{'; }
bool IsRest(const std::string& segment) { return IsArgument(segment) && segment[segment.size() - 2] == '*'; }

}  // namespace

std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment = path.substr(0, path.find('/'));
    segments.emplace_back(segment);
    path.remove_prefix(segment.size());
  }
  return segments;
}

std::optional<std::map<std::string, std::string>> MatchPath(const std::vector<std::string>& pattern,
                                                            const std::vector<std::string>& path) {
  const bool open_ended = !pattern.empty() && IsRest(pattern.back());
  if (open_ended ? path.size() < pattern.size() : path.size() != pattern.size()) return std::nullopt;
  std::map<std::string, std::string> arguments;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (IsRest(pattern[i])) {
      std::string rest = path[i];
      for (std::size_t j = i + 1; j < path.size(); ++j) rest += "/" + path[j];
      arguments[pattern[i].substr(1, pattern[i].size() - 3)] = std::move(rest);
    } else if (IsArgument(pattern[i])) {
      arguments[pattern[i].substr(1, pattern[i].size() - 2)] = path[i];
    } else if (pattern[i] != path[i]) {
      return std::nullopt;
    }
  }
  return arguments;
}

}  // namespace vigil::control
