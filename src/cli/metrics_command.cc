#include "cli/context.h"

namespace vigil::cli {
namespace json = boost::json;

void AddMetrics(CLI::App& app, Context& context) {
  AddCommand(app, context, "metrics", "Print the daemon's figures in the OpenMetrics format",
             "Registrations by kind and state, events by outcome, latencies as histograms, workers, memory, "
             "storage. "
             "Counters\n"
             "begin at the daemon's start. The same is at /metrics of the socket and of `vigil serve "
             "--listen` (with the "
             "token).\n\n"
             "  vigil metrics\n"
             "  curl -H \"Authorization: Bearer $(cat DIR/token)\" http://127.0.0.1:7411/metrics",
             [&context] {
               return Finish(context, context.Get("/v1/metrics"), [](const json::value& metrics) {
                 std::string text = Text(metrics, "text");
                 if (!text.empty()) text.pop_back();
                 Print(text);
               });
             });
}

}  // namespace vigil::cli
