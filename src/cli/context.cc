#include "cli/context.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <cstdlib>

#include "cli/printable.h"

namespace vigil::cli {
namespace json = boost::json;
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::filesystem::path Home() {
  if (std::string home = Environment("HOME"); !home.empty()) return home;
  const passwd* user = ::getpwuid(::getuid());
  return user == nullptr ? "/" : user->pw_dir;
}

// Columns on screen; UTF-8 continuation bytes take none.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::filesystem::path Context::DataDirectory() const {
  std::filesystem::path path = data;
  if (path.empty()) path = Environment("VIGIL_DATA");
  if (path.empty()) {
    const std::string state = Environment("XDG_STATE_HOME");
    path = (state.empty() ? Home() / ".local" / "state" : std::filesystem::path(state)) / "vigil";
  }
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path, error).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  return absolute;
}

Result<json::value> Context::Call(HttpCall call) const {
  return Perform(DataDirectory() / "vigil.sock", call);
}

Result<json::value> Context::Get(std::string target) const {
  HttpCall call;
  call.target = std::move(target);
  return Call(std::move(call));
}

Result<json::value> Context::Post(std::string target, const json::object& body) const {
  HttpCall call;
  call.method = "POST";
  call.target = std::move(target);
  call.body = json::serialize(body);
  return Call(std::move(call));
}

Result<json::value> Context::Delete(std::string target) const {
  HttpCall call;
  call.method = "DELETE";
  call.target = std::move(target);
  return Call(std::move(call));
}

CLI::App* AddCommand(CLI::App& parent, Context& context, const std::string& name, const std::string& summary,
                     const std::string& details, std::function<int()> run) {
  CLI::App* command = parent.add_subcommand(name, summary);
  if (!details.empty()) command->footer("\n" + details);
  if (!run) return command;
  command->add_flag("--json", context.json, "Print JSON");
  command
      ->add_option("--data", context.data,
                   "Data directory of the daemon (else $VIGIL_DATA, else ~/.local/state/vigil)")
      ->type_name("DIR");
  command->callback([&context, run = std::move(run)] { context.run = run; });
  return command;
}

int ShowError(const Context& context, const Error& error) {
  if (context.json) {
    json::object inner;
    inner["code"] = ErrorCodeName(error.code);
    inner["message"] = error.message;
    json::object outer;
    outer["error"] = std::move(inner);
    PrintJson(outer);
  } else {
    const std::string text = fmt::format("vigil: {}\n", PrintableLines(error.message, "  "));
    std::fputs(text.c_str(), stderr);
  }
  return error.code == ErrorCode::kUnavailable && error.message.rfind("no daemon", 0) == 0 ? kNoDaemon
                                                                                           : kFailed;
}

bool ColourIsOn() {
  static const bool on =
      ::isatty(STDOUT_FILENO) == 1 && Environment("NO_COLOR").empty() && Environment("TERM") != "dumb";
  return on;
}

std::string Paint(Style style, std::string_view text) {
  if (!ColourIsOn() || style == Style::kPlain) return std::string(text);
  const char* code = "0";
  if (style == Style::kBold) code = "1";
  if (style == Style::kDim) code = "2";
  if (style == Style::kGood) code = "32";
  if (style == Style::kWarning) code = "33";
  if (style == Style::kBad) code = "31";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

void Print(std::string_view line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void PrintJson(const json::value& value) { Print(PrintableJson(json::serialize(value))); }

void PrintTable(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows,
                std::string_view when_empty) {
  if (rows.empty()) {
    Print(when_empty);
    return;
  }
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < headings.size(); ++i) {
    std::size_t width = Width(headings[i]);
    for (const auto& row : rows) width = std::max(width, Width(row[i]));
    widths.push_back(width);
  }
  const auto line = [&](const std::vector<std::string>& cells, Style style) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      text += Paint(style, cells[i]);
      if (i + 1 < cells.size()) text += std::string(widths[i] - Width(cells[i]) + 2, ' ');
    }
    Print(text);
  };
  line(headings, Style::kBold);
  for (const auto& row : rows) line(row, Style::kPlain);
}

std::string Text(const json::value& object, std::string_view name) {
  if (!object.is_object()) return "";
  const json::value* value = object.as_object().if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || value->is_null()) return "";
  if (value->is_string()) return std::string(value->as_string());
  return json::serialize(*value);
}

std::string Shown(const json::value& object, std::string_view name) { return Printable(Text(object, name)); }

std::string Time(const json::value& object, std::string_view name) {
  std::string text = Text(object, name);
  if (text.size() < 19) return "-";
  text.resize(19);
  text[10] = ' ';
  return text + " UTC";
}

int Finish(const Context& context, const Result<json::value>& answer,
           const std::function<void(const json::value&)>& human) {
  if (!answer) return ShowError(context, answer.error());
  if (context.json) {
    PrintJson(*answer);
  } else {
    human(*answer);
  }
  return kOk;
}

}  // namespace vigil::cli
