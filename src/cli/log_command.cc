#include <fmt/format.h>

#include <utility>

#include "cli/context.h"
#include "cli/csv.h"
#include "cli/printable.h"

namespace vigil::cli {
namespace json = boost::json;
namespace {

struct LogOptions {
  std::string url;
  std::string service;
  std::size_t lines = 1000;
  bool follow = false;
  bool console = false;
  bool clear = false;
  bool csv = false;
};

struct RecordOptions {
  std::string state;
  std::string service;
};

const std::vector<std::string>& ServiceNames() {
  static const std::vector<std::string> names = {"backgroundSync", "periodicBackgroundSync", "notifications"};
  return names;
}

std::string EventText(const json::value& line) {
  std::string text = fmt::format("{} {}", Shown(line, "event"), Quoted(Text(line, "tag"), kShownTag));
  for (const auto& pair : line.at("metadata").as_object()) {
    const std::string key(pair.key());
    text += fmt::format("  {}: {}", Printable(key), Shown(line.at("metadata"), key));
  }
  return text;
}

std::string RecordingText(const json::value& line) {
  if (Text(line, "on") == "true")
    return fmt::format("{} is recorded until {}", Text(line, "service"), Time(line, "until"));
  return fmt::format("{} is recorded no longer", Text(line, "service"));
}

void PrintLine(const json::value& line) {
  const std::string type = Text(line, "type");
  std::string text;
  if (type == "event") {
    text = EventText(line);
  } else if (type == "console") {
    const std::string level = Text(line, "level");
    const Style style = level == "error" ? Style::kBad : level == "warn" ? Style::kWarning : Style::kDim;
    text = Paint(style, fmt::format("{}: {}", level, PrintableLines(Text(line, "text"), "    ")));
  } else if (type == "report") {
    text = Paint(Style::kBad, PrintableLines(Text(line, "text"), "    "));
  } else if (type == "recording") {
    Print(fmt::format("{}  {}", Time(line, "at"), Paint(Style::kDim, RecordingText(line))));
    return;
  } else {
    return;
  }
  Print(fmt::format("{}  {}  {}", Time(line, "at"), Text(line, "origin"), text));
}

// The panel's export has the same columns.
void PrintCsvLine(const json::value& line) {
  const std::string type = Text(line, "type");
  std::string text = Text(line, "text");
  if (type == "event") {
    text = Text(line, "event");
    for (const auto& pair : line.at("metadata").as_object()) {
      const std::string key(pair.key());
      text += fmt::format(" · {}: {}", key, Text(line.at("metadata"), key));
    }
  } else if (type == "recording") {
    text = RecordingText(line);
  } else if (type != "console" && type != "report") {
    return;
  }
  const std::string kind = type == "console" ? Text(line, "level") : Text(line, "service");
  // Lines end with CR LF (RFC 4180).
  Print(CsvRow({Text(line, "at"), type, Text(line, "origin"), kind, Text(line, "tag"), text}) + "\r");
}

// In the form that was asked for.
class LinePrinter {
 public:
  LinePrinter(const Context& context, const LogOptions& options)
      : json_(context.json), csv_(options.csv && !context.json) {}

  void Begin() {
    if (csv_ && !std::exchange(begun_, true))
      cli::Print(CsvRow({"time", "type", "origin", "service", "tag", "text"}) + "\r");
  }
  void Print(const json::value& line) {
    Begin();
    if (json_) {
      PrintJson(line);
    } else if (csv_) {
      PrintCsvLine(line);
    } else {
      PrintLine(line);
    }
  }

