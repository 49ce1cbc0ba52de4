// What all commands share: the options every command has, the way to the daemon, and how to print.
#pragma once

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/http_client.h"

namespace vigil::cli {

// Exit statuses, part of the interface of the command line.
inline constexpr int kOk = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNoDaemon = 3;

struct Context {
  bool json = false;
  std::string data;          // --data
  std::function<int()> run;  // set by the command that was given

  // --data, else VIGIL_DATA, else $XDG_STATE_HOME/vigil, else ~/.local/state/vigil. Absolute.
  std::filesystem::path DataDirectory() const;
  Result<boost::json::value> Call(HttpCall call) const;
  Result<boost::json::value> Get(std::string target) const;
  Result<boost::json::value> Post(std::string target, const boost::json::object& body) const;
  Result<boost::json::value> Delete(std::string target) const;
};

// A subcommand with --json and --data; `run` is called when it is the one that was given.
CLI::App* AddCommand(CLI::App& parent, Context& context, const std::string& name, const std::string& summary,
                     const std::string& details, std::function<int()> run);

// Prints "vigil: message" on standard error, or {"error": …} on standard output under --json. Returns the
// exit status for it.
int ShowError(const Context& context, const Error& error);

// ---- printing
bool ColourIsOn();
enum class Style { kPlain, kBold, kDim, kGood, kWarning, kBad };
std::string Paint(Style style, std::string_view text);  // plain text unless ColourIsOn()
void Print(std::string_view line);                      // one line on standard output, flushed
void PrintJson(const boost::json::value& value);        // one line
// Aligned columns; the last is not padded. An empty table prints `when_empty`.
void PrintTable(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows,
                std::string_view when_empty);

// ---- reading the daemon's answers: absent and null read as empty
std::string Text(const boost::json::value& object, std::string_view name);
// The same for people: Printable().
std::string Shown(const boost::json::value& object, std::string_view name);
// "2026-11-23 14:05:07 UTC", or "-".
std::string Time(const boost::json::value& object, std::string_view name);

// Prints `answer` as JSON under --json, else calls `human`. Errors are shown. Returns the exit status.
int Finish(const Context& context, const Result<boost::json::value>& answer,
           const std::function<void(const boost::json::value&)>& human);

// Each in a file of its own.
void AddServe(CLI::App& app, Context& context);
void AddApps(CLI::App& app, Context& context);
void AddPage(CLI::App& app, Context& context);
void AddSyncs(CLI::App& app, Context& context);
void AddFire(CLI::App& app, Context& context);
void AddWorker(CLI::App& app, Context& context);
void AddLog(CLI::App& app, Context& context);
void AddNetwork(CLI::App& app, Context& context);
void AddClock(CLI::App& app, Context& context);
void AddPermission(CLI::App& app, Context& context);
void AddEngagement(CLI::App& app, Context& context);
void AddNotifications(CLI::App& app, Context& context);
void AddStorage(CLI::App& app, Context& context);
void AddMetrics(CLI::App& app, Context& context);
void AddPanel(CLI::App& app, Context& context);
void AddDevTools(CLI::App& app, Context& context);
void AddDoctor(CLI::App& app, Context& context);
void AddCompletion(CLI::App& app, Context& context);

// The whole command line. Returns the exit status.
int Main(int argc, char** argv);

}  // namespace vigil::cli
