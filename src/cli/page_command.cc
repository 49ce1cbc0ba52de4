#include <fmt/format.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cli/context.h"
#include "cli/printable.h"

namespace vigil::cli {
namespace json = boost::json;
namespace {

struct OpenOptions {
  std::string url;
  std::string script;
  std::string eval;
  bool keep = false;
  bool launched = false;
  bool link = false;
};

Result<std::string> ReadScript(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream file(path, std::ios::binary);
  if (!file) return Fail(ErrorCode::kNotFound, fmt::format("cannot read the script {}", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// What the page's own code prints goes to files and pipes as it is, and escaped to a terminal.
std::string Said(const json::value& line) {
  const std::string text = Text(line, "text");
  return ::isatty(STDOUT_FILENO) == 1 ? PrintableLines(text, "") : text;
}

void PrintConsole(const json::object& line) {
  const std::string level = Text(json::value(line), "level");
  const Style style = level == "error" ? Style::kBad : level == "warn" ? Style::kWarning : Style::kPlain;
  Print(Paint(style, Said(json::value(line))));
}

int Open(const Context& context, const OpenOptions& options) {
  json::object body;
  body["url"] = options.url;
  body["keep"] = options.keep;
  body["launched"] = options.launched;
  body["link"] = options.link;
  if (!options.eval.empty()) {
    body["script"] = options.eval;
    body["script_name"] = "--eval";
  } else if (!options.script.empty()) {
    const auto script = ReadScript(options.script);
    if (!script) return ShowError(context, script.error());
    body["script"] = *script;
    body["script_name"] = options.script;
  }
  json::array console;
  HttpCall call;
  call.method = "POST";
  call.target = "/v1/pages";
  call.body = json::serialize(body);
  call.on_line = [&](const json::object& line) {
    if (context.json) {
      console.push_back(line);
    } else if (!options.keep) {
      PrintConsole(line);
    } else {
      // Standard output is the id alone, to be used in scripts.
      fmt::print(stderr, "{}\n", Said(json::value(line)));
    }
  };
  auto answer = context.Call(call);
  if (!answer) return ShowError(context, answer.error());
  const json::value script = answer->at("script");
  const bool failed = script.is_object() && !script.at("ok").as_bool();
  if (context.json) {
    answer->as_object()["console"] = std::move(console);
    PrintJson(*answer);
  } else if (options.keep) {
    Print(Text(answer->at("page"), "id"));
  }
  if (failed && !context.json)
    fmt::print(stderr, "vigil: the page's code failed: {}\n", PrintableLines(Text(script, "text"), "  "));
  return failed ? kFailed : kOk;
}

void AddOpen(CLI::App& page, Context& context) {
  const auto options = std::make_shared<OpenOptions>();
  CLI::App* open = AddCommand(
      page, context, "open", "Open a page, run code in it, and print its console",
      "A page is a window without a screen: its own scripts run in document order, "
      "then the given code (top-level\n"
      "await is allowed). The command ends when the code's promise settles, with "
      "status 1 if it was rejected, and\n"
      "the page is closed. Opening a page counts as a visit of its user, as if the address were typed or a "
      "bookmark chosen;\n"
      "with --link it earns no engagement, as a followed link does not. The id stays good wherever the "
      "page's "
      "scripts lead it.\n\n"
      "  vigil page open https://shop.example/ --eval 'console.log(document.title)'\n"
      "  vigil page open https://shop.example/ --script order.js\n"
      "  id=$(vigil page open https://shop.example/ --keep); …; vigil page close $id",
      [options, &context] { return Open(context, *options); });
  open->add_option("url", options->url, "The page's URL")->required();
  CLI::Option* script =
      open->add_option("--script", options->script, "Run this file in the page (- reads standard input)")
          ->type_name("FILE");
  open->add_option("--eval", options->eval, "Run this code in the page")->type_name("CODE")->excludes(script);
  open->add_flag("--keep", options->keep, "Leave the page open and print its id");
  CLI::Option* launch = open->add_flag("--launch", options->launched, "Open it as the app's shortcut does");
  open->add_flag("--link", options->link, "Open it as a followed link does")->excludes(launch);
}

void AddInput(CLI::App& page, Context& context) {
  struct Options {
    std::string id;
    std::string kind = "key";
  };
  const auto options = std::make_shared<Options>();
  CLI::App* input = AddCommand(
      page, context, "input", "Say that the user did something to an open page",
      "key, mouse, touch and scroll are input: the page gets keydown, mousedown, touchstart or scroll, and "
      "the "
      "app earns\n"
      "engagement, once in ten seconds, from ten seconds after the page was opened (five after it was "
      "shown).\n"
      "media says that a player of the page is active; tell it again every ten seconds. show and hide bring "
      "the page into\n"
      "view or take it out.\n\n"
      "  vigil page input $id scroll",
      [options, &context] {
        json::object body;
        body["kind"] = options->kind;
        return Finish(context, context.Post("/v1/pages/" + Encode(options->id) + "/input", body),
                      [](const json::value& answer) {
                        Print(Text(answer, "earned") == "true" ? "done; it earned engagement" : "done");
                      });
      });
  input->add_option("id", options->id, "The page")->required();
  input->add_option("kind", options->kind, "key (default), mouse, touch, scroll, media, show or hide")
      ->check(CLI::IsMember({"key", "mouse", "touch", "scroll", "media", "show", "hide"}));
}

}  // namespace

void AddPage(CLI::App& app, Context& context) {
  CLI::App* page = app.add_subcommand("page", "Open, list and close pages (windows without a screen)");
  page->require_subcommand(1);
  AddOpen(*page, context);
  AddInput(*page, context);
  AddCommand(*page, context, "list", "List the open pages", "", [&context] {
    return Finish(context, context.Get("/v1/pages"), [](const json::value& pages) {
      std::vector<std::vector<std::string>> rows;
      for (const auto& item : pages.as_array())
        rows.push_back({Text(item, "id"), Text(item, "url"), Shown(item, "title"),
                        Text(item, "controlled") == "true" ? "controlled" : "not controlled"});
      PrintTable({"ID", "URL", "TITLE", "WORKER"}, rows, "no page is open");
    });
  });
  const auto id = std::make_shared<std::string>();
  AddCommand(*page, context, "close", "Close a page", "",
             [id, &context] {
               return Finish(context, context.Delete("/v1/pages/" + Encode(*id)), [](const json::value&) {});
             })
      ->add_option("id", *id, "As printed by `vigil page open --keep` and `vigil page list`")
      ->required();
  struct Eval {
    std::string id;
    std::string code;
  };
  const auto eval = std::make_shared<Eval>();
  CLI::App* run = AddCommand(
      *page, context, "eval", "Run code in an open page and print its value", "", [eval, &context] {
        json::object body;
        body["code"] = eval->code;
        body["name"] = "vigil page eval";
        const auto answer = context.Post("/v1/pages/" + Encode(eval->id) + "/evaluate", body);
        const int status = Finish(context, answer, [](const json::value& outcome) { Print(Said(outcome)); });
        return status == kOk && !answer->at("ok").as_bool() ? kFailed : status;
      });
  run->add_option("id", eval->id, "The page")->required();
  run->add_option("code", eval->code, "The code")->required();
}

}  // namespace vigil::cli
