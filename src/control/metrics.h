// Figures for those who watch many daemons, in the OpenMetrics format: what there is now, and what has
// happened since the daemon was started. No label is chosen by an app: their number is bounded. Event-loop
// thread only.
#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "control/services.h"
#include "host/ports.h"

namespace vigil::control {

// Counts as things happen; costs an event two searches in a small map.
class Metrics {
 public:
  // How long things took, in seconds. The bounds are those of `le`.
  struct Histogram {
    static constexpr std::array kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,  0.25,
                                           0.5,   1.0,    2.5,   5.0,  10.0,  30.0, 60.0, 180.0};
    std::array<std::uint64_t, kBounds.size() + 1> counts{};  // of each bucket alone; the last has no bound
    double sum = 0;

    void Add(double seconds);
    std::uint64_t total() const;
  };

  // All kinds and outcomes are there from the start, with 0: else nobody sees the first of them as a change.
  Metrics();

  // A sync or periodicsync event has ended.
  void Ran(host::SyncKind kind, const host::DispatchOutcome& outcome);

  // kind ("sync", "periodicsync"), outcome → events
  const std::map<std::pair<std::string, std::string>, std::uint64_t>& events() const { return events_; }
  // kind → from the dispatch to the first line of the handler; from there to the end
  const std::map<std::string, Histogram>& starts() const { return starts_; }
  const std::map<std::string, Histogram>& runs() const { return runs_; }

 private:
  std::map<std::pair<std::string, std::string>, std::uint64_t> events_;
  std::map<std::string, Histogram> starts_, runs_;
};

// One metric family with its samples, ready for either format.
struct MetricFamily {
  std::string name;
  std::string type;  // gauge, counter, histogram
  std::string unit;  // empty: none
  std::string help;
  struct Sample {
    std::string suffix;  // "_total", "_bucket" …
    std::vector<std::pair<std::string, std::string>> labels;
    double value = 0;
  };
  std::vector<Sample> samples;
};

// Everything as of now.
boost::asio::awaitable<std::vector<MetricFamily>> CollectMetrics(const Services& services);

inline constexpr const char* kOpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";
std::string OpenMetricsText(const std::vector<MetricFamily>& families);
boost::json::value MetricsJson(const std::vector<MetricFamily>& families);

}  // namespace vigil::control
