#include <fmt/format.h>

#include "cli/context.h"

namespace vigil::cli {
namespace json = boost::json;
namespace {

void PrintLine(const json::value& line) {
  const std::string type = Text(line, "type");
  std::string text;
  if (type == "event") {
    text = fmt::format("{} \"{}\"", Text(line, "event"), Text(line, "tag"));
    for (const auto& pair : line.at("metadata").as_object())
      text += fmt::format("  {}: {}", std::string(pair.key()),
                          Text(line.at("metadata"), std::string(pair.key())));
  } else if (type == "console") {
    const std::string level = Text(line, "level");
    const Style style = level == "error" ? Style::kBad : level == "warn" ? Style::kWarning : Style::kDim;
    text = Paint(style, fmt::format("{}: {}", level, Text(line, "text")));
  } else if (type == "report") {
    text = Paint(Style::kBad, Text(line, "text"));
  } else {
    return;
  }
  Print(fmt::format("{}  {}  {}", Time(line, "at"), Text(line, "origin"), text));
}

int Show(const Context& context, const std::string& url, bool follow, bool console) {
  HttpCall call;
  call.target =
      fmt::format("/v1/log?follow={}&console={}&url={}", follow ? 1 : 0, console ? 1 : 0, Encode(url));
  call.on_line = [&](const json::object& line) {
    if (context.json) {
      PrintJson(line);
    } else {
      PrintLine(line);
    }
  };
  const auto answer = context.Call(call);
  if (!answer) return ShowError(context, answer.error());
  if (follow) return kOk;
  if (context.json) {
    PrintJson(*answer);
    return kOk;
  }
  for (const auto& line : answer->as_array()) PrintLine(line);
  if (answer->as_array().empty())
    Print("nothing yet; events of background sync are kept while `vigil record on` is in force");
  return kOk;
}

}  // namespace

void AddLog(CLI::App& app, Context& context) {
  struct Options {
    std::string url;
    bool follow = false;
    bool console = false;
    std::string state;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* log = AddCommand(
      app, context, "log", "Show what happened: recorded events, and reports about workers",
      "Events of background sync, periodic sync and notifications are kept while they are being recorded\n"
      "(`vigil record on`, three days at most). Console lines and reports are those since the daemon was "
      "started.\n"
      "--follow goes on until Ctrl-C; with --json it prints one object a line.",
      [options, &context] { return Show(context, options->url, options->follow, options->console); });
  log->add_option("url", options->url, "Only this app");
  log->add_flag("-f,--follow", options->follow, "Go on with what happens from now on");

  log->add_flag("--console", options->console, "With what scripts print to their console");

  CLI::App* record =
      AddCommand(app, context, "record", "Record events of the background services, for three days at most",
                 "Without an argument it says whether they are being recorded.", [options, &context] {
                   json::object body;
                   body["on"] = options->state == "on";
                   const auto answer =
                       options->state.empty() ? context.Get("/v1/record") : context.Post("/v1/record", body);
                   return Finish(context, answer, [](const json::value& recording) {
                     if (Text(recording, "on") != "true") return Print("recording is off");
                     Print(fmt::format("recording until {}",
                                       Time(recording.at("services").at("backgroundSync"), "until")));
                   });
                 });
  record->add_option("state", options->state, "on or off")->check(CLI::IsMember({"on", "off"}));
}

}  // namespace vigil::cli
