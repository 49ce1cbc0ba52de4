#include "control/metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>

#include "host/host.h"
#include "host/sync_driver.h"
#include "net/connectivity.h"
#include "vigil/registration.h"

namespace vigil::control {
namespace json = boost::json;
namespace {

constexpr const char* kOneShotName = "sync";
constexpr const char* kPeriodicName = "periodicsync";

using Labels = std::vector<std::pair<std::string, std::string>>;

// Resident memory of a process; 0: it has ended.
double ResidentBytes(int pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  std::uint64_t size = 0, resident = 0;
  if (!(file >> size >> resident)) return 0;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double OpenDescriptors() {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  return error ? 0 : static_cast<double>(std::distance(begin(entries), end(entries)));
}

MetricFamily Gauge(std::string name, std::string unit, std::string help) {
  return {std::move(name), "gauge", std::move(unit), std::move(help), {}};
}
MetricFamily Single(std::string name, std::string unit, std::string help, double value) {
  MetricFamily family = Gauge(std::move(name), std::move(unit), std::move(help));
  family.samples.push_back({"", {}, value});
  return family;
}

MetricFamily Registrations(const Services& services) {
  MetricFamily family = Gauge("vigil_registrations", "", "Sync registrations by kind and state.");
  std::map<std::pair<std::string, std::string>, double> counts;
  for (const SyncKind kind : {SyncKind::kOneShot, SyncKind::kPeriodic}) {
    for (const SyncState state : {SyncState::kPending, SyncState::kWaiting, SyncState::kFiring,
                                  SyncState::kReregisteredWhileFiring, SyncState::kSuspended})
      counts[{SyncKindName(kind), SyncStateName(state)}] = 0;
  }
  for (const auto& sync : services.syncs.List())
    ++counts[{SyncKindName(sync.key.kind), SyncStateName(sync.explanation.state)}];
  for (const auto& [key, count] : counts)
    family.samples.push_back({"", {{"kind", key.first}, {"state", key.second}}, count});
  return family;
}

MetricFamily Workers(const Services& services) {
  MetricFamily family = Gauge("vigil_workers", "", "Service workers by what their process does.");
  std::map<std::string, double> counts = {{"running", 0}, {"starting", 0}, {"stopped", 0}};
  for (const auto& registration : services.host.Registrations()) {
    for (const auto* worker : {&registration.installing, &registration.waiting, &registration.active}) {
      if (*worker) ++counts[(*worker)->running];
    }
  }
  for (const auto& [running, count] : counts) family.samples.push_back({"", {{"state", running}}, count});
  return family;
}

MetricFamily Memory(const Services& services) {
  MetricFamily family = Gauge("vigil_memory_bytes", "bytes",
                              "Resident memory: of the daemon, and of all worker processes together.");
  double workers = 0;
  for (const auto& process : services.host.InspectorTargets()) workers += ResidentBytes(process.pid);
  family.samples.push_back({"", {{"of", "daemon"}}, ResidentBytes(::getpid())});
  family.samples.push_back({"", {{"of", "workers"}}, workers});
  return family;
}

boost::asio::awaitable<MetricFamily> Storage(const Services& services) {
  MetricFamily family = Gauge("vigil_storage_bytes", "bytes", "What scripts of all origins have stored.");
  std::set<std::string> origins;
  for (const auto& registration : services.host.Registrations()) origins.insert(registration.origin);
  for (const auto& app : services.host.Apps()) origins.insert(app.origin);
  double databases = 0, caches = 0;
  for (const std::string& origin : origins) {
    const auto usage = co_await services.host.Usage(origin);
    if (!usage) continue;
    databases += static_cast<double>(usage->indexed_db);
    caches += static_cast<double>(usage->caches);
  }
  family.samples.push_back({"", {{"kind", "caches"}}, caches});
  family.samples.push_back({"", {{"kind", "indexeddb"}}, databases});
  co_return family;
}

MetricFamily Events(const Metrics& metrics) {
  MetricFamily family{"vigil_events", "counter", "", "Events that ended, by kind and outcome.", {}};
  for (const auto& [key, count] : metrics.events())
    family.samples.push_back(
        {"_total", {{"kind", key.first}, {"outcome", key.second}}, static_cast<double>(count)});
  return family;
}

// Whole numbers keep their ".0": a bound is always the same text.
std::string BoundText(double bound) {
  std::string text = fmt::format("{}", bound);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

MetricFamily Latencies(std::string name, std::string help,
                       const std::map<std::string, Metrics::Histogram>& histograms) {
  MetricFamily family{std::move(name), "histogram", "seconds", std::move(help), {}};
  for (const auto& [kind, histogram] : histograms) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
      below += histogram.counts[i];
      const std::string bound =
          i < Metrics::Histogram::kBounds.size() ? BoundText(Metrics::Histogram::kBounds[i]) : "+Inf";
      family.samples.push_back({"_bucket", {{"kind", kind}, {"le", bound}}, static_cast<double>(below)});
    }
    family.samples.push_back({"_count", {{"kind", kind}}, static_cast<double>(below)});
    family.samples.push_back({"_sum", {{"kind", kind}}, histogram.sum});
  }
  return family;
}

std::string LabelText(const Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ",", name, value);
  return text.empty() ? "" : "{" + text + "}";
}

}  // namespace

