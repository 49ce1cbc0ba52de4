#include "control/devtools/quiet_domain.h"

#include <array>

namespace vigil::control::devtools {
namespace json = boost::json;

bool QuietDomain::Call(std::string_view command, const json::object&, const Answer& answer) {
  constexpr std::array<std::string_view, 9> kSetUp = {"enable", "disable", "set",   "clear", "start",
                                                      "stop",   "track",   "reset", "hide"};
  for (const std::string_view prefix : kSetUp) {
    if (command.substr(0, prefix.size()) != prefix) continue;
    answer(json::object());
    return true;
  }
  return false;
}

const std::vector<std::string_view>& QuietDomainNames() {
  static const std::vector<std::string_view> names = {
      "Accessibility",
      "Animation",
      "Audits",
      "Autofill",
      "CSS",
      "Cast",
      "DOM",
      "DOMDebugger",
      "DOMSnapshot",
      "EventBreakpoints",
      "Extensions",
      "FedCm",
      "HeadlessExperimental",
      "Input",
      "Inspector",
      "LayerTree",
      "Media",
      "Overlay",
      "PWA",
      "Performance",
      "PerformanceTimeline",
      "Preload",
      "Security",
      "SystemInfo",
      "Tracing",
      "WebAudio",
      "WebAuthn",
  };
  return names;
}

}  // namespace vigil::control::devtools
