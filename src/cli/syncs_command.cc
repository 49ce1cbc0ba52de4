#include <fmt/format.h>

#include "cli/context.h"
#include "cli/printable.h"

namespace vigil::cli {
namespace json = boost::json;
namespace {

// Why there may be fewer than expected.
void TellOfDamage(const Context& context) {
  const auto status = context.Get("/v1/status");
  if (!status) return;
  const json::value& store = status->at("store");
  if (Text(store, "ok") != "true")
    fmt::print(stderr, "vigil: registrations cannot be stored and are refused: {}\n", Text(store, "message"));
  for (const auto& trace : store.at("damaged").as_array()) {
    fmt::print(stderr, "vigil: stored data was damaged and is kept as {}; see `vigil doctor`\n",
               std::string(trace.as_string()));
  }
}

}  // namespace

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
               return Finish(context, context.Get(target), [&context](const json::value& syncs) {
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
                 TellOfDamage(context);
               });
             })
      ->add_option("url", *url, "Only those of this app");
}

}  // namespace vigil::cli
