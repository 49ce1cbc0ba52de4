#include "control/devtools/log_domain.h"

#include "control/log_feed.h"

namespace vigil::control::devtools {
namespace json = boost::json;

LogDomain::~LogDomain() {
  if (lines_ != 0) session_.services.feed.Unlisten(lines_);
}

const LogDomain::Methods& LogDomain::Table() {
  static const Methods table = {
      {"clear", &LogDomain::Clear},
      {"disable", &LogDomain::Disable},
      {"enable", &LogDomain::Enable},
      {"startViolationsReport", &LogDomain::Clear},
      {"stopViolationsReport", &LogDomain::Clear},
  };
  return table;
}

void LogDomain::OnLine(const json::object& line) const {
  if (line.at("type") != "report") return;
  const bool ours =
      session_.target.origin.empty() || line.at("origin").as_string() == session_.target.origin.c_str();
  if (!ours) return;
  json::object entry{{"source", "other"},
                     {"level", "warning"},
                     {"text", line.at("text")},
                     {"timestamp", static_cast<double>(line.at("at_us").to_number<std::int64_t>()) / 1e3}};
  session_.emit("Log.entryAdded", json::object{{"entry", std::move(entry)}});
}

// What was said before comes first.
void LogDomain::Enable(const Params&, const Answer& answer) {
  if (lines_ == 0) {
    for (const json::object& line : session_.services.feed.kept()) OnLine(line);
    lines_ = session_.services.feed.Listen([this](const json::object& line) { OnLine(line); });
  }
  answer(json::object());
}

void LogDomain::Disable(const Params&, const Answer& answer) {
  if (lines_ != 0) session_.services.feed.Unlisten(lines_);
  lines_ = 0;
  answer(json::object());
}

void LogDomain::Clear(const Params&, const Answer& answer) { answer(json::object()); }

}  // namespace vigil::control::devtools