 private:
  const bool json_;
  const bool csv_;
  bool begun_ = false;
};

int Clear(const Context& context, const LogOptions& options) {
  const std::string target =
      options.service.empty() ? "/v1/log" : "/v1/log?service=" + Encode(options.service);
  return Finish(context, context.Delete(target), [](const json::value&) { Print("cleared"); });
}

int Show(const Context& context, const LogOptions& options) {
  if (options.clear) return Clear(context, options);
  HttpCall call;
  call.target =
      fmt::format("/v1/log?follow={}&console={}&lines={}&service={}&url={}", options.follow ? 1 : 0,
                  options.console ? 1 : 0, options.lines, Encode(options.service), Encode(options.url));
  LinePrinter printer(context, options);
  call.on_line = [&printer](const json::object& line) { printer.Print(line); };
  const auto answer = context.Call(call);
  if (!answer) return ShowError(context, answer.error());
  if (options.follow) return kOk;
  if (context.json) {
    PrintJson(*answer);
    return kOk;
  }
  printer.Begin();
  for (const auto& line : answer->as_array()) printer.Print(line);
  if (answer->as_array().empty() && !options.csv)
    Print("nothing yet; events of background sync are kept while `vigil record on` is in force");
  return kOk;
}

int Record(const Context& context, const RecordOptions& options) {
  json::object body;
  body["on"] = options.state == "on";
  if (!options.service.empty()) body["service"] = options.service;
  const auto answer = options.state.empty() ? context.Get("/v1/record") : context.Post("/v1/record", body);
  return Finish(context, answer, [](const json::value& recording) {
    if (Text(recording, "on") != "true") return Print("recording is off");
    std::vector<std::vector<std::string>> rows;
    for (const auto& service : recording.at("services").as_object()) {
      const bool on = Text(service.value(), "on") == "true";
      rows.push_back({std::string(service.key()), on ? "until " + Time(service.value(), "until") : "off"});
    }
    PrintTable({"SERVICE", "RECORDING"}, rows, "");
  });
}

}  // namespace

void AddLog(CLI::App& app, Context& context) {
  const auto options = std::make_shared<LogOptions>();
  CLI::App* log = AddCommand(
      app, context, "log", "Show what happened: recorded events, and reports about workers",
      "Events of background sync, periodic sync and notifications are kept while they are being recorded\n"
      "(`vigil record on`, three days at most); the oldest go when there are more than 100,000, or more than "
      "64 MiB.\n"
      "Console lines and reports are those since the daemon was started. Characters that would act on the "
      "terminal are\n"
      "shown as \\x1b, and long tags are cut; --json has everything.\n"
      "--follow goes on until Ctrl-C; with --json it prints one object a line. In --csv a cell that a\n"
      "spreadsheet would take for a formula begins with an apostrophe.\n\n"
      "  vigil log https://shop.example/ --service periodicBackgroundSync -n 20",
      [options, &context] { return Show(context, *options); });
  log->add_option("url", options->url, "Only this app");
  log->add_option("-n,--lines", options->lines, "The youngest lines, this many at most (default 1000)")
      ->check(CLI::Range(1, 100'000));
  log->add_option("--service", options->service, "Only events of this service")
      ->check(CLI::IsMember(ServiceNames()));
  CLI::Option* follow = log->add_flag("-f,--follow", options->follow, "Go on with what happens from now on");
  log->add_flag("--console", options->console, "With what scripts print to their console");
  CLI::Option* csv = log->add_flag("--csv", options->csv, "Print comma-separated values, for spreadsheets")
                         ->excludes(log->get_option("--json"));
  log->add_flag("--clear", options->clear, "Delete the recorded events (with --service: its own)")
      ->excludes(follow)
      ->excludes(csv);

  const auto record = std::make_shared<RecordOptions>();
  CLI::App* command =
      AddCommand(app, context, "record", "Record events of the background services, for three days at most",
                 "Without an argument it says what is being recorded. A recording goes on when the daemon is "
                 "started again.\n\n"
                 "  vigil record on --service periodicBackgroundSync",
                 [record, &context] { return Record(context, *record); });
  command->add_option("state", record->state, "on or off")->check(CLI::IsMember({"on", "off"}));
  command->add_option("--service", record->service, "Only this service (default: all of them)")
      ->check(CLI::IsMember(ServiceNames()));
}

}  // namespace vigil::cli
