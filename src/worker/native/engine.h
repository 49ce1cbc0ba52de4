// V8 made ready in the zygote: flags, isolate, limits, and one warm context per scope.
#pragma once

#include <string>
#include <string_view>

#include "worker/native/worker.h"

namespace vigil::worker {

// Starts V8 and enters a new isolate, for the rest of the process's life.
void StartEngine(Worker& worker);
// Runs the bundle in a new context for each scope and collects the garbage. Returns what went wrong; empty:
// warm. The bundle's text lives as long as the process when `is_ascii`: V8 then uses it in place.
std::string WarmContexts(Worker& worker, std::string_view bundle, bool is_ascii);
// For a child: which heap it may have, and where its stack ends.
void ApplyEngineLimits(Worker& worker, const LimitSetting& limits);

}  // namespace vigil::worker