Metrics::Metrics() {
  using Kind = host::DispatchOutcome::Kind;
  for (const char* name : {kOneShotName, kPeriodicName}) {
    for (const Kind outcome :
         {Kind::kSucceeded, Kind::kRejected, Kind::kFailed, Kind::kTimeout, Kind::kNotStarted})
      events_[{name, host::DispatchOutcomeName(outcome)}] = 0;
    starts_[name] = {};
    runs_[name] = {};
  }
}

void Metrics::Histogram::Add(double seconds) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), seconds);
  ++counts[static_cast<std::size_t>(bound - kBounds.begin())];
  sum += seconds;
}

std::uint64_t Metrics::Histogram::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void Metrics::Ran(host::SyncKind kind, const host::DispatchOutcome& outcome) {
  const char* name = kind == host::SyncKind::kOneShot ? kOneShotName : kPeriodicName;
  ++events_[{name, host::DispatchOutcomeName(outcome.kind)}];
  if (outcome.handler_started_us == 0) return;
  const auto seconds = [](std::int64_t from, std::int64_t to) {
    return std::max(0.0, static_cast<double>(to - from) / 1e6);
  };
  starts_[name].Add(seconds(outcome.dispatched_us, outcome.handler_started_us));
  runs_[name].Add(seconds(outcome.handler_started_us, outcome.finished_us));
}

boost::asio::awaitable<std::vector<MetricFamily>> CollectMetrics(const Services& services) {
  std::vector<MetricFamily> families;
  families.push_back(Registrations(services));
  families.push_back(
      Single("vigil_apps", "", "Installed apps.", static_cast<double>(services.host.Apps().size())));
  families.push_back(
      Single("vigil_pages", "", "Open pages.", static_cast<double>(services.host.Pages().size())));
  families.push_back(Workers(services));
  families.push_back(Events(services.metrics));
  families.push_back(Latencies("vigil_event_start_seconds",
                               "From an event's dispatch to the first line of its handler.",
                               services.metrics.starts()));
  families.push_back(
      Latencies("vigil_event_run_seconds", "From there to the end of the event.", services.metrics.runs()));
  families.push_back(
      Single("vigil_network_online", "", "1: events may run.", services.network.current().online ? 1 : 0));
  families.push_back(Memory(services));
  families.push_back(Single("vigil_open_descriptors", "", "Descriptors of the daemon.", OpenDescriptors()));
  auto storage = co_await Storage(services);
  families.push_back(std::move(storage));
  co_return families;
}

std::string OpenMetricsText(const std::vector<MetricFamily>& families) {
  std::string text;
  for (const MetricFamily& family : families) {
    text += fmt::format("# TYPE {} {}\n", family.name, family.type);
    if (!family.unit.empty()) text += fmt::format("# UNIT {} {}\n", family.name, family.unit);
    text += fmt::format("# HELP {} {}\n", family.name, family.help);
    for (const auto& sample : family.samples)
      text += fmt::format("{}{}{} {}\n", family.name, sample.suffix, LabelText(sample.labels), sample.value);
  }
  return text + "# EOF\n";
}

json::value MetricsJson(const std::vector<MetricFamily>& families) {
  json::array list;
  for (const MetricFamily& family : families) {
    json::array samples;
    for (const auto& sample : family.samples) {
      json::object labels;
      for (const auto& [name, value] : sample.labels) labels[name] = value;
      samples.emplace_back(json::object{
          {"name", family.name + sample.suffix}, {"labels", std::move(labels)}, {"value", sample.value}});
    }
    list.emplace_back(json::object{{"name", family.name},
                                   {"type", family.type},
                                   {"unit", family.unit},
                                   {"help", family.help},
                                   {"samples", std::move(samples)}});
  }
  return list;
}

}  // namespace vigil::control
