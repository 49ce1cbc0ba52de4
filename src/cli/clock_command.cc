#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include "base/duration.h"
#include "cli/context.h"
#include "cli/printable.h"

namespace vigil::cli {
namespace json = boost::json;
namespace {

// A line that is written over again and again, only where somebody watches.
class ProgressLine {
 public:
  void Show(const std::string& text) {
    if (::isatty(STDERR_FILENO) != 1) return;
    fmt::print(stderr, "\r\x1b[K{}", text);
    std::fflush(stderr);
    shown_ = true;
  }
  void Clear() {
    if (shown_) fmt::print(stderr, "\r\x1b[K");
    shown_ = false;
  }

 private:
  bool shown_ = false;
};

int Advance(const Context& context, const std::string& by) {
  ProgressLine progress;
  json::object body;
  body["by"] = by;
  HttpCall call;
  call.method = "POST";
  call.target = "/v1/clock/advance";
  call.body = json::serialize(body);
  call.on_line = [&](const json::object& object) {
    const json::value line(object);
    if (context.json) return;
    if (Text(line, "type") == "progress") {
      const std::chrono::microseconds left(line.at("left_us").as_int64());
      progress.Show(fmt::format("{}, {} to go", Time(line, "now"), FormatDuration(left)));
      return;
    }
    progress.Clear();
    std::string text = Text(line, "text");
    text = Printable(text.substr(0, text.find('\n')));  // without the stack
    Print(fmt::format("{}  {} {}  {}{}{}  {}", Time(line, "at"), Text(line, "kind"),
                      Quoted(Text(line, "tag"), kShownTag), Text(line, "outcome"), text.empty() ? "" : ": ",
                      text, Paint(Style::kDim, Text(line, "origin"))));
  };
  const auto answer = context.Call(call);
  progress.Clear();
  return Finish(context, answer, [](const json::value& clock) {
    const std::size_t runs = clock.at("runs").as_array().size();
    Print(fmt::format("it is {} now; {}", Time(clock, "now"),
                      runs == 0 ? "nothing ran" : fmt::format("{} event{} ran", runs, runs == 1 ? "" : "s")));
  });
}

}  // namespace

void AddClock(CLI::App& app, Context& context) {
  CLI::App* clock = app.add_subcommand("clock", "Show the daemon's time, or let it pass");
  clock->require_subcommand(1);
  AddCommand(*clock, context, "now", "Show the daemon's time", "", [&context] {
    return Finish(context, context.Get("/v1/clock"), [](const json::value& now) {
      Print(fmt::format("{} ({})", Time(now, "now"), Text(now, "mode")));
    });
  });
  const auto by = std::make_shared<std::string>();
  AddCommand(*clock, context, "advance", "Let time pass at once; needs `vigil serve --clock virtual`",
             "Everything that is due in that time runs in its order, timers of scripts included, before the "
             "command\n"
             "ends. It prints each sync event that ran.\n\n"
             "  vigil clock advance 24h\n"
             "  vigil clock advance 1h30min",
             [by, &context] { return Advance(context, *by); })
      ->add_option("duration", *by, "For example 250ms, 90s, 5min, 12h, 3d")
      ->required()
      ->check([](const std::string& text) {
        const auto parsed = ParseDuration(text);
        return parsed ? std::string() : parsed.error().message;
      });
}

}  // namespace vigil::cli
