// One-line diagnostics on standard error, for the operator of the daemon. Thread-safe.
// What apps and events do goes to the event log (store/), not here.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace vigil::log {

enum class Level { kDebug, kInfo, kWarning, kError };

// Lines below this level are dropped. Set once, at start. Default: kInfo.
void SetLevel(Level level);
bool Enabled(Level level);
// Writes "vigil[pid] LEVEL message\n" with one write(2).
void Write(Level level, std::string_view message);

template <class... Args>
void Debug(fmt::format_string<Args...> format, Args&&... args) {
  if (Enabled(Level::kDebug)) Write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void Info(fmt::format_string<Args...> format, Args&&... args) {
  if (Enabled(Level::kInfo)) Write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void Warning(fmt::format_string<Args...> format, Args&&... args) {
  if (Enabled(Level::kWarning)) Write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void Error(fmt::format_string<Args...> format, Args&&... args) {
  Write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace vigil::log
