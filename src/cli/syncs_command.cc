#include <fmt/format.h>

#include "cli/context.h"
#include "cli/printable.h"

namespace vigil::cli {
namespace json = boost::json;

void AddSyncs(CLI::App& app, Context& context) {
  const auto url = std::make_shared<std::string>();
  AddCommand(app, context, "syncs", "List what is registered, and why it is not running now",
             "STATE     pending, waiting (for a retry), firing, suspended\n"
             "ATTEMPTS  failed runs of those that are made at most\n"
             "NEXT      the earliest moment at which it can run, if that is a matter of time\n"
             "WHY       what it waits for\n\n"
             "With --json each has a \"reason\", one of: running ready disabled store-failed storing "
             "permission-denied\n"
             "not-installed suspended not-acknowledged own-failure waiting-for-retry period offline\n"
             "emulated-offline unknown-network across-origins queued (and the sentence as \"explanation\").",
             [url, &context] {
               const std::string target = url->empty() ? "/v1/syncs" : "/v1/syncs?url=" + Encode(*url);
               return Finish(context, context.Get(target), [](const json::value& syncs) {
                 std::vector<std::vector<std::string>> rows;
                 for (const auto& sync : syncs.as_array()) {
                   const std::string scope = Text(sync, "scope");
                   rows.push_back({Quoted(Text(sync, "tag"), kShownTag), Text(sync, "kind"),
                                   scope.empty() ? Text(sync, "origin") : scope, Text(sync, "state"),
                                   fmt::format("{}/{}", Text(sync, "attempts"), Text(sync, "max_attempts")),
                                   Time(sync, "next_time"), Shown(sync, "explanation")});
                 }
                 PrintTable({"TAG", "KIND", "APP", "STATE", "ATTEMPTS", "NEXT", "WHY"}, rows,
                            "nothing is registered");
               });
             })
      ->add_option("url", *url, "Only those of this app");
}

}  // namespace vigil::cli
