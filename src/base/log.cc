#include "base/log.h"

#include <unistd.h>

#include <atomic>

namespace vigil::log {
namespace {

std::atomic<Level> minimum_level{Level::kInfo};

const char* Name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
  }
  return "error";
}

}  // namespace

void SetLevel(Level level) { minimum_level.store(level, std::memory_order_relaxed); }

bool Enabled(Level level) { return level >= minimum_level.load(std::memory_order_relaxed); }

void Write(Level level, std::string_view message) {
  if (!Enabled(level)) return;
  const std::string line = fmt::format("vigil[{}] {}: {}\n", ::getpid(), Name(level), message);
  // A diagnostic that cannot be written has nowhere else to go.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace vigil::log
