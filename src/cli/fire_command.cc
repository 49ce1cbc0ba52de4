#include <fmt/format.h>

#include <boost/json/parse.hpp>

#include "cli/context.h"

namespace vigil::cli {
namespace json = boost::json;

void AddFire(CLI::App& app, Context& context) {
  struct Options {
    std::string url;
    std::string kind;
    std::string tag;
    bool last_chance = false;
    bool any_tag = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* command =
      AddCommand(app, context, "fire", "Send a sync or periodicsync event to a worker now",
                 "For developers: the event runs at once, whatever the registration waits for, and changes "
                 "nothing about it.\n"
                 "Ends with status 1 when the event fails. --json has the times at which it was dispatched, "
                 "its handler was\n"
                 "entered and it ended (microseconds of the monotonic clock).\n\n"
                 "  vigil fire https://shop.example/ sync sync-post --last-chance",
                 [options, &context] {
                   json::object body;
                   body["url"] = options->url;
                   body["kind"] = options->kind;
                   body["tag"] = options->tag;
                   body["last_chance"] = options->last_chance;
                   body["any_tag"] = options->any_tag;
                   const auto answer = context.Post("/v1/fire", body);
                   const int status = Finish(context, answer, [&](const json::value& outcome) {
                     const std::string text = Shown(outcome, "text");
                     const bool good = Text(outcome, "outcome") == "succeeded";
                     Print(fmt::format("{} \"{}\": {}{}{}", options->kind, options->tag,
                                       Paint(good ? Style::kGood : Style::kBad, Text(outcome, "outcome")),
                                       text.empty() ? "" : ": ", text));
                   });
                   return status == kOk && Text(*answer, "outcome") != "succeeded" ? kFailed : status;
                 });
  command->add_option("url", options->url, "The app")->required();
  command->add_option("kind", options->kind, "sync or periodicsync")
      ->required()
      ->check(CLI::IsMember({"sync", "periodicsync"}));
  command->add_option("tag", options->tag, "The registration's tag")->required();
  command->add_flag("--last-chance", options->last_chance, "Set the event's lastChance");
  command->add_flag("--any-tag", options->any_tag, "Fire it although no such tag is registered");
}

}  // namespace vigil::cli
