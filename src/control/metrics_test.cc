#include "control/metrics.h"

#include <gtest/gtest.h>

namespace vigil::control {
namespace {

host::DispatchOutcome Outcome(std::int64_t dispatched, std::int64_t started, std::int64_t finished) {
  host::DispatchOutcome outcome;
  outcome.kind = host::DispatchOutcome::Kind::kSucceeded;
  outcome.dispatched_us = dispatched;
  outcome.handler_started_us = started;
  outcome.finished_us = finished;
  return outcome;
}

TEST(Metrics, CountEventsByKindAndOutcomeAndHowLongTheyTook) {
  Metrics metrics;
  metrics.Ran(host::SyncKind::kOneShot, Outcome(1'000'000, 1'002'000, 1'502'000));
  metrics.Ran(host::SyncKind::kOneShot, Outcome(1'000'000, 1'002'000, 1'102'000));
  host::DispatchOutcome failed;
  failed.kind = host::DispatchOutcome::Kind::kFailed;
  metrics.Ran(host::SyncKind::kPeriodic, failed);
  EXPECT_EQ(metrics.events().at({"sync", "succeeded"}), 2U);
  EXPECT_EQ(metrics.events().at({"periodicsync", "failed"}), 1U);
  EXPECT_EQ(metrics.starts().at("sync").total(), 2U);
  EXPECT_EQ(metrics.starts().at("periodicsync").total(), 0U) << "no handler was entered";
  EXPECT_DOUBLE_EQ(metrics.runs().at("sync").sum, 0.6);
}

TEST(Metrics, HaveEveryKindAndOutcomeFromTheStart) {
  const Metrics metrics;
  EXPECT_EQ(metrics.events().size(), 10U);
  for (const auto& [key, count] : metrics.events()) EXPECT_EQ(count, 0U) << key.first << key.second;
  EXPECT_EQ(metrics.starts().size(), 2U);
  EXPECT_EQ(metrics.runs().size(), 2U);
}

TEST(Metrics, AValueOnABoundBelongsToItsBucketAndALargerOneToTheNext) {
  Metrics::Histogram histogram;
  histogram.Add(0.001);
  histogram.Add(0.0011);
  histogram.Add(1e9);
  EXPECT_EQ(histogram.counts.front(), 1U);
  EXPECT_EQ(histogram.counts[1], 1U);
  EXPECT_EQ(histogram.counts.back(), 1U);
}

TEST(Metrics, AreWrittenAsOpenMetricsAsksFor) {
  const std::vector<MetricFamily> families = {
      {"vigil_events",
       "counter",
       "",
       "Events.",
       {{"_total", {{"kind", "sync"}, {"outcome", "succeeded"}}, 2}}},
      {"vigil_memory_bytes", "gauge", "bytes", "Memory.", {{"", {}, 1.5e9}}},
  };
  EXPECT_EQ(
      OpenMetricsText(families),
      "# TYPE vigil_events counter\n# HELP vigil_events Events.\n"
      "vigil_events_total{kind=\"sync\",outcome=\"succeeded\"} 2\n"
      "# TYPE vigil_memory_bytes gauge\n# UNIT vigil_memory_bytes bytes\n# HELP vigil_memory_bytes Memory.\n"
      "vigil_memory_bytes 1500000000\n# EOF\n");
}

}  // namespace
}  // namespace vigil::control
