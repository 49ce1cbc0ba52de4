// libFuzzer target: whatever rows the event log holds, it answers with those that make sense, goes on
// recording, and stays within its bounds.
#include <fuzzer/FuzzedDataProvider.h>

#include <cstdlib>

#include "base/duration.h"
#include "rows.h"
#include "store/event_log.h"
#include "store/schema.h"

namespace {

using namespace vigil;

const std::vector<fuzz::Table>& Tables() {
  static const std::vector<fuzz::Table> tables = {
      {"events",
       {"id", "at_us", "service", "origin", "registration", "name", "instance", "metadata", "bytes"}},
      {"recordings", {"service", "until_us"}},
      {"event_totals", {"events", "bytes"}},
  };
  return tables;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const auto database = [] {
    auto opened = store::Database::OpenInMemory(store::LogOptions());
    if (!opened) std::abort();
    return std::move(*opened);
  }();
  constexpr WallTime kNow{Duration(1'700'000'000'000'000)};
  FuzzedDataProvider data(bytes, size);
  fuzz::FillTables(data, *database, Tables());
  store::EventLog log(*database, {.events = 12, .bytes = 4000});
  const auto events = log.Query({.max_bytes = 10'000});
  if (!events) std::abort();
  for (const auto& event : *events) (void)FormatUtc(event.at.time_since_epoch().count());
  const auto recordings = log.Recordings(kNow);
  if (!recordings || recordings->size() != store::kServices.size()) std::abort();
  for (const auto& recording : *recordings) {
    if (recording.until && *recording.until > kNow + store::EventLog::kRecordingTime) std::abort();
  }
  if (!log.SetRecording(store::Service::kBackgroundSync, true, kNow)) std::abort();
  for (int i = 0; i < 30; ++i) {
    store::LoggedEvent event;
    event.at = kNow;
    event.origin = "https://shop.example";
    event.name = "Sync completed";
    // The highest id may be taken; then SQLite looks for a free one or says that it is full.
    (void)log.Append({event});
  }
  const auto after = log.Query({});
  if (!after) std::abort();
  if (after->size() > 24) std::abort();
  return 0;
}
