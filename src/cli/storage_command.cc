#include <fmt/format.h>

#include "cli/context.h"

namespace vigil::cli {
namespace json = boost::json;
namespace {

std::string Bytes(const json::value& object, std::string_view name) {
  double size = object.at(json::string_view(name.data(), name.size())).to_number<double>();
  for (const char* unit : {"B", "KiB", "MiB", "GiB"}) {
    const bool last = std::string_view(unit) == "GiB";
    if (size < 10 && *unit != 'B') return fmt::format("{:.1f} {}", size, unit);
    if (size < 1024 || last) return fmt::format("{:.0f} {}", size, unit);
    size /= 1024;
  }
  return "";
}

}  // namespace

void AddStorage(CLI::App& app, Context& context) {
  struct Options {
    std::string url;
    bool clear = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      AddCommand(app, context, "storage", "Show how much an app's scripts stored, or delete it",
                 "--clear deletes databases, caches, local storage, cookies, notifications, service workers "
                 "and their syncs.\n"
                 "What you decided (permissions) stays.",
                 [options, &context] {
                   const std::string target = "/v1/storage?url=" + Encode(options->url);
                   if (options->clear) {
                     return Finish(context, context.Delete(target), [](const json::value& cleared) {
                       Print(fmt::format("cleared {}", Text(cleared, "origin")));
                     });
                   }
                   return Finish(context, context.Get(target), [](const json::value& usage) {
                     Print(fmt::format("{}: {} of {} (IndexedDB {}, caches {})", Text(usage, "origin"),
                                       Bytes(usage, "usage_bytes"), Bytes(usage, "quota_bytes"),
                                       Bytes(usage, "indexed_db_bytes"), Bytes(usage, "caches_bytes")));
                   });
                 });
  command->add_option("url", options->url, "The app")->required();
  command->add_flag("--clear", options->clear, "Delete everything of the app's origin");
}

}  // namespace vigil::cli
